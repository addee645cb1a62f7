/** The head of the panel: the model, its goal and text, its kin, whether it meets its goal, the steps and ways there. */
import type { Journey } from '../../../src/protocol/journey';
import type { PanelState, PanelText } from '../../../src/protocol/panel';
import { formatBytes, shortCount } from '../../../src/format/numbers';
import { blocksText } from '../../support/amounts';
import { el } from '../../support/dom';
import { icon } from '../../support/icons';
import { t } from '../../support/l10n';
import { button } from '../../support/ui';
import { scoringOf } from '../state/next-job';
import { textLabel } from '../state/rows';
import { kinLines } from './kin';
import { type Context, type Section, whenChanged } from './section';
import { stepperSection } from './stepper';
import { goalWords, verdictSection } from './verdict';
import { waysSection } from './ways';

export function planSection(context: Context): Section {
  const { send } = context;
  const name = el('h1', {});
  const facts = el('p', { class: 'muted facts' });
  const saving = el('p', { class: 'muted saving' });
  const text = chipButton('text-chip', () => send({ type: 'text/choose' }));
  const goal = chipButton('goal-chip', () => send({ type: 'start', action: 'goal' }));
  const kin = el('div', { class: 'kin' });
  const drawKin = whenChanged((shown: Pick<PanelState, 'kin'>) => kin.replaceChildren(...kinLines(shown.kin, send)));
  const drawText = whenChanged((shown: Pick<PanelState, 'text'> & { readonly scored?: string }) =>
    showText(text, shown.text, shown.scored),
  );
  const drawGoal = whenChanged((shown: Pick<Journey, 'goal' | 'faster'>) => showGoal(goal, shown));
  const banner = el('div', { class: 'banner', role: 'status' });
  const drawBanner = whenChanged((shown: Pick<PanelState, 'trusted' | 'missing'>) => showBanner(banner, shown, send));
  const [verdict, stepper, ways] = [verdictSection(context), stepperSection(context), waysSection(context)];
  const element = el(
    'header',
    { class: 'plan' },
    banner,
    el('div', { class: 'plan-title' }, name, facts, el('div', { class: 'chips' }, text, goal)),
    saving,
    kin,
    el('div', { class: 'plan-way' }, verdict.element, stepper.element),
    ways.element,
  );
  return {
    element,
    update: (state, view) => {
      const { model, journey, trusted } = state;
      drawBanner({ trusted, missing: state.missing });
      drawKin({ kin: state.kin });
      drawText({ text: state.text, scored: scoringOf(state)?.text });
      drawGoal({ goal: journey.goal, faster: journey.faster });
      name.textContent = model.name;
      facts.textContent = [
        blocksText(model.blocks),
        t('{0} parameters', shortCount(model.parameters)),
        formatBytes(model.bytes),
      ].join(' · ');
      saving.textContent = model.saving ?? '';
      saving.hidden = model.saving === null;
      verdict.update(state, view);
      stepper.update(state, view);
      ways.update(state, view);
    },
  };
}

function chipButton(name: string, act: () => void): HTMLButtonElement {
  const chip = el('button', { type: 'button', class: `chip ${name}` });
  chip.addEventListener('click', act);
  return chip;
}

function showGoal(chip: HTMLElement, { goal, faster }: Pick<Journey, 'goal' | 'faster'>): void {
  const words = goalWords(goal, faster);
  const title = t('What the model must be to ship: format, size and quality. Click to change it.');
  chip.replaceChildren(icon('target'), el('span', {}, words));
  chip.title = title;
  chip.setAttribute('aria-label', `${words}. ${title}`);
}

/** Without trust nothing else can be done, so that its button is the primary one. */
function showBanner(
  banner: HTMLElement,
  { trusted, missing }: Pick<PanelState, 'trusted' | 'missing'>,
  send: Context['send'],
): void {
  banner.hidden = trusted && !missing;
  if (missing) {
    const words = t(
      'The files of this model were moved or deleted. What was measured stays here; nothing can be computed.',
    );
    banner.replaceChildren(el('span', {}, words));
    return;
  }
  const manage = (): HTMLElement =>
    button(t('Manage Workspace Trust'), () => send({ type: 'trust/manage' }), { appearance: 'primary' });
  const words = t('Coppice runs nothing in Restricted Mode.');
  banner.replaceChildren(...(trusted ? [] : [el('span', {}, words), manage()]));
}

/**
 * Shows the text for perplexity. A click changes it. It has a warning if it cannot be used.
 * @param scored the text of the scoring that runs, which the panel will measure on after it
 */
function showText(chip: HTMLElement, text: PanelText | null, scored?: string): void {
  chip.hidden = text === null && scored === undefined;
  if (scored !== undefined) showChip(chip, t('Text: {0}', scored), t('Text on which the blocks are being scored'));
  else if (text) showMeasured(chip, text);
}

function showMeasured(chip: HTMLElement, text: PanelText): void {
  const { from, seed, fault } = text;
  const words = `${fault === undefined ? '' : '⚠ '}${t('Text: {0}', textLabel(text))}`;
  const title =
    fault === undefined ? t('{0}, seed {1}. Click to measure on another text.', SOURCES[from], seed) : `${fault}.`;
  showChip(chip, words, title);
}

function showChip(chip: HTMLElement, words: string, title: string): void {
  if (chip.textContent !== words) chip.replaceChildren(icon('book'), el('span', {}, words));
  chip.title = title;
  chip.setAttribute('aria-label', `${words}. ${title}`);
}

const SOURCES: Readonly<Record<PanelText['from'], string>> = {
  scores: t('Text on which the blocks were scored'),
  setting: t('Text from the settings'),
  choice: t('Text of your choice'),
};
