/** The way to a model that ships, step by step. A click on a step starts it, also out of turn. */
import { type JourneyStep, type StartAction, type StepName, STEPS } from '../../../src/protocol/journey';
import type { PanelState } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { icon } from '../../support/icons';
import { t } from '../../support/l10n';
import { nextJob } from '../state/next-job';
import { ACTION_WORDS } from './next-action';
import { type Context, type Section, whenChanged } from './section';

const WORDS: Readonly<Record<StepName, string>> = {
  score: t({ message: 'Score', comment: 'Verb: a step on the way to a smaller model' }),
  plan: t({ message: 'Plan', comment: 'Verb: a step on the way to a smaller model' }),
  prune: t({ message: 'Prune', comment: 'Verb: a step on the way to a smaller model' }),
  retrain: t({ message: 'Retrain', comment: 'Verb: a step on the way to a smaller model' }),
  export: t({ message: 'Export', comment: 'Verb: a step on the way to a smaller model' }),
  compare: t({ message: 'Compare', comment: 'Verb: a step on the way to a smaller model' }),
};

const STATES: Readonly<Record<JourneyStep['state'], string>> = {
  done: t('done'),
  next: t('next'),
  later: t('later'),
  unneeded: t('not needed'),
  skipped: t('skipped'),
};

const ACTIONS: Readonly<Record<StepName, StartAction>> = {
  score: 'score',
  plan: 'suggest',
  prune: 'prune',
  retrain: 'retrain',
  export: 'export',
  compare: 'compare',
};

export function stepperSection({ send }: Context): Section {
  const parts = STEPS.map((name, i) => {
    const sign = el('span', { class: 'step-sign', 'aria-hidden': 'true' }, String(i + 1));
    const state = el('span', { class: 'visually-hidden' });
    const start = (): void => send({ type: 'start', action: ACTIONS[name] });
    const step = el('button', { type: 'button', class: 'step' }, sign, el('span', {}, WORDS[name]), state);
    step.addEventListener('click', start);
    return { name, number: String(i + 1), sign, state, step, item: el('li', {}, step) };
  });
  const element = el('ol', { class: 'stepper', 'aria-label': t('Steps') }, ...parts.map(({ item }) => item));
  const draw = whenChanged(({ steps, times, trusted, planned, running }: Drawn) => {
    for (const { name, number, sign, state, step } of parts) {
      const now = steps.find((each) => each.name === name)?.state ?? 'later';
      step.dataset.state = now;
      if (now === 'next') step.setAttribute('aria-current', 'step');
      else step.removeAttribute('aria-current');
      step.disabled = !trusted || (name === 'prune' && !planned) || name === running;
      sign.replaceChildren(
        now === 'done' ? icon('check') : now === 'unneeded' || now === 'skipped' ? icon('dash') : number,
      );
      state.textContent = `, ${STATES[now]}`;
      const time = times[ACTIONS[name]];
      step.title = [ACTION_WORDS[ACTIONS[name]], ...(time === undefined ? [] : [time]), STATES[now]].join(' · ');
    }
  });
  return {
    element,
    update: (state) => {
      const { journey, times, trusted, missing, plan } = state;
      const job = nextJob(state);
      const running = STEPS.find((name) => name === job?.kind);
      draw({
        ...{ steps: journey.steps, times, running },
        trusted: trusted && !missing,
        planned: plan.removed.length > 0,
      });
    },
  };
}

/** What the steps depend on. */
type Drawn = Pick<PanelState, 'times' | 'trusted'> & {
  readonly steps: readonly JourneyStep[];
  /** The plan removes blocks. */
  readonly planned: boolean;
  readonly running: StepName | undefined;
};
