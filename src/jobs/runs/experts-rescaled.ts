/** Rescales the experts that stay, if that brings the model nearer to the original on rows that were not fitted. */
import type { ExpertFactors, KeptExperts } from '../../engine/checkpoint/kept-experts';
import { UserError } from '../../engine/errors';
import { likenessOfViews, wholeStates } from '../../engine/evaluate/likeness';
import { fitFactors } from '../../engine/importance/experts/fit-factors';
import { splitRows } from '../../engine/importance/experts/rescale';
import type { TokenRows } from '../../engine/model/forward';
import type { Model } from '../../engine/model/model';
import type { View } from '../../engine/model/view';
import { option } from '../../engine/option-token';
import { inPhases, type JobOptions } from '../../engine/progress';
import { fewerExpertsWeights } from './experts-compared';
import type { ExpertsResult } from '../results/experts';

export type Rescaled = NonNullable<ExpertsResult['rescale']>;

/** @throws UserError for a text that has no row to hold out */
export function requireRescaleRows({ length }: TokenRows): void {
  if (length > 1) return;
  throw new UserError(
    'The kept experts cannot be rescaled',
    'there is one calibration row, and another one has to decide whether the factors help',
    `Give at least two rows (${option('samples')}), or leave ${option('rescale')} out.`,
  );
}

/**
 * Fits factors on some rows, and compares the model with and without them with the original on the others.
 * @param model the original
 * @param view the blocks that stay
 * @param phases fitting, and the comparison
 * @throws UserError for numbers that are not finite; CancelledError
 */
export async function rescaleExperts(
  model: Model,
  rows: TokenRows,
  kept: KeptExperts,
  view: View,
  [fitting, judging]: readonly JobOptions[],
): Promise<Rescaled> {
  const { fit, heldOut } = splitRows(rows);
  const factors = await fitFactors(model, fit, kept, view, fitting);
  const [first, ...others] = inPhases(judging, [{ share: 1 }, { share: 1 }, { share: 1 }]);
  const original = await wholeStates(model, heldOut, first);
  try {
    const klOf = async (used: ExpertFactors | undefined, job: JobOptions): Promise<number> => {
      const fewer = await model.withWeights(fewerExpertsWeights(model.checkpoint, kept, used));
      try {
        return (await likenessOfViews(fewer, original, heldOut, [view], job))[0].kl;
      } finally {
        await fewer.close();
      }
    };
    const without = await klOf(undefined, others[0]);
    const withThem = await klOf(factors, others[1]);
    return {
      applied: withThem < without,
      heldOut: { rows: heldOut.length, without, with: withThem },
      factors: [...factors].map(([index, each]) => ({ index, factors: each })),
    };
  } finally {
    await original.close();
  }
}

/** The factors that kept experts get; undefined if they get none. */
export const factorsOf = (rescaled: Rescaled | undefined): ExpertFactors | undefined =>
  rescaled?.applied ? new Map(rescaled.factors.map(({ index, factors }) => [index, factors])) : undefined;
