/**
 * Measures the repetition of a text. Depth-pruned models repeat more than whole ones while their perplexity still looks
 * good (Lee 2026), so every sample shows this number.
 */

/** Length of the counted runs of tokens. With four, recurring names and idioms have no weight. */
const RUN = 4;

/**
 * The share of the text's runs of four tokens that occurred earlier in it: 0 for none, near 1 for a loop.
 * @returns NaN when the text is shorter than one run
 */
export function repetition(ids: readonly number[]): number {
  const runs = ids.length - RUN + 1;
  if (runs < 1) return NaN;
  const seen = new Set<string>();
  for (let start = 0; start < runs; start++) seen.add(ids.slice(start, start + RUN).join());
  return (runs - seen.size) / runs;
}

/** Above this share, a text repeats itself more than prose does. */
const MUCH = 0.2;

export const repeatsMuch = (share: number): boolean => share > MUCH;
