/**
 * What speculative decoding does on a given text, before anything runs: rounds, drafted tokens, draft passes, and how many rows
 * the target reads at once.
 *
 * A round: the draft proposes up to g tokens, the target reads what is new and the proposed ones in one pass, the first n that it
 * takes stay, and one token more comes from the target. Given the target's text y, the chances w_t that the token for place t is
 * taken are independent, and the text after a round has the same law however the round ended. So one pass of both models over y
 * gives the expectation for every g exactly. With a threshold, rounds and accepted tokens are exact too; what is drafted after a miss
 * depends on texts off y, and is taken from y.
 */

/** What is known of each token of a text, from one pass of target and draft over it. */
export interface Places {
  /** The chance that the draft's token is taken, given that the text is what it is: 0 or 1 where it is certain. */
  readonly taken: ArrayLike<number>;
  /** The draft's largest probability. */
  readonly confidence: ArrayLike<number>;
}

/** How a runtime drafts. */
export interface Drafting {
  /** The most tokens of a round, from 1. */
  readonly length: number;
  /** A token that the draft finds less likely ends the round's draft; 0 for none. */
  readonly threshold?: number;
  /** The token that ends it is proposed all the same, as transformers does. */
  readonly inclusive?: boolean;
}

/** Expected numbers for a text; whole ones where every chance is 0 or 1. */
export interface Forecast {
  readonly tokens: number;
  readonly rounds: number;
  /** Proposed tokens, and passes of the draft: one more where the threshold ended it. */
  readonly drafted: number;
  readonly passes: number;
  /** Rounds in which the target reads k rows, at k. */
  readonly rows: Float64Array;
}

/** The chance of each end of a round, from the last token of the text to the first. Time: tokens · length. */
export function forecast(
  { taken, confidence }: Places,
  { length, threshold = 0, inclusive = false }: Drafting,
): Forecast {
  const tokens = taken.length;
  const rounds = new Float64Array(tokens + 1);
  const drafted = new Float64Array(tokens + 1);
  const passes = new Float64Array(tokens + 1);
  const rows = Array.from({ length: tokens + 1 }, () => new Float64Array(length + 2));
  for (let i = tokens - 1; i >= 0; i--) {
    const room = Math.min(length, tokens - i - 1); // the last token of a round comes from the target
    let proposed = 0;
    while (proposed < room && (threshold === 0 || confidence[i + proposed] >= threshold)) proposed++;
    const isStopped = proposed < room;
    if (isStopped && inclusive) proposed++;
    rounds[i] = 1;
    drafted[i] = proposed;
    passes[i] = proposed + (isStopped && !inclusive ? 1 : 0);
    rows[i][proposed + 1] = 1;
    let alive = 1;
    for (let n = 0; n <= proposed && alive > 0; n++) {
      const chance = n < proposed ? alive * (1 - taken[i + n]) : alive;
      const after = i + n + 1;
      if (chance > 0) {
        rounds[i] += chance * rounds[after];
        drafted[i] += chance * drafted[after];
        passes[i] += chance * passes[after];
        for (let k = 0; k < rows[i].length; k++) rows[i][k] += chance * rows[after][k];
      }
      if (n < proposed) alive *= taken[i + n];
    }
  }
  return { tokens, rounds: rounds[0], drafted: drafted[0], passes: passes[0], rows: rows[0] };
}

/** The same for several texts: sums; ratios are taken of them afterwards. */
export function forecastAll(texts: readonly Places[], drafting: Drafting): Forecast {
  const rows = new Float64Array(drafting.length + 2);
  const sum = { tokens: 0, rounds: 0, drafted: 0, passes: 0 };
  for (const text of texts) {
    const one = forecast(text, drafting);
    for (const name of ['tokens', 'rounds', 'drafted', 'passes'] as const) sum[name] += one[name];
    one.rows.forEach((count, k) => (rows[k] += count));
  }
  return { ...sum, rows };
}

/** Times of passes over the time in which the target reads one row. */
export interface Costs {
  /** Of a pass of the draft. */
  readonly draft: number;
  /** Rows that were measured, ascending from 1, and the target's time for them: 1 for one row. */
  readonly rows: readonly number[];
  readonly times: readonly number[];
}

/** The target's time for k rows: linear between measured numbers, and beyond the last as between the last two. */
export function timeOfRows({ rows, times }: Pick<Costs, 'rows' | 'times'>, k: number): number {
  if (rows.length === 1) return times[0] * (k / rows[0]);
  const found = rows.findIndex((measured) => measured >= k);
  const at = found === -1 ? rows.length - 1 : Math.max(1, found);
  const share = (k - rows[at - 1]) / (rows[at] - rows[at - 1]);
  return times[at - 1] + share * (times[at] - times[at - 1]);
}

/** How many times as fast as the target alone the pair writes. Reading the prompt is not in it. */
export function speedupOf({ tokens, passes, rows }: Forecast, costs: Costs): number {
  let time = passes * costs.draft;
  rows.forEach((count, k) => {
    if (count > 0) time += count * timeOfRows(costs, k);
  });
  return tokens / time;
}

/** The most that any draft of this cost could gain: one that is always right. @returns the factor, and its length */
export function perfectDraft(
  costs: Costs,
  lengths: readonly number[] = LENGTHS,
): { readonly speedup: number; readonly length: number } {
  const all = lengths.map((length) => ({
    length,
    speedup: (length + 1) / (timeOfRows(costs, length + 1) + length * costs.draft),
  }));
  return all.reduce((best, each) => (each.speedup > best.speedup ? each : best));
}

/** What is tried. */
export const LENGTHS: readonly number[] = Array.from({ length: 16 }, (_, i) => i + 1);
export const THRESHOLDS: readonly number[] = [0, 0.2, 0.4, 0.6, 0.8];

export interface Tried {
  readonly lengths?: readonly number[];
  readonly thresholds?: readonly number[];
  readonly inclusive?: boolean;
}

export interface BestDrafting {
  readonly length: number;
  readonly threshold: number;
  readonly speedup: number;
  readonly forecast: Forecast;
}

/** The setting that gains most; of equal ones the shorter draft, and the lower threshold. */
export function bestDrafting(texts: readonly Places[], costs: Costs, tried: Tried = {}): BestDrafting {
  const { lengths = LENGTHS, thresholds = THRESHOLDS, inclusive } = tried;
  const all = lengths.flatMap((length) =>
    thresholds.map((threshold) => {
      const found = forecastAll(texts, { length, threshold, inclusive });
      return { length, threshold, speedup: speedupOf(found, costs), forecast: found };
    }),
  );
  return all.reduce((best, each) => (each.speedup > best.speedup ? each : best));
}
