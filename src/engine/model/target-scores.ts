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
  /** The largest probability of any token in the place of each target. */
  readonly confidence: Float64Array;
  /** Log-sum-exp of the logits in the place of each target. */
  readonly logSumExp: Float64Array;
}

/**
 * @param x last hidden states, (targets, hidden)
 * @param bundles the tokens that follow the states: only those of one bundle share runs, so that their numbers do not depend
 *   on the other bundles
 * @param work advanced by `headWork` for each target
 * @param temperature divides all logits
 * @returns numbers of all targets, in order
 * @throws CancelledError
 */
export async function targetScores(
  model: Model,
  x: Float32Array,
  bundles: readonly (readonly number[])[],
  work: Work,
  temperature = 1,
): Promise<TargetScores> {
  const { architecture, weights } = model;
  const { hidden, vocabulary } = architecture;
  const targets = bundles.flat();
  const runs = runsOf(bundles);
  const found = new Distribution(targets.length);
  const targetLogit = new Float64Array(targets.length);
  for (let start = 0; start < vocabulary; start += HEAD_PIECE) {
    const piece = { start, size: Math.min(HEAD_PIECE, vocabulary - start) };
    const g = new Graph();
    const norm = weights.bind(g, 'finalNorm');
    buildRankedPiece(g, architecture, norm, headPieceOf(g, weights, piece), temperature);
    const session = await model.openSession(g.serialize(), { prepack: true });
    try {
      for (const { at, some } of runs) {
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
    confidence: found.topLogit.map((logit, t) => Math.exp(logit - found.logSumExp[t])),
    logSumExp: found.logSumExp,
  };
}

/** The targets of each run, and the place of the first. */
function runsOf(bundles: readonly (readonly number[])[]): { readonly at: number; readonly some: readonly number[] }[] {
  const runs: { at: number; some: readonly number[] }[] = [];
  let start = 0;
  for (const targets of bundles) {
    for (let at = 0; at < targets.length; at += STATES_PER_RUN) {
      runs.push({ at: start + at, some: targets.slice(at, at + STATES_PER_RUN) });
    }
    start += targets.length;
  }
  return runs;
}
