/** The running retraining, or an earlier one. A second one can be drawn for comparison. */
import type { LiveTraining, PanelJob, PanelRun, PanelState } from '../../../src/protocol/panel';
import { type Child } from '../../support/dom';
import { t } from '../../support/l10n';
import { button, dropdown } from '../../support/ui';
import type { EmptyAction } from '../card';
import { ChartFrame } from '../charts/frame';
import { drawTraining } from '../charts/training';
import { shortNumber } from '../../../src/format/numbers';
import { moment, numeric } from '../numbers';
import { type Context, type Section, startButton, whenChanged } from './section';
import { figuresOf } from './training-figures';
import { computedText, mixtureNote, namedIn } from '../state/precisions';
import { titleWords } from '../state/run-words';
import { backButton, nameOf, ownRuns } from '../state/shown-runs';
import type { TrainingSeries } from '../charts/training-points';

const LIVE = '(live)';
const NONE = '(none)';

export function trainingSection(context: Context): Section {
  const { send, setView } = context;
  const frame = new ChartFrame('training', t('Retraining'), t('How much did retraining bring back?'), context);
  const shown = dropdown(t({ message: 'Run', comment: 'Noun: a recorded job' }), (training) =>
    setView({ training: training === LIVE ? '' : training }),
  );
  const over = dropdown(t('Compare with'), (overlay) => setView({ overlay: overlay === NONE ? '' : overlay }));
  const retrain = (): EmptyAction => ({
    label: t('Retrain…'),
    start: () => send({ type: 'start', action: 'retrain' }),
    enabled: isTrusted,
  });
  let isTrusted = true;
  let wasRunning = false;

  /** Buttons for a training that stopped or failed. */
  const remedyOf = (live: LiveTraining): EmptyAction[] => {
    if (!endedEarly(live)) return [];
    const resume = { label: t('Resume'), start: () => send({ type: 'training/resume' }) };
    return live.resumable ? [resume, retrain()] : [retrain()];
  };

  function noteOf(live: LiveTraining | null, chosen: PanelRun | undefined, newest: PanelRun | undefined): Child[] {
    if (!chosen) {
      const remedies = live ? remedyOf(live) : [];
      return live
        ? [outcomeOf(live), ...remedies.map(({ label, start, enabled = true }) => startButton(enabled, label, start))]
        : [];
    }
    if (live?.status === 'running')
      return [
        t('Another retraining is running.'),
        button(t('Show It'), () => setView({ training: '' }), { appearance: 'secondary' }),
      ];
    return chosen === newest && (!live || isKept(live, [chosen]))
      ? []
      : [t('Selected: {0}.', nameOf(chosen)), backButton(() => setView({ training: '' }))];
  }

  let jobs: readonly PanelJob[] = [];
  const drawFigures = whenChanged(
    (main: TrainingSeries, live: LiveTraining | undefined, digest: PanelRun['digest'] | undefined, job?: PanelJob) =>
      frame.setFigures(...figuresOf(main, { live, job, digest })),
  );
  /** What the figures are of. */
  let shownNow: { readonly main: TrainingSeries; readonly live?: LiveTraining; readonly chosen?: PanelRun } | undefined;
  const showFigures = (): void => {
    if (!shownNow) return;
    const { main, live, chosen } = shownNow;
    const job = live && jobs.find(({ kind, state }) => kind === 'retrain' && state === 'running');
    drawFigures(main, live, chosen?.digest, job);
  };

  const draw = whenChanged(
    (
      live: LiveTraining | null,
      runs: readonly PanelRun[],
      wanted: string,
      overlay: string,
      trusted: boolean,
      time?: string,
    ) => {
      isTrusted = trusted;
      const isRunning = live?.status === 'running';
      if (isRunning && !wasRunning && wanted !== '') setView({ training: '' }); // an earlier choice must not hide the running one
      wasRunning = isRunning;
      const finished = runs.filter(({ digest }) => (digest.training?.steps.length ?? 0) > 0);
      const current = live && !isKept(live, finished) ? live : null;
      const chosen = finished.find(({ id }) => id === wanted) ?? (current ? undefined : finished[0]);
      shownNow = undefined;
      if (!current && !chosen) {
        frame.setTools();
        frame.showEmpty(t('Retraining brings back much of what removed blocks cost.'), { ...retrain(), time });
        return;
      }
      const main = chosen ? seriesOf(chosen) : { ...current!, name: current!.title };
      const choices = finished.map(({ id, title, digest }) => ({
        value: id,
        label: `${titleWords(title)}, ${moment(digest.started)}`,
      }));
      shown.show([...(current ? [{ value: LIVE, label: labelOf(current) }] : []), ...choices], chosen?.id ?? LIVE);
      const others = choices.filter(({ value }) => value !== chosen?.id);
      const second = finished.find(({ id }) => id === overlay && id !== chosen?.id);
      over.show([{ value: NONE, label: t('None') }, ...others], second?.id ?? NONE);
      frame.setTools(...(choices.length + (current ? 1 : 0) > 1 ? [shown.element, over.element] : []));
      if (current && !chosen && current.steps.length === 0) {
        frame.showEmpty(`${beforeTheFirstStep(current)} ${outcomeOf(current)}`.trim(), ...remedyOf(current));
        return;
      }
      shownNow = { main, ...(chosen ? { chosen } : { live: current! }) };
      const drawn = [chosen, second].filter((run) => run !== undefined).map(({ digest }) => digest);
      const mixture = mixtureNote(drawn.map(({ precision }) => precision));
      const remarks = context.still ? [] : noteOf(current, chosen, current ? undefined : finished[0]);
      frame.setNote(...remarks, ...sameKindNote(main), ...mixture);
      frame.show(`${summaryOf(main, chosen ? null : current)} ${computedText(...drawn)}`.trim(), (width) =>
        drawTraining(main, second && seriesOf(second), chosen ? 0 : current!.total, width, frame),
      );
    },
  );
  return {
    element: frame.element,
    update: ({ training, runs, trusted, times, jobs: running }: PanelState, view) => {
      jobs = running;
      draw(training, ownRuns(runs), view.training, view.overlay, trusted, times.retrain);
      showFigures();
    },
  };
}

