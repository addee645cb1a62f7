/**
 * Log-probabilities of given tokens from the last hidden states before them, with the vocabulary in pieces (head.ts),
 * and whether each is the model's first choice. Their log-sum-exp is added up in float64.
 */
import { Graph } from '../onnx/graph';
import { float32, floats } from '../onnx/session';
import type { Work } from '../progress';
import { headWork } from './cost';
import { Distribution } from './divergence';
import { buildRankedPiece, headPieceOf } from './forward-graph';
import { targetsWithin } from './head';
import { HEAD_PIECE } from './piece';
import type { Model } from './model';

/** States per run. */
const STATES_PER_RUN = 640;

export interface TargetScores {
  /** ln p of each target. */
  readonly logProbabilities: Float64Array;
  /** 1 where no other token is more likely (of equally likely ones the lowest id counts), else 0. */
  readonly isTop: Uint8Array;
}

/**
 * @param x last hidden states, (targets, hidden)
 * @param targets the token that follows each state
 * @param work advanced by `headWork` for each target
 * @throws CancelledError
 */
export async function targetScores(
  model: Model,
  x: Float32Array,
  targets: readonly number[],
  work: Work,
): Promise<TargetScores> {
  const { architecture, weights } = model;
  const { hidden, vocabulary } = architecture;
  const found = new Distribution(targets.length);
  const targetLogit = new Float64Array(targets.length);
  for (let start = 0; start < vocabulary; start += HEAD_PIECE) {
    const piece = { start, size: Math.min(HEAD_PIECE, vocabulary - start) };
    const g = new Graph();
    const norm = weights.bind(g, 'finalNorm');
    buildRankedPiece(g, architecture, norm, headPieceOf(g, weights, piece));
    const session = await model.openSession(g.serialize(), { prepack: true });
    try {
      for (let at = 0; at < targets.length; at += STATES_PER_RUN) {
        const some = targets.slice(at, at + STATES_PER_RUN);
        const states = float32(x.subarray(at * hidden, (at + some.length) * hidden), [some.length, hidden]);
        const result = await session.run({ x: states, target: targetsWithin(piece, some) });
        found.add(result, at, piece);
        const picked = floats(result.targetLogit);
        some.forEach((id, i) => {
          if (id >= start && id < start + piece.size) targetLogit[at + i] = picked[i];
        });
        work.advance((some.length * headWork(architecture) * piece.size) / vocabulary);
      }
    } finally {
      await session.close();
    }
  }
  return {
    logProbabilities: targetLogit.map((logit, t) => logit - found.logSumExp[t]),
    isTop: Uint8Array.from(targets, (id, t) => Number(found.top[t] === id)),
  };
}
