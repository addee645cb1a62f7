/** Continues a prompt token by token, and measures the speeds that a user experiences. */
import { Work, type JobOptions } from '../progress';
import type { Model } from '../model/model';
import { Continuation, type ContinuationOptions, type Generated } from './continuation';

export type { Generated } from './continuation';

export interface GenerateOptions extends ContinuationOptions {
  /** Called with each new token as soon as it is chosen. The next token waits for it. */
  readonly onToken?: (id: number) => void | Promise<void>;
}

/**
 * @param promptIds including the special tokens that the model expects at the start of a text
 * @throws UserError for an empty prompt or one that fills the model's context
 * @throws CancelledError
 */
export async function generate(
  model: Model,
  promptIds: readonly number[],
  options: GenerateOptions,
  job: JobOptions = {},
): Promise<Generated> {
  const continuation = await Continuation.open(model, promptIds, options);
  const work = new Work(job, continuation.room, 'tokens', 'generating');
  try {
    for (let id = await continuation.next(job.signal); id !== undefined; id = await continuation.next(job.signal)) {
      await options.onToken?.(id);
      work.advance(1);
    }
    return continuation.summary();
  } finally {
    await continuation.close();
  }
}
