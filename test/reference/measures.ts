/** What the scores are made of, computed from the reference forward: token losses, greedy text, mean norms. */
import { logSumExp, referenceForward, type ReferenceModel, type ReferenceView, type Vector } from './forward';

/** Losses −ln p(token) of the tokens 1 … of a row. */
export function referenceTokenNlls(model: ReferenceModel, ids: readonly number[], view?: ReferenceView): number[] {
  const { logits } = referenceForward(model, ids, view);
  return ids.slice(1).map((target, t) => logSumExp(logits[t]) - logits[t][target]);
}

/** Mean loss over all targets of all rows (equally long), and of each row. */
export function referenceLoss(
  model: ReferenceModel,
  rows: readonly (readonly number[])[],
  view?: ReferenceView,
): { meanNll: number; rows: number[] } {
  const means = rows.map((ids) => mean(referenceTokenNlls(model, ids, view)));
  return { meanNll: mean(means), rows: means };
}

/** Greedy continuation, and how far each chosen logit was ahead of the next. */
export function referenceGreedy(
  model: ReferenceModel,
  promptIds: readonly number[],
  newTokens: number,
  view?: ReferenceView,
): { ids: number[]; margins: number[] } {
  const sequence = [...promptIds];
  const margins: number[] = [];
  for (let step = 0; step < newTokens; step++) {
    const last = referenceForward(model, sequence, view).logits.at(-1)!;
    const best = argmax(last);
    margins.push(last[best] - Math.max(...last.filter((_, id) => id !== best)));
    sequence.push(best);
  }
  return { ids: sequence.slice(promptIds.length), margins };
}

/** The view with everything kept but the given blocks (both parts) and single parts. */
export function referenceView(
  blocks: number,
  removed: { blocks?: readonly number[]; attention?: readonly number[]; ffn?: readonly number[] },
): ReferenceView {
  const kept = (part: readonly number[] = []): boolean[] =>
    Array.from({ length: blocks }, (_, k) => !part.includes(k) && !(removed.blocks ?? []).includes(k));
  return { attention: kept(removed.attention), ffn: kept(removed.ffn) };
}

/** Mean over positions of the L2 norm. */
export const meanNorm = (vectors: readonly Vector[]): number => mean(vectors.map((v) => Math.hypot(...v)));

export const argmax = (x: Vector): number => x.reduce((best, value, i) => (value > x[best] ? i : best), 0);

const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;

/** How far `model` is from a teacher at every position but the last of a row. */
export interface ReferenceDivergence {
  /** KL(teacher ‖ model) in nats. */
  readonly divergences: number[];
  /** 1 where both have the same most likely token. */
  readonly agree: number[];
}

/** @param teacher, model logits at each position of a row */
export function referenceDivergence(teacher: readonly Vector[], model: readonly Vector[]): ReferenceDivergence {
  const positions = teacher.slice(0, -1);
  const divergences = positions.map((z, t) => {
    const [sum, other] = [logSumExp(z), logSumExp(model[t])];
    return z.reduce((total, value, id) => total + Math.exp(value - sum) * (value - sum - (model[t][id] - other)), 0);
  });
  return { divergences, agree: positions.map((z, t) => Number(argmax(z) === argmax(model[t]))) };
}
