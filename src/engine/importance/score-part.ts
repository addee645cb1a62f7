/** Measures a part of a scoring, and makes the scores from all parts. */
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { UserError } from '../errors';
import type { Model } from '../model/model';
import { set } from '../option-token';
import { fullView, stepsOf } from '../model/view';
import type { DeviceReport } from '../onnx/device';
import type { Part } from '../parts/part';
import { shareOf, type Share } from '../parts/split';
import type { Filled } from '../parts/table';
import type { JobOptions } from '../progress';
import { withChanges } from '../weights/overlay';
import { withWeights } from '../weights/checkpoint';
import type { Calibration } from './calibration';
import type { Criterion } from './criteria';
import type { CriterionParts, ScoreFrame } from './criterion';
import { placeOfBreak } from './not-finite';
import { loadCriterion, type Options, requireBlocks, type Scope, type Scored, withScoredModel } from './run-criterion';

/** What a part of a scoring found. */
export interface ScoredPart extends Pick<Scored, 'inputs' | 'settings' | 'seed' | 'warnings' | 'fit'> {
  readonly frame: ScoreFrame;
  readonly share: Share;
  readonly filled: readonly Filled[];
  /** Undefined when the criterion needs no text. */
  readonly calibration?: Calibration;
  readonly device?: DeviceReport;
}

/**
 * @param options with a precision other than "auto": a screen would have to see all numbers to know which ones matter
 * @throws UserError when the work has fewer parts, or the calibration cannot be used; CancelledError
 */
export async function scorePart(
  checkpoint: Checkpoint,
  criterion: Criterion,
  options: Options,
  part: Part,
  job: JobOptions,
  scope: Scope = {},
): Promise<ScoredPart> {
  requireBlocks(scope.view);
  const parts = await partsOf(criterion);
  const { granularity = 'block' } = scope;
  const architecture = requireArchitecture(checkpoint);
  const steps = stepsOf(scope.view ?? fullView(architecture.layers.length), granularity === 'module');
  const common = { steps, granularity, seed: options.seed };
  if (parts.measureStored) {
    const { norm, reduction } = options;
    const frame: ScoreFrame = { ...common, rows: 0, length: 0 };
    const share = shareOf(parts.work(architecture, frame), part);
    const filled = await withWeights(checkpoint, (weights) =>
      parts.measureStored!(withChanges(weights, scope.changes ?? []), frame, share, { norm, reduction }, job),
    );
    return { frame, share, filled, inputs: [], settings: { norm, reduction }, warnings: [] };
  }
  const { found, ...text } = await withScoredModel(
    checkpoint,
    criterion,
    options,
    job,
    { ...scope, isFirstPart: part.number === 1 },
    async (model, { rows, teacher }) => {
      const frame: ScoreFrame = {
        ...common,
        rows: rows.length,
        length: rows[0].length,
        precision: model.precision,
      };
      const share = shareOf(parts.work(model.architecture, frame), part);
      const filled = await parts.measureRows!(model, rows, frame, share, { view: scope.view, teacher }, job);
      const own = rows.slice(share.rows.from, share.rows.to);
      return {
        frame,
        share,
        filled,
        device: model.device,
        broken: await brokenWarning(model, own, filled, scope, job),
      };
    },
  );
  const { broken, ...measured } = found;
  return { ...measured, ...text, seed: options.seed, warnings: [...text.warnings, ...broken] };
}

/** Where numbers stop being finite, as far as this part can see. What that does to the scores, only the whole can say. */
async function brokenWarning(
  model: Model,
  rows: Calibration['rows'] | readonly ArrayLike<number>[],
  filled: readonly Filled[],
  { view = fullView(model.architecture.layers.length) }: Scope,
  job: JobOptions,
): Promise<string[]> {
  const numbers = filled.flatMap(({ values }) => Object.values(values).flat());
  if (numbers.every((value) => Number.isFinite(value))) return [];
  const place = await placeOfBreak(model, rows, view, job);
  return place === undefined ? [] : [`the model's hidden states are not finite ${place}`];
}

/** The parts of a criterion. @throws UserError for one whose numbers depend on each other */
export async function partsOf(criterion: Criterion): Promise<CriterionParts> {
  const { parts } = await loadCriterion(criterion);
  if (parts) return parts;
  throw new UserError(
    `${criterion} cannot be cut into parts`,
    'each of its steps depends on the one before',
    `${set('criterion', 'ppl')}, or score in one run.`,
  );
}
