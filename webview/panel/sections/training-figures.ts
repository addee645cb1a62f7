/** The figures of a retraining: what it has reached, how long it still takes, and how fast it is. */
import type { LiveTraining, PanelJob, RunDigest } from '../../../src/protocol/panel';
import { formatClock } from '../../../src/format/durations';
import { shortNumber } from '../../../src/format/numbers';
import { numeric } from '../../../src/format/json';
import { stepsText } from '../../support/amounts';
import { svg as svgEl } from '../../support/dom';
import { t } from '../../support/l10n';
import { figure } from '../card';
import { type Point, pointsOf, type TrainingSeries } from '../charts/training-points';
import { formatMeasured } from '../numbers';

/** What is known about the time of a training. */
export interface TrainingTime {
  /** The training that is shown if it is not finished. */
  readonly live?: LiveTraining;
  /** The job that runs it. */
  readonly job?: PanelJob;
  /** The record of a finished one. */
  readonly digest?: RunDigest;
}

const [SPARK_WIDTH, SPARK_HEIGHT] = [64, 12];

/** Always four boxes, so that nothing moves while numbers arrive. */
export function figuresOf(series: TrainingSeries, time: TrainingTime): HTMLElement[] {
  const points = pointsOf(series);
  const last = points.at(-1);
  return [
    heldOutFigure(series),
    figure(
      t('Loss, smoothed'),
      last ? shortNumber(last.smooth, 3) : '–',
      last ? t('from {0}', shortNumber(points[0].smooth, 3)) : '',
    ),
    timeFigure(series, time),
    speedFigure(points),
  ];
}

function heldOutFigure({ evaluations }: TrainingSeries): HTMLElement {
  const term = t('Held-out perplexity');
  if (evaluations.length === 0) return figure(term, '–', t('nothing held out'));
  const values = evaluations.map(({ ppl }) => numeric(ppl));
  const best = shortNumber(Math.min(...values));
  return figure(term, best, t('from {0}', shortNumber(values[0])));
}

function timeFigure({ steps }: TrainingSeries, { live, job, digest }: TrainingTime): HTMLElement {
  if (digest) {
    const seconds = (Date.parse(digest.finished) - Date.parse(digest.started)) / 1000;
    const known = Number.isFinite(seconds) && seconds > 0;
    return figure(t('Time'), known ? formatMeasured(seconds) : '–', stepsText(steps.length));
  }
  if (live?.status !== 'running') return figure(t('Time'), '–', stepsText(steps.length));
  const left = job?.progress?.secondsLeft;
  if (left === undefined) return figure(t('Time left'), '–', t('known after some steps'));
  const end = new Date(Date.now() + 1000 * left);
  const clock = end.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  return figure(t('Time left'), t('≈ {0}', formatClock(left)), t('ends about {0}', clock));
}

/** Tokens per second with a small line of all steps, and the learning rate. */
function speedFigure(points: readonly Point[]): HTMLElement {
  const last = points.at(-1);
  const detail = last ? t('learning rate {0}', shortNumber(last.learningRate, 2)) : '';
  const box = figure(t('Tokens per second'), last ? shortNumber(last.speed, 3) : '–', detail);
  box.querySelector('strong')!.append(sparkline(points.map(({ speed }) => speed)));
  return box;
}

function sparkline(values: readonly number[]): SVGElement {
  const most = Math.max(...values, 1);
  const y = (value: number): number => SPARK_HEIGHT - 1 - ((SPARK_HEIGHT - 2) * value) / most;
  const x = (i: number): number => (SPARK_WIDTH * i) / Math.max(1, values.length - 1);
  const path = values.map((value, i) => `${i === 0 ? 'M' : 'L'}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join('');
  return svgEl(
    'svg',
    {
      class: 'sparkline',
      width: SPARK_WIDTH,
      height: SPARK_HEIGHT,
      viewBox: `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`,
      'aria-hidden': 'true',
    },
    svgEl('path', { d: path, fill: 'none', stroke: 'var(--series-1)', 'stroke-width': 1.2 }),
  );
}
