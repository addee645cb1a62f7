/**
 * Greedy removal (Song et al. 2024, SLEB): remove the block whose absence costs least, score the remaining blocks
 * again, repeat. One sweep per removed block.
 */
import type { ScoreRows } from '../criterion';
import { inPhases, type JobOptions, labelled } from '../../progress';
import { rankBlocks } from '../select';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { fullView, stepsOf, type View } from '../../model/view';
import { greedyWork } from '../cost';
import { summariseLosses, type LossSummary } from '../losses';
import { sweepLosses } from '../sweep';

export interface GreedyRemoval {
  /** The block removed in this round. */
  readonly block: number;
  /** Mean token loss and perplexity of the model without this block and all earlier ones. */
  readonly meanNll: number;
  readonly ppl: number;
}

export interface GreedyOptions {
  readonly view?: View;
  /** Number of rounds. */
  readonly count: number;
  /** Blocks that may be removed; all when undefined. */
  readonly candidates?: readonly number[];
}

/**
 * @param rows calibration tokens, all rows of one length
 * @returns the removals in their order; fewer than `count` when there are not enough candidates
 * @throws CancelledError
 */
export async function scoreGreedy(
  model: Model,
  rows: TokenRows,
  { view = fullView(model.architecture.layers.length), count, candidates }: GreedyOptions,
  job: JobOptions = {},
): Promise<{ full: LossSummary; removals: GreedyRemoval[] }> {
  let steps = stepsOf(view);
  let full: LossSummary | undefined;
  const removals: GreedyRemoval[] = [];
  const perRow = rows[0].length - 1;
  const mayGo = [...steps.keys()].filter((k) => candidates?.includes(steps[k].block) ?? true);
  const shares = greedyWork(model.architecture, steps.length, mayGo, count);
  const rounds = inPhases(
    job,
    shares.map((share) => ({ share })),
  );
  for (let round = 0; round < count; round++) {
    const open = [...steps.keys()].filter((k) => candidates?.includes(steps[k].block) ?? true);
    if (open.length === 0) break;
    const named = labelled(rounds[round], `round ${round + 1} of ${rounds.length}`);
    const losses = await sweepLosses(model, rows, steps, open, named);
    full ??= summariseLosses(losses.full, perRow);
    const summaries = losses.without.map((l) => summariseLosses(l, perRow));
    const [best] = rankBlocks(summaries.map((s) => s.meanNll));
    const { meanNll, ppl } = summaries[best];
    removals.push({ block: steps[open[best]].block, meanNll, ppl });
    steps = steps.filter((_, k) => k !== open[best]);
  }
  full ??= summariseLosses((await sweepLosses(model, rows, steps, [], job)).full, perRow);
  return { full, removals };
}

export const scoreRows: ScoreRows = (model, rows, { view, count = 0, kept }, job) => {
  const blocks = Array.from({ length: model.architecture.layers.length }, (_, block) => block);
  const candidates = kept && blocks.filter((block) => !kept.has(block));
  return scoreGreedy(model, rows, { view, count, candidates }, job);
};
