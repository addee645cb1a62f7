/**
 * Token losses from the last hidden states, with the vocabulary in pieces. The logits of a piece exist only until their
 * log-sum-exp is taken, so the head needs memory for one piece of its weights and logits, for any vocabulary.
 */
import { Graph } from '../onnx/graph';
import { floats, int64, type Tensor } from '../onnx/session';
import type { Work } from '../progress';
import { headWork } from './cost';
import { buildHeadPiece, headPieceOf } from './forward-graph';
import type { TokenRows } from './forward';
import type { Model } from './model';
import { HEAD_PIECE, type Piece } from './piece';
import type { State } from './states';

/**
 * −log p of the next token, for every position except the last of each row.
 * @param states one per variant, over the same rows
 * @param rows the tokens, (rows, length)
 * @param work advanced by `headWork` for each row of each state
 * @returns for each variant one loss per target, (rows · (length − 1)) in nats
 * @throws CancelledError
 */
export async function tokenLosses(
  model: Model,
  states: readonly State[],
  rows: TokenRows,
  work: Work,
): Promise<Float64Array[]> {
  const { architecture, weights } = model;
  const length = rows[0].length;
  const tokens = rows.length * length;
  const targets = nextTokens(rows);
  const logSumExp = states.map(() => new Float64Array(tokens).fill(-Infinity));
  const targetLogit = states.map(() => new Float64Array(tokens));

  for (let start = 0; start < architecture.vocabulary; start += HEAD_PIECE) {
    const size = Math.min(HEAD_PIECE, architecture.vocabulary - start);
    const { session, close } = await model.stepSession(`losses ${start}`, () => {
      const g = new Graph();
      const norm = weights.bind(g, 'finalNorm');
      buildHeadPiece(g, architecture, norm, headPieceOf(g, weights, { start, size }));
      return g.serialize();
    });
    try {
      for (const [variant, state] of states.entries()) {
        let at = 0; // token
        for (const chunk of state) {
          const count = chunk.rows * length;
          const target = targetsWithin({ start, size }, targets.slice(at, at + count));
          const result = await session.run({ x: chunk.tensor, target });
          const lse = floats(result.logSumExp);
          const picked = floats(result.targetLogit);
          for (let i = 0; i < count; i++) {
            const t = at + i;
            logSumExp[variant][t] = logAddExp(logSumExp[variant][t], lse[i]);
            if (targets[t] >= start && targets[t] < start + size) targetLogit[variant][t] = picked[i];
          }
          at += count;
          work.advance((chunk.rows * headWork(architecture) * size) / architecture.vocabulary);
        }
      }
    } finally {
      await close();
    }
  }
  return states.map((_, v) =>
    withTarget(
      logSumExp[v].map((sum, t) => sum - targetLogit[v][t]),
      length,
    ),
  );
}

/**
 * The token after every position, one row after another. The last position of a row has none; any id keeps the shapes,
 * and `withTarget` drops its result.
 */
export const nextTokens = (rows: TokenRows): number[] => rows.flatMap((row) => [...Array.from(row).slice(1), 0]);

/** Targets as ids within a piece; those outside it are some id of the piece. (tokens) int64 */
export function targetsWithin({ start, size }: Piece, targets: readonly number[]): Tensor {
  return int64(
    targets.map((id) => Math.min(Math.max(id - start, 0), size - 1)),
    [targets.length],
  );
}

/** The numbers of the positions that have a target. (rows · length) → (rows · (length − 1)) */
export const withTarget = <T extends Float64Array | Uint8Array>(values: T, length: number): T =>
  values.filter((_, t) => t % length !== length - 1) as T;

/** log(eᵃ + eᵇ) without overflow. */
export function logAddExp(a: number, b: number): number {
  const high = Math.max(a, b);
  if (high === -Infinity || high === Infinity || Number.isNaN(high)) return a + b === a ? a : high;
  return high + Math.log1p(Math.exp(Math.min(a, b) - high));
}
