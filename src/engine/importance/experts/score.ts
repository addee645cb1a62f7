/**
 * Sums of every expert over calibration rows, in one pass over the weights, block by block and in a block group by group of
 * experts (model/expert-step.ts). The same pass ends in the losses of the model.
 */
import { expertsIn } from '../../checkpoint/kinds/parts';
import { headWork, rowsPerGroup } from '../../model/cost';
import type { ExpertWatch } from '../../model/expert-groups';
import { Forward, type TokenRows } from '../../model/forward';
import { tokenLosses } from '../../model/head';
import type { LastStates } from '../../model/last-states';
import type { Model } from '../../model/model';
import { releaseState, type State } from '../../model/states';
import { stepsOf, type View } from '../../model/view';
import { type JobOptions, partName, Work } from '../../progress';
import { emptySums, type ExpertSums } from './sums';

export interface ExpertPass {
  /** Of each block with experts in the view, in order. */
  readonly sums: readonly ExpertSums[];
  /** Token losses of the view, (rows · (length − 1)) in nats. */
  readonly losses: Float64Array;
}

/** Before and after a block, and between its router and its experts. */
const STATES = 5;

/**
 * @param rows tokens, all of one length
 * @param view blocks that are left out have no sums
 * @param last keeps the last hidden states, for comparing other models with this one
 * @throws CancelledError
 */
export async function scoreExperts(
  model: Model,
  rows: TokenRows,
  view: View,
  job: JobOptions = {},
  last?: LastStates,
): Promise<ExpertPass> {
  const { architecture, weights } = model;
  const { length } = rows[0];
  const steps = stepsOf(view);
  const sums = new Map(
    steps.flatMap(({ block, ffn }) => {
      const experts = ffn ? expertsIn(architecture.layers[block]) : undefined;
      return experts ? [[block, emptySums(block, experts.count)]] : [];
    }),
  );
  const losses = new Float64Array(rows.length * (length - 1));
  const rowBytes = length * architecture.hidden * Float32Array.BYTES_PER_ELEMENT;
  const perGroup = rowsPerGroup(Math.floor(model.memory / (STATES * rowBytes)), length);
  const work = new Work(job, rows.length * (steps.length + headWork(architecture)), 'row-blocks', 'reading the model');
  const forward = new Forward(model, length);
  for (let at = 0; at < rows.length; at += perGroup) {
    const group = rows.slice(at, at + perGroup);
    const part = partName(at / perGroup, Math.ceil(rows.length / perGroup));
    let state: State = await forward.embed(group);
    for (const [k, step] of steps.entries()) {
      work.step(`${part}block ${k + 1} of ${steps.length}`);
      const open = await forward.openOver(weights, step);
      try {
        state = await open.runAll(state, (chunk) => work.advance(chunk.rows), adding(sums.get(step.block)));
      } finally {
        await open.close();
      }
    }
    work.step(`${part}losses`);
    const [found] = await tokenLosses(model, [state], group, work);
    losses.set(found, at * (length - 1));
    await last?.keep(state, at);
    releaseState(state);
  }
  return { sums: [...sums.values()], losses };
}

/** Adds each expert of a token to the sums of its block. */
const adding = (sums: ExpertSums | undefined): ExpertWatch | undefined =>
  sums &&
  ((expert, share, norm) => {
    sums.tokens[expert] += 1;
    sums.gates[expert] += share;
    sums.norms[expert] += share * norm;
  });
