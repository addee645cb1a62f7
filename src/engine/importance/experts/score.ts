/**
 * Sums of every expert over calibration rows, in one pass over the weights, block by block and in a block group by group of
 * experts (model/expert-step.ts). The same pass ends in the losses of the model.
 */
import type { Architecture } from '../../checkpoint/architecture';
import { expertsIn } from '../../checkpoint/kinds/parts';
import { headWork, rowsPerGroup } from '../../model/cost';
import type { ExpertWatch } from '../../model/expert-groups';
import { Forward, type TokenRows } from '../../model/forward';
import { tokenLosses } from '../../model/head';
import type { LastStates } from '../../model/last-states';
import type { Model } from '../../model/model';
import { releaseState, type State } from '../../model/states';
import { stepsOf, type View } from '../../model/view';
import type { Range } from '../../parts/split';
import type { Filled } from '../../parts/table';
import { type JobOptions, partName, Work } from '../../progress';
import { addRows, emptyRowSums, emptySums, type ExpertSums, filledBySums, type RowSums } from './sums';

export interface ExpertPass {
  /** Of each block with experts in the view, in order. */
  readonly sums: readonly ExpertSums[];
  /** Token losses of the view, (rows · (length − 1)) in nats. */
  readonly losses: Float64Array;
}

/** Before and after a block, and between its router and its experts. */
const STATES = 5;

/**
 * Sums and losses.
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
  const perRow = rows[0].length - 1;
  const losses = new Float64Array(rows.length * perRow);
  const sums = new SumsOfBlocks(model.architecture, view);
  await passExperts(model, rows, view, job, {
    block: (block, found) => sums.add(block, found),
    end: async (state, group, at, work) => {
      const [found] = await tokenLosses(model, [state], group, work);
      losses.set(found, at * perRow);
      await last?.keep(state, at);
    },
  });
  return { sums: sums.all, losses };
}

/** Sums alone: nothing passes the head. See `scoreExperts`. @throws CancelledError */
export async function sumExperts(
  model: Model,
  rows: TokenRows,
  view: View,
  job: JobOptions = {},
): Promise<readonly ExpertSums[]> {
  const sums = new SumsOfBlocks(model.architecture, view);
  await passExperts(model, rows, view, job, { block: (block, found) => sums.add(block, found) });
  return sums.all;
}

/** The same row by row, as a part of a table. @param own numbers of the rows among those of all parts */
export async function fillExperts(
  model: Model,
  rows: TokenRows,
  own: Range,
  view: View,
  job: JobOptions = {},
): Promise<Filled[]> {
  const { architecture } = model;
  const blocks = new Map(blocksWithExperts(architecture, view).map(({ block }) => [block, [] as RowSums[]]));
  await passExperts(model, rows, view, job, { block: (block, found) => blocks.get(block)!.push(found) });
  const [{ count }] = blocksWithExperts(architecture, view);
  return filledBySums([...blocks.values()], count, own);
}

/** The blocks of a view that have experts, in order. */
const blocksWithExperts = (
  { layers }: Pick<Architecture, 'layers'>,
  view: View,
): { readonly block: number; readonly count: number }[] =>
  stepsOf(view).flatMap(({ block, ffn }) => {
    const experts = ffn ? expertsIn(layers[block]) : undefined;
    return experts ? [{ block, count: experts.count }] : [];
  });

class SumsOfBlocks {
  private readonly sums: ReadonlyMap<number, ExpertSums>;

  constructor(architecture: Architecture, view: View) {
    this.sums = new Map(
      blocksWithExperts(architecture, view).map(({ block, count }) => [block, emptySums(block, count)]),
    );
  }

  get all(): ExpertSums[] {
    return [...this.sums.values()];
  }

  add(block: number, rows: RowSums): void {
    addRows(this.sums.get(block)!, rows);
  }
}

interface Watcher {
  /** Takes the sums of a block's experts over a group of rows; groups come in their order. */
  readonly block: (block: number, sums: RowSums) => void;
  /** Takes the last hidden states of a group of rows, from row `at` on. */
  readonly end?: (state: State, group: TokenRows, at: number, work: Work) => Promise<void>;
}

async function passExperts(
  model: Model,
  rows: TokenRows,
  view: View,
  job: JobOptions,
  { block: take, end }: Watcher,
): Promise<void> {
  const { architecture, weights } = model;
  const { length } = rows[0];
  const steps = stepsOf(view);
  const counts = new Map(blocksWithExperts(architecture, view).map(({ block, count }) => [block, count]));
  const rowBytes = length * architecture.hidden * Float32Array.BYTES_PER_ELEMENT;
  const perGroup = rowsPerGroup(Math.floor(model.memory / (STATES * rowBytes)), length);
  const perRow = steps.length + (end ? headWork(architecture) : 0);
  const work = new Work(job, rows.length * perRow, 'row-blocks', 'reading the model');
  const forward = new Forward(model, length);
  for (let at = 0; at < rows.length; at += perGroup) {
    const group = rows.slice(at, at + perGroup);
    const part = partName(at / perGroup, Math.ceil(rows.length / perGroup));
    let state: State = await forward.embed(group);
    for (const [k, step] of steps.entries()) {
      work.step(`${part}block ${k + 1} of ${steps.length}`);
      const count = counts.get(step.block);
      const sums = count === undefined ? undefined : emptyRowSums(group.length, count);
      const open = await forward.openOver(weights, step);
      try {
        const watch = sums && adding(sums, count!, length);
        state = await open.runAll(state, (chunk) => work.advance(chunk.rows), watch);
      } finally {
        await open.close();
      }
      if (sums) take(step.block, sums);
    }
    if (end) {
      work.step(`${part}losses`);
      await end(state, group, at, work);
    }
    releaseState(state);
  }
}

/** Adds each expert of a token to the sums of its row. */
const adding =
  (sums: RowSums, count: number, length: number): ExpertWatch =>
  (expert, share, norm, token) => {
    const at = Math.floor(token / length) * count + expert;
    sums.tokens[at] += 1;
    sums.gates[at] += share;
    sums.norms[at] += share * norm;
  };
