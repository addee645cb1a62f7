/** The running retraining, or an earlier one. A second one can be drawn for comparison. */
import type { LiveTraining, PanelRun } from '../../../src/protocol/panel';
import { shortNumber } from '../../../src/format/numbers';
import { numeric } from '../../../src/format/json';
import { type Child } from '../../support/dom';
import { t } from '../../support/l10n';
import { button, dropdown } from '../../support/ui';
import type { EmptyAction } from '../card';
import { drawTraining } from '../charts/training';
import type { TrainingSeries } from '../charts/training-points';
import { moment } from '../numbers';
import { computedText, mixtureNote, namedIn } from '../state/precisions';
import { titleWords } from '../state/run-words';
import { backButton, nameOf } from '../state/shown-runs';
import { type Found, runCard, startOf } from './run-card';
import { choose, type Context, startButton, whenChanged } from './section';
import { figuresOf, type TrainingTime } from './training-figures';

const NONE = '(none)';
/** The run that is compared with it. */
const OVERLAY = 'training.overlay';

export const trainingCard = runCard({
  chart: 'training',
  title: t('Retraining'),
  question: t('How much did retraining bring back?'),
  has: ({ training }) => (training && training.steps.length > 0 ? training : undefined),
  facts: ({ training }, { chosen }) => ({ training, overlay: chosen[OVERLAY] ?? '' }),
  empty: () => t('Retraining brings back much of what removed blocks cost.'),
  action: 'retrain',
  label: labelOf,
  live: ({ training }, found) => {
    const live = unkept(training, found);
    return live && { label: liveLabel(live), value: live };
  },
  draw: ({ frame, context }) => {
    const over = dropdown(t('Compare with'), (run) => choose(context, OVERLAY, run === NONE ? '' : run));
    let wasRunning = false;
    let shown: (TrainingTime & { readonly main: TrainingSeries }) | undefined;
    const drawFigures = whenChanged(({ main, ...time }: NonNullable<typeof shown>) =>
      frame.setFigures(...figuresOf(main, time)),
    );

    /** Sets the lists of runs. @returns the run to compare with, if the user chose one */
    function compare({ found, list }: Found, overlay: string, main?: PanelRun): PanelRun | undefined {
      const others = found.filter((run) => run !== main);
      const second = others.find(({ id }) => id === overlay);
      const choices = others.map((run) => ({ value: run.id, label: labelOf(run) }));
      over.show([{ value: NONE, label: t('None') }, ...choices], second?.id ?? NONE);
      frame.setTools(...list, ...(list.length > 0 ? [over.element] : []));
      return second;
    }

    /** @param run undefined for a live one */
    function show(main: TrainingSeries, run: PanelRun | undefined, live: LiveTraining | undefined, second?: PanelRun) {
      const drawn = [run, second].flatMap((each) => each?.digest ?? []);
      shown = { main, live, digest: run?.digest };
      frame.show(`${summaryOf(main, live)} ${computedText(...drawn)}`.trim(), (width) =>
        drawTraining(main, second && seriesOf(second), live?.total ?? 0, width, frame),
      );
      return [...sameKindNote(main), ...mixtureNote(drawn.map(({ precision }) => precision))];
    }

    return {
      run: (found, { training, overlay }) => {
        const { run } = found;
        const second = compare(found, overlay, run);
        const live = unkept(training, found.found);
        const remarks = context.still
          ? []
          : remarksOf(run, live, found.found[0], () => choose(context, 'training', ''));
        frame.setNote(...remarks, ...show(seriesOf(run), run, undefined, second));
      },
      live: (live, found, { overlay, enabled }) => {
        const second = compare(found, overlay);
        const remedies = remediesOf(live, enabled, context);
        if (live.steps.length === 0) {
          shown = undefined;
          frame.showEmpty(`${beforeTheFirstStep(live)} ${outcomeOf(live)}`.trim(), ...remedies);
          return;
        }
        const buttons = remedies.map((each) => startButton(each.enabled ?? true, each.label, each.start));
        frame.setNote(outcomeOf(live), ...buttons, ...show({ ...live, name: live.title }, undefined, live, second));
      },
      always: ({ training, jobs }) => {
        const isRunning = training?.status === 'running';
        // An earlier choice must not hide the running one.
        if (isRunning && !wasRunning && context.view().chosen.training) choose(context, 'training', '');
        wasRunning = isRunning;
        if (frame.isEmpty || !shown) return;
        const job = shown.live && jobs.find(({ kind, state }) => kind === 'retrain' && state === 'running');
        drawFigures({ ...shown, job });
      },
    };
  },
});

