/** The work of training. */
import { withoutLayers } from '../../engine/checkpoint/architecture';
import { evaluationFlops, type RowShape, writingFlops } from '../../engine/importance/estimate';
import { DEFAULTS } from '../../engine/retrain/defaults';
import { PASSES_PER_STEP } from '../../engine/retrain/loop/schedule';
import { SELF } from '../../jobs/healing-amounts';
import { numberIn, tokensOf } from '../../jobs/amounts';
import { type Estimated, files, type PartsOf, products } from './parts';

/** Fewer rows in a batch for little data: the same rule as of a training (engine/retrain/settings.ts). */
const MIN_BATCH = 4;
const STEPS_PER_EPOCH = 50;
/** Evaluations of a run, rows that each reads at most, and their most as a share of the training's passes. */
const EVALUATIONS = 10;
const EVALUATED = 64;
const EVALUATIONS_SHARE = 0.15;

/** Rows that are trained on, each as often as it is read. Undefined if the data are not there. */
export async function trainedRows({ options, model }: Estimated): Promise<RowShape | undefined> {
  const { context } = model.architecture;
  const length = Math.min(numberIn(options, 'trainLength') ?? numberIn(options, 'length') ?? DEFAULTS.length, context);
  const tokens = await dataTokens(options);
  const steps = numberIn(options, 'steps');
  if (tokens === undefined && steps === undefined) return undefined;
  const there = tokens === undefined ? undefined : Math.max(1, tokens / length);
  const fewer = there === undefined ? DEFAULTS.batch : Math.max(MIN_BATCH, Math.floor(there / STEPS_PER_EPOCH));
  const asked =
    (numberIn(options, 'batch') ?? Math.min(DEFAULTS.batch, fewer)) * (numberIn(options, 'accumulate') ?? 1);
  const batch = Math.min(asked, there ?? asked);
  const rows = steps === undefined ? there! * (numberIn(options, 'epochs') ?? DEFAULTS.epochs) : steps * batch;
  return { rows, length };
}

async function dataTokens({ data, selfTokens, calibration }: Estimated['options']): Promise<number | undefined> {
  if (Array.isArray(data) && data.includes(SELF)) {
    return typeof selfTokens === 'number' ? selfTokens : DEFAULTS.selfTokens;
  }
  return tokensOf(data ?? calibration);
}

export const retrain: PartsOf = async (step) => {
  const { options, model, removed } = step;
  const rows = await trainedRows(step);
  if (rows === undefined) return undefined;
  const trained = withoutLayers(model.architecture, removed);
  const plain = PASSES_PER_STEP * rows.rows;
  const passes = { ...rows, rows: plain + Math.min(EVALUATIONS * EVALUATED, EVALUATIONS_SHARE * plain) };
  const teacher = await step.models.at(options.teacher);
  if (options.teacher !== undefined && teacher === undefined) return undefined;
  const writes = Array.isArray(options.data) && options.data.includes(SELF);
  const self = { rows: ((await dataTokens(options)) ?? 0) / rows.length, length: rows.length };
  return [
    ...(writes ? [products(model.architecture, 'write', writingFlops(model.architecture, self), rows.length)] : []),
    products(trained, 'train', evaluationFlops(trained, passes), rows.length),
    ...(teacher
      ? [products(teacher.architecture, 'evaluate', evaluationFlops(teacher.architecture, rows), rows.length)]
      : []),
    ...(options.merge === true || options.full === true ? [files(2 * model.bytes)] : []),
  ];
};
