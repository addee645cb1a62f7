/** The base model and the derived models of the checkpoint, one line each, with a button that opens it. */
import type { PanelChild, PanelKin, PanelParent, PanelState } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { button } from '../../support/ui';
import { formatCount, shortNumber } from '../../../src/format/numbers';
import { numeric } from '../../../src/format/json';
import { blockList } from '../numbers';
import { agreementText, divergenceText } from '../state/likeness';
import type { Context } from './section';

/** Limit of lines, because a folder of experiments has dozens of models. */
const MAX_CHILDREN = 6;

export function kinLines({ parent, children }: PanelKin, send: Context['send']): HTMLElement[] {
  const more = children.length - MAX_CHILDREN;
  return [
    ...(parent ? [parentLine(parent, send)] : []),
    ...children.slice(0, MAX_CHILDREN).map((child) => childLine(child, send)),
    ...(more > 0 ? [el('p', { class: 'muted' }, t('and {0} more derived models', more))] : []),
  ];
}

function parentLine({ name, removed, there }: PanelParent, send: Context['send']): HTMLElement {
  const base =
    removed.length > 0
      ? t('Derived from {0} without blocks {1}', name, blockList(removed))
      : t('Derived from {0}', name);
  const from = el('span', {}, base);
  if (!there) return el('p', { class: 'muted' }, from);
  return el('p', { class: 'muted' }, from, ...ppl(there.ppl), ' · ', openButton(name, there.path, send));
}

function childLine(
  { name, path, removed, retrained, ppl: known, bitsPerByte, otherVocabulary, compared }: PanelChild,
  send: Context['send'],
): HTMLElement {
  const facts = [
    ...(removed.length > 0 ? [t('without blocks {0}', blockList(removed))] : []),
    ...(otherVocabulary === undefined ? [] : [t('vocabulary of {0} tokens', formatCount(otherVocabulary))]),
    ...(otherVocabulary === undefined || bitsPerByte === undefined
      ? []
      : [t('{0} bits per byte', shortNumber(numeric(bitsPerByte)))]),
    ...(retrained.length > 0 ? [t('retrained: {0}', retrained.join(', '))] : []),
  ];
  const words = el('span', {}, [t('Derived model: {0}', name), ...facts].join(' · '));
  return el('p', { class: 'muted' }, words, ...ppl(known), ...near(compared), ' · ', openButton(name, path, send));
}

/** How near it is to the unpruned model; nothing while that is unknown. */
const near = (compared: PanelChild['compared']): string[] =>
  compared?.kl === undefined
    ? []
    : [' · ', t('KL divergence {0}', divergenceText(compared.kl)), ', ', agreementText(compared.top1)];

/** The perplexity on the panel's text; nothing while it is unknown. */
const ppl = (known: PanelChild['ppl']): string[] =>
  known === null ? [] : [' · ', t('perplexity {0}', shortNumber(numeric(known)))];

const openButton = (name: string, path: string, send: Context['send']): HTMLElement =>
  button(t('Open'), () => send({ type: 'kin/open', path }), {
    appearance: 'icon',
    label: t('Open the results of {0}', name),
  });

/** Estimated speed relative to the base model if it is known, else relative to the whole checkpoint. */
export function speedupOf({ model, plan, kin: { parent } }: Pick<PanelState, 'model' | 'plan' | 'kin'>): number {
  if (!parent?.there) return plan.speedup;
  return parent.there.parametersRead / (model.parametersRead - plan.removed.length * model.parametersPerBlock);
}
