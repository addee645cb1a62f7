/**
 * The one primary button: what comes next on the way to a model that ships, how long it takes, and a way around it. While
 * that runs, its progress stands there instead.
 */
import { type NextAction, type StartAction, type StepName } from '../../../src/protocol/journey';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { button, enable } from '../../support/ui';
import { nextJob, remainderOf } from '../state/next-job';
import { jobInstead } from './next-job';
import type { Context, Section } from './section';

/** What buttons say that start an action. */
export const ACTION_WORDS: Readonly<Record<StartAction, string>> = {
  score: t('Score Blocks…'),
  suggest: t('Suggest Blocks…'),
  prune: t('Prune…'),
  heal: t('Heal…'),
  retrain: t('Retrain…'),
  merge: t('Merge LoRA Adapter…'),
  export: t('Export…'),
  compare: t('Compare with the Original…'),
  judge: t('Judge on Another Text'),
  beforeAfter: t('Before and After'),
  code: t('Copy Code to Load It'),
  goal: t('Set Goal…'),
  tasks: t('Evaluate Tasks…'),
  iterate: t('Prune Iteratively…'),
  versus: t('Try Width Pruning…'),
  frontier: t('Compare Sizes…'),
  vocabulary: t('Trim Vocabulary…'),
  draft: t('Forecast a Draft…'),
};

const wordsOf = (next: NextAction): string =>
  next.action === 'open'
    ? t('Open {0}', next.name)
    : next.keepsTypes
      ? t('Export Shorter GGUF…')
      : ACTION_WORDS[next.action];

const startOf = ({ action, adapter }: Exclude<NextAction, { readonly action: 'open' }>) =>
  ({ type: 'start', action, ...(adapter !== undefined && { adapter }) }) as const;

export function nextSection(context: Context): Section {
  const { send } = context;
  let next: NextAction = { action: 'score' };
  let step: StepName | undefined;
  let forecast: string | undefined;
  const start = (): void => {
    if (next.action === 'open') send({ type: 'kin/open', path: next.path });
    else if (forecast !== undefined) send({ type: 'draft/write', run: forecast });
    else send(startOf(next));
  };
  const primary = button('', start, { appearance: 'primary' });
  const skip = button(t('Skip'), () => step && send({ type: 'journey/skip', step }), { appearance: 'link' });
  let other: StartAction | null = null;
  const instead = button('', () => other && send({ type: 'start', action: other }), { appearance: 'link' });
  const time = el('span', { class: 'time muted' });
  const running = jobInstead(context);
  const element = el(
    'div',
    { class: 'next' },
    primary,
    running.element,
    el('div', { class: 'next-detail' }, time, skip, instead),
  );
  return {
    element,
    update: (state) => {
      const { journey, times, trusted: isTrusted, missing } = state;
      const job = nextJob(state);
      running.show(job);
      primary.hidden = job !== undefined;
      const trusted = isTrusted && !missing; // nothing can be started without either
      ({ next } = journey);
      step = journey.steps.find(({ state }) => state === 'next')?.name;
      // A forecast that pays leads to its pair.
      forecast = journey.faster?.state === 'pays' ? journey.faster.run : undefined;
      const words = forecast === undefined ? wordsOf(next) : t('Write Pair…');
      if (primary.textContent !== words) primary.textContent = words;
      primary.title = words;
      // Without trust nothing can be started, and the banner has the primary button.
      primary.setAttribute('appearance', trusted && !job ? 'primary' : 'secondary');
      enable(primary, trusted || next.action === 'open');
      time.textContent = job ? remainderOf(job) : next.action === 'open' ? '' : (times[next.action] ?? '');
      time.title = time.textContent; // a narrow row cuts it off
      other = journey.instead;
      instead.hidden = other === null || job !== undefined;
      instead.textContent = other === null ? '' : ACTION_WORDS[other];
      instead.title = t('The goal is missed without it');
      enable(instead, trusted);
      skip.hidden = !journey.skippable || step === undefined || job !== undefined;
    },
  };
}
