/** Which unpruned model is measured beside a retraining, on the held-out part. */
import type { Checkpoint } from '../../engine/checkpoint/types';
import { asStored } from '../../engine/checkpoint/width';
import { UserError } from '../../engine/errors';
import { type Model, type ModelOptions, openModel } from '../../engine/model/model';
import type { OpenedModel } from '../../engine/model/opened';
import type { JobOptions } from '../../engine/progress';
import { originalOf } from '../../engine/records/original';
import type { UnprunedModel } from '../../engine/retrain/retrain';
import { requireSameTokens } from '../../engine/retrain/teacher/tokens';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer';

interface Trained extends Pick<OpenedModel, 'checkpoint' | 'removed' | 'healed'> {
  readonly tokenizer: Tokenizer | undefined;
  /** The model that is trained. */
  readonly model: Model;
  /** The checkpoint's own weights if they are open; else the model that is trained. */
  readonly plain: Model;
}

/** Whether the model has other weights than the checkpoint's. */
export const hasOtherWeights = ({ checkpoint, healed }: Pick<OpenedModel, 'checkpoint' | 'healed'>): boolean =>
  healed !== undefined || checkpoint.narrowing !== undefined;

/**
 * The original of a written model if it lies near, else the checkpoint without removals, healing and width.
 * @returns opens it; undefined if nothing was removed as far as is known, or if the original has other tokens
 */
export async function unprunedOf(
  { checkpoint, removed, healed, tokenizer, model, plain }: Trained,
  compute: ModelOptions,
  job: JobOptions,
): Promise<(() => Promise<UnprunedModel>) | undefined> {
  const original = (await originalOf(checkpoint))?.checkpoint;
  if (original?.architecture)
    return (await haveSameTokens(original, checkpoint, tokenizer, job)) ? () => opened(original, compute) : undefined;
  const isChanged = hasOtherWeights({ checkpoint, healed });
  if (removed.length === 0 && !isChanged) return undefined;
  if (isChanged && plain === model) return () => opened(asStored(checkpoint), compute);
  return () => Promise.resolve({ model: plain, close: () => Promise.resolve() });
}

async function opened(checkpoint: Checkpoint, compute: ModelOptions): Promise<UnprunedModel> {
  const model = await openModel(checkpoint, compute);
  return { model, close: () => model.close() };
}

/** Whether both read the same ids. The original is only measured beside, so another tokenizer is no error. */
async function haveSameTokens(
  original: Checkpoint,
  checkpoint: Checkpoint,
  tokenizer: Tokenizer | undefined,
  job: JobOptions,
): Promise<boolean> {
  if (original.architecture?.vocabulary !== checkpoint.architecture?.vocabulary) return false;
  try {
    await requireSameTokens(original, tokenizer, job);
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
