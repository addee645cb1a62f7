/** What the held-out text costs under the trimmed vocabulary: bits per byte, by the original's own logits. */
import type { Checkpoint } from '../../engine/checkpoint/types';
import { SPELLING_WINDOW, type SpellingLoss, spellingLoss } from '../../engine/evaluate/spelling-loss';
import { withModel } from '../../engine/model/opened';
import type { OptionsFor } from '../kinds';
import { type JobContext, modelOptions } from '../run';
import type { Trimming } from './vocabulary-choice';

/** @returns undefined where nothing was held out */
export async function lossOf(
  checkpoint: Checkpoint,
  { pieces, held, trimmed, pair }: Trimming,
  options: OptionsFor<'vocabulary'>,
  context: JobContext,
): Promise<SpellingLoss | undefined> {
  const before: number[] = [];
  const after: number[] = [];
  let bytes = 0;
  for (const [i, piece] of pieces.entries()) {
    if (before.length >= options.limit * SPELLING_WINDOW) break;
    before.push(...held.before[i]);
    after.push(...held.after[i]);
    bytes += Buffer.byteLength(piece);
  }
  if (before.length < 2) return undefined;
  const { beginsWith } = pair.original;
  const prefix = beginsWith === undefined ? [] : [beginsWith];
  return withModel(checkpoint, modelOptions(options, context), (model) =>
    spellingLoss(model, { before, after, bytes }, trimmed.kept, prefix, context.job),
  );
}
