/**
 * What a smaller vocabulary does to losses. Hidden states do not change, and neither do the logits of kept tokens. With m the probability
 * that the model puts outside them, p'(v) = p(v) / (1 − m): the loss of a kept token is lower by −ln(1 − m), because the smaller model is
 * not asked for words that it cannot say. So losses of a token do not compare, and bits per byte of the same text do.
 */
import { headWork } from '../model/cost';
import { Forward, type TokenRows } from '../model/forward';
import { buildHeadPiece, buildKeptPiece, headPieceOf } from '../model/forward-graph';
import { logAddExp, nextTokens, targetsWithin, withTarget } from '../model/head';
import type { Model } from '../model/model';
import { HEAD_PIECE } from '../model/piece';
import { sharedApplications } from '../model/shared-applications';
import { releaseState, type State } from '../model/states';
import { fullView } from '../model/view';
import { statesOfViews } from '../model/view-states';
import { Graph } from '../onnx/graph';
import { floats } from '../onnx/session';
import { type JobOptions, Work } from '../progress';

/** Of every position that has a target, one row after the other: (rows · (length − 1)). */
export interface KeptMass {
  /** −log p of the next token under the whole vocabulary, in nats. */
  readonly losses: Float64Array;
  /** ln(1 − m): the logarithm of what the kept tokens have together. At most 0, up to rounding. */
  readonly logKept: Float64Array;
}

/** Rows whose states are in memory at a time. */
const ROWS_AT_A_TIME = 64;

/**
 * @param rows tokens, all of one length
 * @param kept ids, ascending
 * @throws CancelledError
 */
export async function keptMass(
  model: Model,
  rows: TokenRows,
  kept: readonly number[],
  job: JobOptions = {},
): Promise<KeptMass> {
  const { architecture } = model;
  const view = fullView(architecture.layers.length);
  const perRow = sharedApplications([view]) + headWork(architecture);
  const work = new Work(job, rows.length * perRow, 'row-blocks', 'reading the model');
  const length = rows[0].length;
  const losses = new Float64Array(rows.length * (length - 1));
  const logKept = new Float64Array(losses.length);
  for (let first = 0; first < rows.length; first += ROWS_AT_A_TIME) {
    const some = rows.slice(first, first + ROWS_AT_A_TIME);
    const step = (block: number, blocks: number): string => `block ${block + 1} of ${blocks}`;
    const [state] = await statesOfViews(new Forward(model, length), some, [view], work, step);
    try {
      const found = await headSums(model, state, some, kept, work);
      losses.set(found.losses, first * (length - 1));
      logKept.set(found.logKept, first * (length - 1));
    } finally {
      releaseState(state);
    }
  }
  return { losses, logKept };
}

async function headSums(
  model: Model,
  state: State,
  rows: TokenRows,
  kept: readonly number[],
  work: Work,
): Promise<KeptMass> {
  const { architecture, weights } = model;
  const { vocabulary } = architecture;
  const length = rows[0].length;
  const targets = nextTokens(rows);
  const all = new Float64Array(targets.length).fill(-Infinity);
  const part = new Float64Array(targets.length).fill(-Infinity);
  const logit = new Float64Array(targets.length);
  work.step('vocabulary');
  for (let start = 0; start < vocabulary; start += HEAD_PIECE) {
    const size = Math.min(HEAD_PIECE, vocabulary - start);
    const here = kept.filter((id) => id >= start && id < start + size).map((id) => id - start);
    const g = new Graph();
    const norm = weights.bind(g, 'finalNorm');
    const piece = headPieceOf(g, weights, { start, size });
    if (here.length > 0) buildKeptPiece(g, architecture, norm, piece, here);
    else buildHeadPiece(g, architecture, norm, piece);
    const session = await model.openSession(g.serialize(), { prepack: true });
    try {
      let at = 0; // token
      for (const chunk of state) {
        const count = chunk.rows * length;
        const target = targetsWithin({ start, size }, targets.slice(at, at + count));
        const result = await session.run({ x: chunk.tensor, target });
        const [sums, picked] = [floats(result.logSumExp), floats(result.targetLogit)];
        const keptSums = here.length > 0 ? floats(result.keptLogSumExp) : undefined;
        for (let i = 0; i < count; i++) {
          const t = at + i;
          all[t] = logAddExp(all[t], sums[i]);
          if (keptSums) part[t] = logAddExp(part[t], keptSums[i]);
          if (targets[t] >= start && targets[t] < start + size) logit[t] = picked[i];
        }
        at += count;
        work.advance((chunk.rows * headWork(architecture) * size) / vocabulary);
      }
    } finally {
      await session.close();
    }
  }
  const losses = withTarget(
    all.map((sum, t) => sum - logit[t]),
    length,
  );
  const logKept = withTarget(
    part.map((sum, t) => sum - all[t]),
    length,
  );
  return { losses, logKept };
}
