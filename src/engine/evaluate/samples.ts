/**
 * Several models continue one prompt side by side. They take turns of a few tokens, so that all texts grow together.
 * All models use the same seed. Blocks that they or their drafts have in common are in memory once.
 */
import { CancelledError, DeviceError, UserError } from '../errors';
import { Work, type JobOptions } from '../progress';
import { DecoderPool } from '../model/decoder-pool';
import type { Model } from '../model/model';
import type { View } from '../model/view';
import { Continuation, type ContinuationOptions, type Draft, type Generated } from './continuation';

export interface SampleColumn {
  readonly model: Model;
  readonly view: View;
  /** The prompt, encoded with this model's tokenizer. */
  readonly promptIds: readonly number[];
  /** A model that proposes its tokens. */
  readonly draft?: Draft;
}

/** The text of one column. If one column fails, the others continue. */
export interface ColumnText extends Omit<Generated, 'stopped'> {
  readonly stopped: Generated['stopped'] | 'failed';
  /** Why the column failed. */
  readonly failure?: UserError;
}

/** The column's own times so far, and what its draft did. */
export type ColumnTimes = Pick<Generated, 'timeToFirstToken' | 'decodeTokensPerSecond' | 'speculated'>;

/** Tokens per turn: enough to use the caches well, few enough for all columns to appear to write at once. */
const TURN = 4;

/**
 * @param onTokens called at the end of each turn with the column's new tokens. The next turn waits for it, and a
 *   `UserError` that it throws belongs to the column.
 * @returns one text per column. Cancelling ends all texts where they are; `stopped` says so, and nothing is thrown.
 * @throws UserError when no column can write: for a prompt that is empty or too long, or logits that are not numbers
 */
export async function writeSideBySide(
  columns: readonly SampleColumn[],
  options: Omit<ContinuationOptions, 'view' | 'pool' | 'draft'>,
  onTokens: (column: number, ids: readonly number[], measured: ColumnTimes) => void | Promise<void>,
  job: JobOptions = {},
): Promise<ColumnText[]> {
  const texts: (Continuation | undefined)[] = [];
  const failures = new Map<number, UserError>();
  try {
    const pool = await DecoderPool.of(columns.flatMap((each) => (each.draft ? [each, each.draft] : [each])));
    for (const [column, { model, view, promptIds, draft }] of columns.entries()) {
      const open = opened(model, promptIds, { ...options, view, pool, ...(draft && { draft }) }, job.signal);
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

/** A text whose model is ready: no column pays for what all of them share. */
async function opened(
  model: Model,
  promptIds: readonly number[],
  options: ContinuationOptions,
  signal: AbortSignal | undefined,
): Promise<Continuation> {
  const text = await Continuation.open(model, promptIds, options);
  try {
    if (signal?.aborted !== true) await text.warmUp();
    return text;
  } catch (error) {
    await text.close();
    throw error;
  }
}

/** @throws every error that is not a UserError: a bug or a failing device concerns all columns */
function noted(error: unknown, column: number, failures: Map<number, UserError>): undefined {
  if (!(error instanceof UserError) || error instanceof DeviceError) throw error;
  failures.set(column, error);
}

function textOf(text: Continuation | undefined, failure: UserError | undefined): ColumnText {
  const nothing = { timeToFirstToken: NaN, prefillTokensPerSecond: NaN, decodeTokensPerSecond: NaN };
  const written = text?.summary() ?? { ids: [], stopped: 'failed', ...nothing };
  return failure ? { ...written, stopped: 'failed', failure } : written;
}

/** @returns whether more tokens may follow */
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
