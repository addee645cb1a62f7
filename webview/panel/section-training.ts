/** The retraining that runs, live, or one that ran; a second one can be laid over it. */
import type { LiveTraining, PanelRun } from '../../src/protocol/panel';
import { button, dropdown } from '../support/ui';
import { ChartFrame } from './chart-frame';
import { drawTraining, type TrainingSeries } from './chart-training';
import { moment, numeric, short } from './numbers';
import { type Context, type Section, whenChanged } from './section';

export function trainingSection(context: Context): Section {
  const frame = new ChartFrame('training', 'Did retraining bring it back', context);
  const shown = dropdown('Run', (training) => context.setView({ training: training === LIVE ? '' : training }));
  const over = dropdown('Lay over', (overlay) => context.setView({ overlay: overlay === NONE ? '' : overlay }));
  const draw = whenChanged((live: LiveTraining | null, runs: readonly PanelRun[], wanted: string, overlay: string) => {
    const finished = runs.filter(({ digest }) => (digest.training?.steps.length ?? 0) > 0);
    const running =
      live && (live.status === 'running' || finished.length === 0 || live.status !== 'done') ? live : null;
    const chosen = finished.find(({ id }) => id === wanted) ?? (running ? undefined : finished[0]);
    if (!running && !chosen) {
      frame.setTools();
      frame.showEmpty(
        'Retraining brings back much of what a removed block costs. Its loss is drawn here while it runs.',
        button('Retrain…', () => context.send({ type: 'start', action: 'retrain' }), { appearance: 'primary' }),
      );
      return;
    }
    const main = chosen ? seriesOf(chosen) : { name: running!.title, ...running! };
    const choices = finished.map(({ id, title, digest }) => ({
      value: id,
      label: `${title}, ${moment(digest.started)}`,
    }));
    shown.show([...(running ? [{ value: LIVE, label: 'The one that runs' }] : []), ...choices], chosen?.id ?? LIVE);
    const others = choices.filter(({ value }) => value !== chosen?.id);
    over.show(
      [{ value: NONE, label: 'nothing' }, ...others],
      others.some(({ value }) => value === overlay) ? overlay : NONE,
    );
    frame.setTools(...(choices.length + (running ? 1 : 0) > 1 ? [shown.element, over.element] : []));
    const second = finished.find(({ id }) => id === overlay && id !== chosen?.id);
    frame.show(summaryOf(main, chosen ? null : running), (width) =>
      drawTraining(main, second && seriesOf(second), chosen ? 0 : running!.total, width, frame),
    );
  });
  return {
    element: frame.element,
    update: ({ training, runs }, view) => draw(training, runs, view.training, view.overlay),
  };
}

const LIVE = '(live)';
const NONE = '(none)';

const seriesOf = ({ title, digest }: PanelRun): TrainingSeries => ({ name: title, ...digest.training! });

const STATES: Readonly<Record<LiveTraining['status'], string>> = {
  running: 'Running',
  done: 'Done',
  failed: 'Failed',
  cancelled: 'Stopped',
};

function summaryOf({ name, steps, looks }: TrainingSeries, live: LiveTraining | null): string {
  const last = steps.at(-1);
  if (!last) return `${live ? `${STATES[live.status]}: ` : ''}${name}. The first step takes a moment.`;
  const of = live && live.total > 0 ? ` of ${live.total}` : '';
  const held =
    looks.length > 1
      ? ` The held-out perplexity went from ${short(numeric(looks[0].ppl))} to ${short(Math.min(...looks.map(({ ppl }) => numeric(ppl))))}.`
      : '';
  return `${live ? `${STATES[live.status]}: step` : `${name}: step`} ${last.step}${of}, loss ${short(numeric(last.loss))} from ${short(numeric(steps[0].loss))}.${held}`;
}
