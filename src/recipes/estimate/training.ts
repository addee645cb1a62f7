/** The work of training. */
import { type Architecture, withoutLayers } from '../../engine/checkpoint/architecture';
import { evaluationFlops, type RowShape, writingFlops } from '../../engine/importance/estimate';
import { DEFAULTS } from '../../engine/retrain/defaults';
import { PASSES_PER_STEP } from '../../engine/retrain/loop/schedule';
import { numberIn } from '../../jobs/amounts';
import { SELF } from '../../jobs/healing-amounts';
import { evaluatedRows, trainedRows as trainedOf, usualBatch, usualEvaluations } from '../../engine/retrain/amounts';
import { type DataAmount, dataAmount, ownTextAmount } from '../../jobs/training-data';
import { type Estimated, files, type PartsOf, products } from './parts';
import type { Part } from './speeds';

/** Tokens on which the trained model is compared with the unpruned one, before and after (`engine/retrain/likeness.ts`). */
const COMPARED_TOKENS = 2048;

/** A training, as far as it takes time. */
export interface TrainingWork {
  /** Of the whole model. */
  readonly whole: Architecture;
  readonly removed: readonly number[];
  /** Rows that are trained on, each as often as it is read. */
  readonly rows: RowShape;
  /** Rows of each evaluation. */
  readonly evaluated: number;
  readonly teacher?: Architecture;
  /** Text that the whole model writes first. */
  readonly writes?: RowShape;
  /** Of a checkpoint that is written at the end. */
  readonly bytes?: number;
}

/** Text that is written, training with its evaluations, the unpruned model beside it, the teacher's pass, and a checkpoint. */
export function trainingParts({ whole, removed, rows, evaluated, teacher, writes, bytes }: TrainingWork): Part[] {
  const trained = withoutLayers(whole, removed);
  const evaluations = 1 + usualEvaluations(rows.rows, evaluated); // one before the first step
  const compared = removed.length === 0 ? 0 : 2 * Math.min(evaluated, COMPARED_TOKENS / Math.max(1, rows.length));
  const passes = { ...rows, rows: PASSES_PER_STEP * rows.rows + evaluations * evaluated + compared };
  const unpruned = { ...rows, rows: removed.length === 0 ? 0 : evaluated + compared };
  return [
    ...(writes ? [products(whole, 'write', writingFlops(whole, writes), writes.length)] : []),
    products(trained, 'train', evaluationFlops(trained, passes), rows.length),
    ...(unpruned.rows > 0 ? [products(whole, 'evaluate', evaluationFlops(whole, unpruned), rows.length)] : []),
    ...(teacher ? [products(teacher, 'evaluate', evaluationFlops(teacher, rows), rows.length)] : []),
    ...(bytes === undefined ? [] : [files(2 * bytes)]),
  ];
}

const lengthOf = ({ options, model }: Estimated): number =>
  Math.min(
    numberIn(options, 'trainLength') ?? numberIn(options, 'length') ?? DEFAULTS.length,
    model.architecture.context,
  );

/** Rows of each evaluation; those of much data where it is not there. */
function evaluatedOf(step: Estimated): number {
  const data = amountOf(step.options, lengthOf(step));
  return evaluatedRows(data?.examples ?? Infinity, numberIn(step.options, 'heldOut'));
}

/** Rows that are trained on, each as often as it is read. Undefined if the data are not there. */
export function trainedRows(step: Estimated): RowShape | undefined {
  const { options } = step;
  const length = lengthOf(step);
  const data = amountOf(options, length);
  const steps = numberIn(options, 'steps');
  if (data === undefined && steps === undefined) return undefined;
  const trained = data && trainedOf(data.examples, numberIn(options, 'heldOut'));
  const asked =
    (numberIn(options, 'batch') ?? (trained ? usualBatch(trained) : DEFAULTS.batch)) *
    (numberIn(options, 'accumulate') ?? 1);
  const batch = Math.min(asked, trained ?? asked);
  const rows = steps === undefined ? trained! * (numberIn(options, 'epochs') ?? DEFAULTS.epochs) : steps * batch;
  return { rows, length: data?.length ?? length };
}

function amountOf({ data, selfTokens, calibration }: Estimated['options'], length: number): DataAmount | undefined {
  if (Array.isArray(data) && data.includes(SELF)) {
    return ownTextAmount(length, typeof selfTokens === 'number' ? selfTokens : undefined);
  }
  const named: readonly unknown[] = Array.isArray(data) ? data : [data ?? calibration];
  const paths = named.filter((each) => typeof each === 'string');
  return paths.length < named.length ? undefined : dataAmount(paths, length);
}

export const retrain: PartsOf = async (step) => {
  const { options, model, removed } = step;
  const rows = trainedRows(step);
  if (rows === undefined) return undefined;
  const teacher = await step.models.at(options.teacher);
  if (options.teacher !== undefined && teacher === undefined) return undefined;
  const length = lengthOf(step);
  const writes = Array.isArray(options.data) && options.data.includes(SELF) ? amountOf(options, length) : undefined;
  return trainingParts({
    whole: model.architecture,
    removed,
    rows,
    evaluated: evaluatedOf(step),
    ...(teacher && { teacher: teacher.architecture }),
    ...(writes && { writes: { rows: writes.examples, length } }),
    ...((options.merge === true || options.full === true) && { bytes: model.bytes }),
  });
};
