/** What the checkpoint was made from and what was made from it, in lines with links. */
import type { PanelChild, PanelFamily, PanelParent, PanelState } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { button } from '../../support/ui';
import { blockList, numeric, short } from '../numbers';
import type { Context } from './section';

/** Lines at most: a folder of experiments has dozens. */
const MAX_CHILDREN = 6;

export function familyLines({ parent, children }: PanelFamily, send: Context['send']): HTMLElement[] {
  const more = children.length - MAX_CHILDREN;
  return [
    ...(parent ? [parentLine(parent, send)] : []),
    ...children.slice(0, MAX_CHILDREN).map((child) => childLine(child, send)),
    ...(more > 0 ? [el('p', { class: 'muted' }, `and ${more} more that were made from it`)] : []),
  ];
}

function parentLine({ name, removed, there }: PanelParent, send: Context['send']): HTMLElement {
  const without = removed.length > 0 ? ` without ${blockList(removed)}` : '';
  const from = el('span', {}, `from ${name}${without}`);
  if (!there) return el('p', { class: 'muted' }, from);
  return el('p', { class: 'muted' }, from, ...ppl(there.ppl), ' · ', openButton(name, there.path, send));
}

function childLine({ name, path, removed, retrained, ppl: known }: PanelChild, send: Context['send']): HTMLElement {
  const facts = [
    ...(removed.length > 0 ? [`without ${blockList(removed)}`] : []),
    ...(retrained.length > 0 ? [`retrained: ${retrained.join(', ')}`] : []),
  ];
  const words = el('span', {}, [`made from it: ${name}`, ...facts].join(' · '));
  return el('p', { class: 'muted' }, words, ...ppl(known), ' · ', openButton(name, path, send));
}

/** The perplexity on the panel's text; nothing where it is not known. */
const ppl = (known: PanelChild['ppl']): string[] => (known === null ? [] : [` · perplexity ${short(numeric(known))}`]);

const openButton = (name: string, path: string, send: Context['send']): HTMLElement =>
  button('Open', () => send({ type: 'family/open', path }), {
    appearance: 'icon',
    label: `Open the results of ${name}`,
  });

/** Estimated speed compared with the parent of the checkpoint if it is known, else with the whole checkpoint. */
export function speedupOf({ model, plan, family: { parent } }: Pick<PanelState, 'model' | 'plan' | 'family'>): number {
  if (!parent?.there) return plan.speedup;
  return parent.there.parametersRead / (model.parametersRead - plan.removed.length * model.parametersPerBlock);
}
