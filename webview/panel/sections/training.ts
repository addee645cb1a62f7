/** The retraining that runs, live, or one that ran; a second one can be laid over it. */
import type { LiveTraining, PanelRun } from '../../../src/protocol/panel';
import { type Child } from '../../support/dom';
import { button, dropdown } from '../../support/ui';
import { ChartFrame } from '../charts/frame';
import { drawTraining } from '../charts/training';
import { moment, numeric, short } from '../numbers';
import { type Context, type Section, startButton, whenChanged } from './section';
import { backButton, nameOf, ownRuns } from '../state/shown-runs';
import type { TrainingSeries } from '../charts/training-points';

const LIVE = '(live)';
const NONE = '(none)';

export function trainingSection(context: Context): Section {
  const { send, setView } = context;
  const frame = new ChartFrame('training', 'Did retraining bring it back', context);
  const shown = dropdown('Run', (training) => setView({ training: training === LIVE ? '' : training }));
  const over = dropdown('Lay over', (overlay) => setView({ overlay: overlay === NONE ? '' : overlay }));
  const retrain = (primary: boolean): HTMLElement =>
    startButton(isTrusted, 'Retrain…', () => send({ type: 'start', action: 'retrain' }), {
      appearance: primary ? 'primary' : 'secondary',
    });
  let isTrusted = true;
  let wasRunning = false;

  /** Buttons for a training that was stopped or failed. */
  const remedyOf = (live: LiveTraining): HTMLElement[] => {
    if (!endedEarly(live)) return [];
    if (!live.resumable) return [retrain(true)];
    return [button('Resume', () => send({ type: 'training/resume' }), { appearance: 'primary' }), retrain(false)];
  };

  function noteOf(live: LiveTraining | null, chosen: PanelRun | undefined, newest: PanelRun | undefined): Child[] {
    if (!chosen) return live ? [outcomeOf(live), ...remedyOf(live)] : [];
    if (live?.status === 'running')
      return ['Another one runs. ', button('Show It', () => setView({ training: '' }), { appearance: 'secondary' })];
    return chosen === newest && (!live || isKept(live, [chosen]))
      ? []
      : [`Chosen: ${nameOf(chosen)}. `, backButton(() => setView({ training: '' }))];
  }

  const draw = whenChanged(
    (live: LiveTraining | null, runs: readonly PanelRun[], wanted: string, overlay: string, trusted: boolean) => {
      isTrusted = trusted;
      const isRunning = live?.status === 'running';
      if (isRunning && !wasRunning && wanted !== '') setView({ training: '' }); // what was chosen before must not hide it
      wasRunning = isRunning;
      const finished = runs.filter(({ digest }) => (digest.training?.steps.length ?? 0) > 0);
      const current = live && !isKept(live, finished) ? live : null;
      const chosen = finished.find(({ id }) => id === wanted) ?? (current ? undefined : finished[0]);
      if (!current && !chosen) {
        frame.setTools();
        frame.showEmpty(
          'Retraining brings back much of what a removed block costs. Its loss is drawn here while it runs.',
          ...(context.still ? [] : [retrain(true)]),
        );
        return;
      }
      const main = chosen ? seriesOf(chosen) : { ...current!, name: current!.title };
      const choices = finished.map(({ id, title, digest }) => ({
        value: id,
        label: `${title}, ${moment(digest.started)}`,
      }));
      shown.show([...(current ? [{ value: LIVE, label: labelOf(current) }] : []), ...choices], chosen?.id ?? LIVE);
      const others = choices.filter(({ value }) => value !== chosen?.id);
      const second = finished.find(({ id }) => id === overlay && id !== chosen?.id);
      over.show([{ value: NONE, label: 'nothing' }, ...others], second?.id ?? NONE);
      frame.setTools(...(choices.length + (current ? 1 : 0) > 1 ? [shown.element, over.element] : []));
      if (current && !chosen && current.steps.length === 0) {
        frame.showEmpty(`${beforeTheFirstStep(current)} ${outcomeOf(current)}`.trim(), ...remedyOf(current));
        return;
      }
      if (!context.still) frame.setNote(...noteOf(current, chosen, current ? undefined : finished[0]));
      frame.show(summaryOf(main, chosen ? null : current), (width) =>
        drawTraining(main, second && seriesOf(second), chosen ? 0 : current!.total, width, frame),
      );
    },
  );
  return {
    element: frame.element,
    update: ({ training, runs, trusted }, view) => draw(training, ownRuns(runs), view.training, view.overlay, trusted),
  };
}

const endedEarly = ({ status }: LiveTraining): boolean => status === 'cancelled' || status === 'failed';

/** How a training ended that was stopped or failed; '' for any other. */
function outcomeOf(live: LiveTraining): string {
  if (!endedEarly(live)) return '';
  const { status, failure, steps, total } = live;
  const last = steps.at(-1)?.step ?? 0;
  const where = total > 0 ? `${last} of ${total}` : String(last);
  if (status === 'cancelled') return `It was stopped at step ${where}.`;
  return `It failed at step ${where}${failure ? `: ${failure.what}: ${failure.why}. ${failure.action}` : '.'}`;
}

/** In place of a chart that has nothing to draw yet. */
function beforeTheFirstStep({ status, title, evaluations }: LiveTraining): string {
  const start = evaluations[0] ? ` The held-out perplexity was ${short(numeric(evaluations[0].ppl))} before.` : '';
  const wait = status === 'running' ? ' The first step takes a moment.' : '';
  return `${STATES[status]}: ${title}.${start}${wait}`;
}

/** It has left a record, which says all that was followed. */
const isKept = ({ status, title }: LiveTraining, finished: readonly PanelRun[]): boolean =>
  status === 'done' && finished.some(({ digest }) => digest.training?.output === title);

const seriesOf = ({ title, digest }: PanelRun): TrainingSeries => ({ name: title, ...digest.training! });

const STATES: Readonly<Record<LiveTraining['status'], string>> = {
  running: 'Running',
  done: 'Done',
  failed: 'Failed',
  cancelled: 'Stopped',
};

const labelOf = ({ status, title }: LiveTraining): string =>
  status === 'running' ? 'The one that runs' : `${STATES[status]}: ${title}`;

function summaryOf({ name, steps, evaluations }: TrainingSeries, live: LiveTraining | null): string {
  const last = steps.at(-1);
  const state = live ? `${STATES[live.status]}: ` : '';
  if (!last) return `${state}${name}.`;
  const of = live && live.total > 0 ? ` of ${live.total}` : '';
  const held =
    evaluations.length > 1
      ? ` The held-out perplexity went from ${short(numeric(evaluations[0].ppl))} to ${short(Math.min(...evaluations.map(({ ppl }) => numeric(ppl))))}.`
      : '';
  return `${live ? state : `${name}: `}step ${last.step}${of}, loss ${short(numeric(last.loss))} from ${short(numeric(steps[0].loss))}.${held}`;
}
