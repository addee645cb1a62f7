/**
 * Several models continue one prompt at the same time: each writes a few tokens, then it is the next one's turn, so that
 * all of them move. Every model draws from the same seed.
 */
import { CancelledError, DeviceError, UserError } from '../errors';
import { Work, type JobOptions } from '../progress';
import type { Model } from '../model/model';
import type { View } from '../model/view';
import { Continuation, type ContinuationOptions, type Generated } from './continuation';

export interface SampleColumn {
  readonly model: Model;
  readonly view: View;
  /** The prompt by this model's tokenizer. */
  readonly promptIds: readonly number[];
}

/** What a column wrote. The failure of one is not the others': they go on. */
export interface ColumnText extends Omit<Generated, 'stopped'> {
  readonly stopped: Generated['stopped'] | 'failed';
  /** Why it could not go on. */
  readonly failure?: UserError;
}

/** A column's own times so far. */
export type Measured = Pick<Generated, 'timeToFirstToken' | 'decodeTokensPerSecond'>;

/** Tokens of one turn: enough for the caches to pay, few enough for all columns to seem to write at once. */
const TURN = 4;

/**
 * @param onTokens called at the end of each turn with what the column wrote in it; the next turn waits for it, and its `UserError` is the column's
 * @returns one text a column. Cancelling ends them where they are: `stopped` says so, nothing is thrown.
 * @throws UserError when no column can write: for a prompt that is empty or too long, logits that are no numbers
 */
export async function writeSideBySide(
  columns: readonly SampleColumn[],
  options: Omit<ContinuationOptions, 'view'>,
  onTokens: (column: number, ids: readonly number[], measured: Measured) => void | Promise<void>,
  job: JobOptions = {},
): Promise<ColumnText[]> {
  const texts: (Continuation | undefined)[] = [];
  const failures = new Map<number, UserError>();
  try {
    for (const [column, { model, view, promptIds }] of columns.entries()) {
      const open = Continuation.open(model, promptIds, { ...options, view });
      texts.push(await open.catch((error: unknown) => noted(error, column, failures)));
    }
    const room = texts.reduce((sum, text) => sum + (text?.room ?? 0), 0);
    const work = new Work({ onProgress: job.onProgress }, room, 'tokens', 'writing');
    let writing = [...texts.keys()].filter((column) => texts[column]);
    while (writing.length > 0 && job.signal?.aborted !== true) {
      const still = [];
      for (const column of writing) {
        const text = texts[column]!;
        const before = text.ids.length;
        const goesOn = await takeTurn(text, job.signal).catch((error: unknown) => noted(error, column, failures));
        const ids = text.ids.slice(before);
        const tell = async (): Promise<true> => {
          if (ids.length > 0) await onTokens(column, ids, text.summary());
          return true;
        };
        const heard = await tell().catch((error: unknown) => noted(error, column, failures));
        work.advance(ids.length);
        if (goesOn && heard) still.push(column);
      }
      writing = still;
    }
    if (failures.size === columns.length) throw failures.get(0)!;
    return texts.map((text, column) => textOf(text, failures.get(column)));
  } finally {
    for (const text of texts) await text?.close();
  }
}

/** @throws what is no UserError: the program's fault, or the device's, is every column's */
function noted(error: unknown, column: number, failures: Map<number, UserError>): undefined {
  if (!(error instanceof UserError) || error instanceof DeviceError) throw error;
  failures.set(column, error);
}

function textOf(text: Continuation | undefined, failure: UserError | undefined): ColumnText {
  const nothing = { timeToFirstToken: NaN, prefillTokensPerSecond: NaN, decodeTokensPerSecond: NaN };
  const written = text?.summary() ?? { ids: [], stopped: 'failed', ...nothing };
  return failure ? { ...written, stopped: 'failed', failure } : written;
}

/** @returns whether there may be more */
async function takeTurn(text: Continuation, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    for (let token = 0; token < TURN && signal?.aborted !== true; token++) {
      if ((await text.next(signal)) === undefined) return false;
    }
    return signal?.aborted !== true;
  } catch (error) {
    if (error instanceof CancelledError) return false;
    throw error;
  }
}
