/** Removal in turn: remove the block whose absence costs least, measure the remaining blocks again, repeat. */
import { type JobOptions, labelled } from '../progress';
import type { Step } from '../model/view';
import type { ModelLoss } from './losses';
import type { Removal } from './result';
import { rankBlocks } from './select';

/**
 * Measures the model with `steps`, and each model that lacks one candidate, an index into `steps`.
 * @param saves what a candidate saves, where those are compared by what they add for that
 */
export type Sweep = (
  steps: readonly Step[],
  candidates: readonly number[],
  job: JobOptions,
  saves?: (candidate: number) => number,
) => Promise<Swept>;

export interface Swept {
  readonly full: ModelLoss;
  readonly without: readonly ModelLoss[];
  /** The candidates that were measured, if the sweep left some out. */
  readonly measured?: readonly number[];
  /** The candidates that are certainly not the best: their numbers are estimates. */
  readonly out?: ReadonlySet<number>;
}

export interface InTurn {
  /** Number of rounds. */
  readonly count: number;
  /** Blocks that may be removed; all when undefined. */
  readonly candidates?: readonly number[];
  readonly sweep: Sweep;
}

/** What removal in turn finds. */
export interface RemovedInTurn {
  /** The model with nothing removed. */
  readonly full: ModelLoss;
  /** In their order; fewer than `count` when there are not enough candidates. Ties go to the lower block. */
  readonly removals: Removal[];
}

/**
 * @param start steps of the model
 * @param rounds a job for each round
 * @throws CancelledError
 */
export async function removeInTurn(
  start: readonly Step[],
  { count, candidates, sweep }: InTurn,
  rounds: readonly JobOptions[],
  { signal }: JobOptions,
): Promise<RemovedInTurn> {
  let steps = start;
  let full: ModelLoss | undefined;
  const removals: Removal[] = [];
  for (let round = 0; round < count; round++) {
    const open = openSteps(steps, candidates);
    if (open.length === 0) break;
    const named = labelled(rounds[round], `round ${round + 1} of ${rounds.length}`);
    const { measured = open, ...found } = await sweep(steps, open, named);
    full ??= found.full;
    const best = rankBlocks(found.without.map(({ kl, meanNll }) => kl ?? meanNll)).find(
      (i) => !found.out?.has(measured[i]),
    )!;
    const { meanNll, ppl, kl } = found.without[best];
    removals.push({ block: steps[measured[best]].block, meanNll, ppl, ...(kl !== undefined && { kl }) });
    steps = steps.filter((_, k) => k !== measured[best]);
  }
  full ??= (await sweep(steps, [], { signal })).full;
  return { full, removals };
}

/** Indices of the steps that may be removed. */
export const openSteps = (steps: readonly Step[], candidates: readonly number[] | undefined): number[] =>
  [...steps.keys()].filter((k) => candidates?.includes(steps[k].block) ?? true);

/** The blocks of a model that are not kept; undefined if none is kept. */
export const candidateBlocks = (blocks: number, kept: ReadonlySet<number> | undefined): number[] | undefined =>
  kept && Array.from({ length: blocks }, (_, block) => block).filter((block) => !kept.has(block));
