/** Choosing the next token from its logits. */
import { UserError } from '../errors';
import type { Random } from '../random';

/** Sampling options. All are optional, and they apply in the order temperature, top-k, top-p. */
export interface Sampling {
  /** Divides the logits. Lower is more predictable. */
  readonly temperature?: number;
  /** Sample only from the k most likely tokens. */
  readonly topK?: number;
  /** Sample only from the most likely tokens that together have this probability. */
  readonly topP?: number;
}

/**
 * The most likely token; the first of equal ones.
 * @throws UserError when no logit is a number, which would otherwise give token 0
 */
export function argMax(logits: Float32Array): number {
  let best = 0;
  let [highest] = logits;
  for (let i = 1; i < logits.length; i++) {
    const logit = logits[i];
    if (logit > highest) {
      highest = logit;
      best = i;
    }
  }
  if (Number.isFinite(highest)) return best;
  throw new UserError(
    'The model cannot continue this text',
    `its logits are not finite (${highest}): some weights are broken, or their products overflow on this text`,
    'Measure the perplexity of a text: the error names the block after which the numbers break.',
  );
}

/**
 * Draws a token. logits: (vocabulary)
 * @throws RangeError for a temperature, k or p that leaves no token to draw
 */
export function sample(logits: Float32Array, { temperature = 1, topK, topP }: Sampling, random: Random): number {
  checkSampling({ temperature, topK, topP });
  const highest = logits[argMax(logits)];
  const weigh = (logit: number): number => Math.exp((logit - highest) / temperature);
  if (topK !== undefined && topK < logits.length) {
    // Only the kept tokens are weighed: a vocabulary is large, and a batch draws many tokens.
    const kept = largest(logits, topK);
    const weights = Float64Array.from(kept, (id) => weigh(logits[id]));
    return kept[drawOf(weights, [...kept.keys()], topP, sum(weights, [...kept.keys()]), random)];
  }
  const weights = new Float64Array(logits.length);
  let total = 0;
  for (let id = 0; id < logits.length; id++) total += weights[id] = weigh(logits[id]);
  if (topP === undefined) return draw(weights, undefined, total, random);
  const likely = nucleusCandidates(weights, topP, total);
  return drawOf(weights, likely, topP, topK === undefined ? total : sum(weights, likely), random);
}

function checkSampling({ temperature = 1, topK, topP }: Sampling): void {
  if (temperature > 0 && (topK ?? 1) >= 1 && (topP ?? 1) > 0) return;
  throw new RangeError(`cannot sample with temperature ${temperature}, top-k ${topK}, top-p ${topP}`);
}

/**
 * The probabilities that `sample` draws with. logits: (vocabulary)
 * @returns (vocabulary)
 * @throws as `sample`
 */
export function probabilities(logits: Float32Array, { temperature = 1, topK, topP }: Sampling): Float64Array {
  checkSampling({ temperature, topK, topP });
  const highest = logits[argMax(logits)];
  const weights = Float64Array.from(logits, (logit) => Math.exp((logit - highest) / temperature));
  let ids: readonly number[] | undefined;
  if (topK !== undefined && topK < logits.length) ids = largest(logits, topK);
  if (topP !== undefined && topP < 1) {
    const mass = ids ? sum(weights, ids) : weights.reduce((total, weight) => total + weight, 0);
    ids = fewest(weights, ids ?? nucleusCandidates(weights, topP, mass), topP * mass);
  }
  if (ids === undefined) return normalized(weights);
  const kept = new Float64Array(weights.length);
  for (const id of ids) kept[id] = weights[id];
  return normalized(kept);
}

function normalized(weights: Float64Array): Float64Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Draws an id with these probabilities, or weights of any sum. */
export const drawFrom = (weights: Float64Array, random: Random): number =>
  draw(
    weights,
    undefined,
    weights.reduce((sum, weight) => sum + weight, 0),
    random,
  );

/** Draws from the first of `ids` that together have the share `topP` of `mass`. */
function drawOf(
  weights: Float64Array,
  ids: readonly number[],
  topP: number | undefined,
  mass: number,
  random: Random,
): number {
  const nucleus = topP === undefined || topP >= 1 ? ids : fewest(weights, ids, topP * mass);
  return draw(weights, nucleus, sum(weights, nucleus), random);
}

/** The k ids with the largest logits, in descending order; equal ones by ascending id. */
function largest(logits: Float32Array, k: number): number[] {
  const kept: number[] = [];
  let least = -Infinity; // of a full list: most logits end at this comparison
  for (let id = 0; id < logits.length; id++) {
    if (kept.length === k && logits[id] <= least) continue;
    let place = Math.min(kept.length, k - 1);
    for (; place > 0 && logits[kept[place - 1]] < logits[id]; place--) kept[place] = kept[place - 1];
    kept[place] = id;
    if (kept.length === k) least = logits[kept[k - 1]];
  }
  return kept;
}

/**
 * All tokens that can belong to the smallest set with a share p of the weight, in descending order. Tokens below (1 −
 * p) · total / n weigh less than (1 − p) · total together, so the others suffice. They are a few hundred, and cheap to
 * sort.
 */
function nucleusCandidates(weights: Float64Array, share: number, total: number): number[] {
  const floor = ((1 - share) * total) / weights.length;
  const likely: number[] = [];
  for (let id = 0; id < weights.length; id++) if (weights[id] >= floor) likely.push(id);
  return likely.sort((a, b) => weights[b] - weights[a] || a - b);
}

/** The first of `ids` that together have the weight `mass`. */
function fewest(weights: Float64Array, ids: readonly number[], mass: number): readonly number[] {
  let held = 0;
  const last = ids.findIndex((id) => (held += weights[id]) >= mass);
  return last === -1 ? ids : ids.slice(0, last + 1);
}

/** Draws one of `ids` (of all tokens when undefined), with probabilities proportional to the weights. */
function draw(weights: Float64Array, ids: readonly number[] | undefined, total: number, random: Random): number {
  let left = random.uniform() * total;
  let chosen = 0;
  for (let i = 0; i < (ids ?? weights).length; i++) {
    const id = ids ? ids[i] : i;
    if (weights[id] === 0) continue;
    chosen = id;
    left -= weights[id];
    if (left < 0) break;
  }
  return chosen;
}

function sum(weights: Float64Array, ids: readonly number[]): number {
  return ids.reduce((total, id) => total + weights[id], 0);
}
