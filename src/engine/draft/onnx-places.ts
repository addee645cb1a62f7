/**
 * The same as places.ts of two exported ONNX files, run by onnxruntime as they ship: their blocks of 4 and 8 bits, embedding
 * included, are those that a program around onnxruntime computes with. The draft reads token by token, as it will: with weights
 * in blocks onnxruntime has other kernels for one row, and of 192 tokens three were others. Sums are in float64.
 */
import { throwIfCancelled } from '../errors';
import type { TargetScores } from '../model/target-scores';
import type { Work } from '../progress';
import type { OnnxReader } from '../verify/onnx-reader';
import { type PassTimes, TIMED_CONTEXT, TIMED_ROWS } from './costs';
import { tokensOf, type WrittenText } from './places';

/** What a target and a draft make of texts, and what both have in common in each place. */
export interface Compared {
  readonly target: TargetScores;
  readonly draft: TargetScores;
  readonly overlap: Float64Array;
}

/**
 * @param temperature divides all logits
 * @param work advanced by two for each token
 * @throws CancelledError
 */
export async function compareFiles(
  target: OnnxReader,
  draft: OnnxReader,
  texts: readonly WrittenText[],
  temperature: number,
  work: Work,
  signal?: AbortSignal,
): Promise<Compared> {
  const places = tokensOf(texts);
  const found = [emptyScores(places), emptyScores(places)];
  const overlap = new Float64Array(places);
  let at = 0;
  for (const { prompt, ids } of texts) {
    throwIfCancelled(signal);
    const whole = await target.logits([[...prompt, ...ids.slice(0, -1)]], {});
    work.advance(ids.length);
    const both = [whole.slice(prompt.length - 1), await draft.follow(prompt, ids)];
    work.advance(ids.length);
    for (const [i, id] of ids.entries()) {
      const [p, q] = found.map((scores, k) => scorePlace(scores, at + i, both[k][i], id, temperature));
      overlap[at + i] = sharedMass(both[0][i], p, both[1][i], q, temperature);
    }
    at += ids.length;
  }
  return { target: found[0], draft: found[1], overlap };
}

const emptyScores = (places: number) => ({
  logProbabilities: new Float64Array(places),
  isTop: new Uint8Array(places),
  confidence: new Float64Array(places),
  logSumExp: new Float64Array(places),
});

/** @returns the log-sum-exp of the logits over the temperature */
function scorePlace(
  scores: ReturnType<typeof emptyScores>,
  place: number,
  logits: Float32Array,
  id: number,
  temperature: number,
): number {
  let top = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[top]) top = i;
  const most = logits[top] / temperature;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit / temperature - most);
  const total = most + Math.log(sum);
  scores.logSumExp[place] = total;
  scores.isTop[place] = Number(top === id);
  scores.confidence[place] = Math.exp(most - total);
  scores.logProbabilities[place] = logits[id] / temperature - total;
  return total;
}

function sharedMass(a: Float32Array, aSum: number, b: Float32Array, bSum: number, temperature: number): number {
  let mass = 0;
  for (let i = 0; i < a.length; i++) mass += Math.exp(Math.min(a[i] / temperature - aSum, b[i] / temperature - bSum));
  return mass;
}

/**
 * Times passes of files in turns.
 * @param ids a text, which is repeated where it is short
 * @throws CancelledError
 */
export async function timeFiles(
  target: OnnxReader,
  drafts: readonly OnnxReader[],
  ids: readonly number[],
  runs: number,
  work: Work,
  signal?: AbortSignal,
): Promise<PassTimes> {
  const text = Array.from({ length: TIMED_CONTEXT + Math.max(...TIMED_ROWS) }, (_, i) => ids[i % ids.length]);
  const passOf = await target.passes(text.slice(0, TIMED_CONTEXT));
  const passesOfDrafts: ((rows: readonly number[]) => Promise<number>)[] = [];
  for (const draft of drafts) passesOfDrafts.push(await draft.passes(text.slice(0, TIMED_CONTEXT)));
  const times = { target: TIMED_ROWS.map((): number[] => []), drafts: drafts.map((): number[] => []) };
  // The first round makes plans for the shapes.
  for (let round = 0; round <= runs; round++) {
    throwIfCancelled(signal);
    for (const [i, rows] of TIMED_ROWS.entries()) {
      const seconds = await passOf(text.slice(TIMED_CONTEXT, TIMED_CONTEXT + rows));
      if (round > 0) times.target[i].push(seconds);
    }
    for (const [i, pass] of passesOfDrafts.entries()) {
      const seconds = await pass(text.slice(TIMED_CONTEXT, TIMED_CONTEXT + 1));
      if (round > 0) times.drafts[i].push(seconds);
    }
    work.advance(1);
  }
  return { rows: TIMED_ROWS, ...times };
}