/** Why a model that is better here than the whole one need not be better: nothing where it is not. */
function sameKindNote({ evaluations, unpruned }: TrainingSeries): string[] {
  const best = Math.min(...evaluations.map(({ ppl }) => numeric(ppl)));
  if (unpruned === undefined || !(best < numeric(unpruned))) return [];
  return [
    t(
      'Lower than the whole model’s, as training text and held-out text are of one kind. It does not mean that the model is better on other text.',
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

/** Whether the training has left a record, which has all its steps. */
const isKept = ({ status, title }: LiveTraining, finished: readonly PanelRun[]): boolean =>
  status === 'done' && finished.some(({ digest }) => digest.training?.output === title);

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

const labelOf = ({ status, title }: LiveTraining): string =>
  status === 'running' ? t('Running now') : `${STATES[status]}: ${title}`;

function summaryOf({ name, steps, evaluations }: TrainingSeries, live: LiveTraining | null): string {
  const last = steps.at(-1);
  if (!last) return live ? `${STATES[live.status]}: ${name}.` : `${name}.`;
  const step = live && live.total > 0 ? t('{0} of {1}', last.step, live.total) : String(last.step);
  const [loss, first] = [shortNumber(numeric(last.loss)), shortNumber(numeric(steps[0].loss))];
  const result = t('{0}: step {1}, loss {2} from {3}.', live ? STATES[live.status] : name, step, loss, first);
  if (evaluations.length < 2) return result;
  const best = Math.min(...evaluations.map(({ ppl }) => numeric(ppl)));
  return `${result} ${t('Held-out perplexity: {0} from {1}.', shortNumber(best), shortNumber(numeric(evaluations[0].ppl)))}`;
}
