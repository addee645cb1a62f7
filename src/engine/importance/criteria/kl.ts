/**
 * The KL criterion: how far the model's predictions move when a block is left out, the mean over the text of
 * KL(unpruned model ‖ model without the block) in nats. It sees every probability and not only that of the next token
 * (Sieberling et al. 2025, EvoPress, choose by it). `module` granularity scores attention and FFN separately.
 */
import type { ScoreRows } from '../criterion';
import type { JobOptions } from '../../progress';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { fullView, removedParts, stepsOf, type Part, type Step, type View } from '../../model/view';
import { comparisonSweepWork } from '../cost';
import {
  type ComparedSummary,
  divergenceIntervals,
  type Interval,
  type PairedInterval,
  summariseComparison,
} from '../losses';
import { rankBlocks } from '../select';
import { sweepComparisons } from '../sweep';
import { withTeacher } from '../teacher';

/** The model without one part. `score` is its divergence in nats; higher means that the part is more important. */
export interface DivergenceScore extends ComparedSummary, Interval, PairedInterval {
  readonly score: number;
}

export interface DivergenceOptions {
  /** The model to score; the whole model when undefined. */
  readonly view?: View;
  /** The model whose whole is the teacher; the model itself when undefined. */
  readonly teacher?: Model;
  /** Seed of the bootstrap. */
  readonly seed: number;
}

/**
 * Scores every block of the view.
 * @param rows calibration tokens, all rows of one length
 * @returns blocks in the model's order, and their indices from least to most important
 * @throws CancelledError
 */
export async function scoreDivergence(
  model: Model,
  rows: TokenRows,
  options: DivergenceOptions,
  job?: JobOptions,
): Promise<{ full: ComparedSummary; blocks: ({ readonly index: number } & DivergenceScore)[]; order: number[] }> {
  const { full, steps, scores } = await scoreSteps(model, rows, options, false, job);
  const blocks = steps.map(({ block }, i) => ({ index: block, ...scores[i] }));
  return { full, blocks, order: rankBlocks(blocks.map(({ score }) => score)).map((i) => blocks[i].index) };
}

/** Scores single modules, in the order of the residual stream. */
export async function scoreModuleDivergence(
  model: Model,
  rows: TokenRows,
  options: DivergenceOptions,
  job?: JobOptions,
): Promise<{
  full: ComparedSummary;
  modules: ({ readonly block: number; readonly part: Part } & DivergenceScore)[];
  order: { block: number; part: Part }[];
}> {
  const { full, steps, scores } = await scoreSteps(model, rows, options, true, job);
  const modules = steps.map(({ block, attention }, i) => {
    const part: Part = attention ? 'attention' : 'ffn';
    return { block, part, ...scores[i] };
  });
  const order = rankBlocks(scores.map(({ score }) => score)).map((i) => ({
    block: modules[i].block,
    part: modules[i].part,
  }));
  return { full, modules, order };
}

async function scoreSteps(
  model: Model,
  rows: TokenRows,
  { view = fullView(model.architecture.layers.length), teacher = model, seed }: DivergenceOptions,
  split: boolean,
  job: JobOptions = {},
): Promise<{ full: ComparedSummary; steps: Step[]; scores: DivergenceScore[] }> {
  const steps = stepsOf(view, split);
  const all = [...steps.keys()];
  const isWhole = teacher === model && removedParts(view).length === 0;
  const found = isWhole
    ? await sweepComparisons(model, 'full', rows, steps, all, job)
    : await withTeacher(
        teacher,
        rows,
        [comparisonSweepWork(model.architecture, steps.length, all)],
        job,
        (states, [rest]) => sweepComparisons(model, states, rows, steps, all, rest),
      );
  const perRow = rows[0].length - 1;
  const whole = summariseComparison(found.full, perRow);
  const scores = found.without.map((compared) => {
    const { summary, divergences } = summariseComparison(compared, perRow);
    return { score: summary.kl, ...summary, ...divergenceIntervals(divergences, whole.divergences, seed) };
  });
  return { full: whole.summary, steps, scores };
}

export const scoreRows: ScoreRows = (model, rows, { granularity, ...options }, job) =>
  granularity === 'module'
    ? scoreModuleDivergence(model, rows, options, job)
    : scoreDivergence(model, rows, options, job);