/** Ways on for a training that stopped or failed. */
function remediesOf(live: LiveTraining, enabled: boolean, context: Context): EmptyAction[] {
  if (!endedEarly(live)) return [];
  const resume = { label: t('Resume'), start: () => context.send({ type: 'training/resume' }) };
  return [...(live.resumable ? [resume] : []), { ...startOf('retrain', context), enabled }];
}

/** That a run is shown which is not what one expects, with a way back. */
function remarksOf(
  run: PanelRun,
  live: LiveTraining | undefined,
  newest: PanelRun | undefined,
  back: () => void,
): Child[] {
  if (live?.status === 'running')
    return [t('Another retraining is running.'), button(t('Show It'), back, { appearance: 'secondary' })];
  return !live && run === newest ? [] : [t('Selected: {0}.', nameOf(run)), backButton(back)];
}

/** Why a model that is better here than the whole one need not be better: nothing where it is not. */
function sameKindNote({ evaluations, unpruned }: TrainingSeries): string[] {
  const best = Math.min(...evaluations.map(({ ppl }) => numeric(ppl)));
  if (unpruned === undefined || !(best < numeric(unpruned))) return [];
  return [
    t(
      'Lower than the original’s, as training text and held-out text are of one kind. It does not mean that the model is better on other text.',
    ),
  ];
}

const endedEarly = ({ status }: LiveTraining): boolean => status === 'cancelled' || status === 'failed';

/** How a training stopped or failed; '' for any other. */
function outcomeOf(live: LiveTraining): string {
  if (!endedEarly(live)) return '';
  const { status, failure, steps, total } = live;
  const last = steps.at(-1)?.step ?? 0;
  const where = total > 0 ? t('{0} of {1}', last, total) : String(last);
  if (status === 'cancelled') return t('The training stopped at step {0}.', where);
  const outcome = t('The training failed at step {0}.', where);
  return failure ? `${outcome} ${failure.what}: ${failure.why}. ${failure.action}` : outcome;
}

/** The text in place of a chart that has nothing to draw yet. */
function beforeTheFirstStep({ status, title, evaluations }: LiveTraining): string {
  const start = evaluations[0]
    ? [t('The held-out perplexity was {0} at the start.', shortNumber(numeric(evaluations[0].ppl)))]
    : [];
  const wait = status === 'running' ? [t('The first step takes a moment.')] : [];
  return [`${STATES[status]}: ${title}.`, ...start, ...wait].join(' ');
}

/** The training that runs or ran last, unless it has left a record, which has all its steps. */
const unkept = (live: LiveTraining | null, finished: readonly PanelRun[]): LiveTraining | undefined =>
  live?.status === 'done' && finished.some(({ digest }) => digest.training?.output === live.title)
    ? undefined
    : (live ?? undefined);

/** The run in lists. */
function labelOf({ title, digest }: PanelRun): string {
  return `${titleWords(title)}, ${moment(digest.started)}`;
}

const seriesOf = ({ title, digest }: PanelRun): TrainingSeries => ({
  name: namedIn(title, digest.precision),
  ...digest.training!,
});

const STATES: Readonly<Record<LiveTraining['status'], string>> = {
  running: t('Running'),
  done: t('Done'),
  failed: t('Failed'),
  cancelled: t('Stopped'),
};

const liveLabel = ({ status, title }: LiveTraining): string =>
  status === 'running' ? t('Running now') : `${STATES[status]}: ${title}`;

function summaryOf({ name, steps, evaluations }: TrainingSeries, live: LiveTraining | undefined): string {
  const last = steps.at(-1);
  if (!last) return live ? `${STATES[live.status]}: ${name}.` : `${name}.`;
  const step = live && live.total > 0 ? t('{0} of {1}', last.step, live.total) : String(last.step);
  const [loss, first] = [shortNumber(numeric(last.loss)), shortNumber(numeric(steps[0].loss))];
  const result = t('{0}: step {1}, loss {2} from {3}.', live ? STATES[live.status] : name, step, loss, first);
  if (evaluations.length < 2) return result;
  const best = Math.min(...evaluations.map(({ ppl }) => numeric(ppl)));
  return `${result} ${t('Held-out perplexity: {0} from {1}.', shortNumber(best), shortNumber(numeric(evaluations[0].ppl)))}`;
}
