/**
 * Several models continue one prompt at the same time: each writes a few tokens, then it is the next one's turn, so that
 * all of them move. Every model draws from the same seed.
 */
import { CancelledError } from '../errors';
import { Work, type JobOptions } from '../progress';
import type { Model } from '../transformer/model';
import type { View } from '../transformer/view';
import { Continuation, type ContinuationOptions, type Generated } from './continuation';

export interface SampleColumn {
  readonly model: Model;
  readonly view: View;
  /** The prompt by this model's tokenizer. */
  readonly promptIds: readonly number[];
}

/** Tokens of one turn: enough for the caches to pay, few enough for all columns to seem to write at once. */
const TURN = 4;

/**
 * @param onTokens called at the end of each turn with what the column wrote in it
 * @returns one text a column. Cancelling ends them where they are: `stopped` says so, nothing is thrown.
 * @throws UserError for a prompt that is empty or too long
 */
export async function writeSideBySide(
  columns: readonly SampleColumn[],
  options: Omit<ContinuationOptions, 'view'>,
  onTokens: (column: number, ids: readonly number[]) => void,
  job: JobOptions = {},
): Promise<Generated[]> {
  const texts: Continuation[] = [];
  try {
    for (const { model, view, promptIds } of columns) {
      texts.push(await Continuation.open(model, promptIds, { ...options, view }));
    }
    const work = new Work(
      { onProgress: job.onProgress },
      texts.reduce((sum, { room }) => sum + room, 0),
      'tokens',
      'writing',
    );
    let writing = [...texts.keys()];
    while (writing.length > 0 && job.signal?.aborted !== true) {
      const still = [];
      for (const column of writing) {
        const ids = await takeTurn(texts[column], job.signal);
        if (ids.length > 0) onTokens(column, ids);
        work.advance(ids.length);
        if (ids.length === TURN) still.push(column);
      }
      writing = still;
    }
    return texts.map((text) => text.summary());
  } finally {
    for (const text of texts) await text.close();
  }
}

async function takeTurn(text: Continuation, signal: AbortSignal | undefined): Promise<number[]> {
  const ids: number[] = [];
  try {
    while (ids.length < TURN && signal?.aborted !== true) {
      const id = await text.next(signal);
      if (id === undefined) break;
      ids.push(id);
    }
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error;
  }
  return ids;
}
