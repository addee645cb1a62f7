/**
 * How much a model repeats itself (records/repetition.ts) when it continues a text greedily: beginnings of evaluated rows
 * are the prompts. A collapsed model may have a good perplexity, because there every token follows a text that a person
 * wrote.
 */
import { type JobOptions, Work } from '../progress';
import { repetition } from '../records/repetition';
import type { TokenRows } from '../model/forward';
import type { Viewed } from './compared';
import { generate } from './generate';

/** Tokens of a prompt, and of its continuation. */
const PROMPT = 32;
const NEW_TOKENS = 64;

export interface Repeating {
  readonly texts: number;
  /** Tokens that were written, at most. */
  readonly tokens: number;
  /** Mean share of repeated runs of four tokens; NaN if every text was shorter. */
  readonly mean: number;
}

/** Work of `repeatingOf`, in texts. */
const repeatingTexts = (rows: TokenRows, texts: number): number => Math.min(texts, rows.length);

/** @param texts number of continuations; the rows are spread over all of them */
export async function repeatingOf(
  { model, view }: Viewed,
  rows: TokenRows,
  texts: number,
  job: JobOptions = {},
): Promise<Repeating> {
  const count = repeatingTexts(rows, texts);
  const work = new Work(job, count, 'texts', 'writing continuations');
  const shares: number[] = [];
  let tokens = 0;
  for (let k = 0; k < count; k++) {
    const row = Array.from(rows[Math.floor((k * rows.length) / count)]);
    // Half of a small context is left for the continuation.
    const prompt = row.slice(0, Math.max(1, Math.min(PROMPT, Math.floor(model.architecture.context / 2))));
    const options = { maxNewTokens: NEW_TOKENS, greedy: true, view };
    const { ids } = await generate(model, prompt, options, { signal: job.signal });
    tokens += ids.length;
    const share = repetition(ids);
    if (!Number.isNaN(share)) shares.push(share);
    work.advance(1);
  }
  return { texts: count, tokens, mean: shares.reduce((sum, share) => sum + share, 0) / shares.length };
}
