/**
 * The PPL criterion (Shortened LLaMA §3.1, `src/anal_block_sensitivity_ppl.py`): the perplexity of the calibration text
 * when a block is left out. `module` granularity scores attention and FFN separately (§5.2, Table 6).
 */
import type { ScoreRows } from '../criterion';
import type { JobOptions } from '../../progress';
import { rankBlocks } from '../select';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { fullView, stepsOf, type Part, type View } from '../../model/view';
import {
  bootstrapPerplexity,
  type Interval,
  type LossSummary,
  type PairedInterval,
  pairedPerplexity,
  summariseLosses,
} from '../losses';
import { sweepLosses } from '../sweep';

/** The model without one part. `score` is its perplexity; higher means that the part is more important. */
export interface PerplexityScore extends LossSummary, Interval, PairedInterval {
  readonly score: number;
}

export interface BlockPerplexity extends PerplexityScore {
  readonly index: number;
}

export interface ModulePerplexity extends PerplexityScore {
  readonly block: number;
  readonly part: Part;
}

export interface PerplexityOptions {
  /** The model to score; the whole model when undefined. */
  readonly view?: View;
  /** Seed of the bootstrap. */
  readonly seed: number;
}

/**
 * Scores every block of the view.
 * @param rows calibration tokens, all rows of one length
 * @returns blocks in the model's order, and their indices from least to most important
 * @throws CancelledError
 */
export async function scorePerplexity(
  model: Model,
  rows: TokenRows,
  { view = fullView(model.architecture.layers.length), seed }: PerplexityOptions,
  job?: JobOptions,
): Promise<{ full: LossSummary; blocks: BlockPerplexity[]; order: number[] }> {
  const steps = stepsOf(view);
  const { full, scores } = await scoreSteps(model, rows, steps, seed, job);
  const blocks = steps.map(({ block }, i) => ({ index: block, ...scores[i] }));
  return { full, blocks, order: rankBlocks(blocks.map((b) => b.score)).map((i) => blocks[i].index) };
}

/** Scores single modules, in the order of the residual stream. */
export async function scoreModulePerplexity(
  model: Model,
  rows: TokenRows,
  { view = fullView(model.architecture.layers.length), seed }: PerplexityOptions,
  job?: JobOptions,
): Promise<{ full: LossSummary; modules: ModulePerplexity[]; order: { block: number; part: Part }[] }> {
  const steps = stepsOf(view, true);
  const { full, scores } = await scoreSteps(model, rows, steps, seed, job);
  const modules = steps.map(({ block, attention }, i): ModulePerplexity => {
    return { block, part: attention ? 'attention' : 'ffn', ...scores[i] };
  });
  const order = rankBlocks(scores.map((s) => s.score)).map((i) => ({ block: modules[i].block, part: modules[i].part }));
  return { full, modules, order };
}

async function scoreSteps(
  model: Model,
  rows: TokenRows,
  steps: ReturnType<typeof stepsOf>,
  seed: number,
  job?: JobOptions,
): Promise<{ full: LossSummary; scores: PerplexityScore[] }> {
  const perRow = rows[0].length - 1;
  const losses = await sweepLosses(model, rows, steps, [...steps.keys()], job);
  const full = summariseLosses(losses.full, perRow);
  const scores = losses.without.map((l) => {
    const summary = summariseLosses(l, perRow);
    const intervals = { ...bootstrapPerplexity(summary.rows, seed), ...pairedPerplexity(summary, full, seed) };
    return { score: summary.ppl, ...summary, ...intervals };
  });
  return { full, scores };
}

export const scoreRows: ScoreRows = (model, rows, { granularity, view, seed }, job) =>
  granularity === 'module'
    ? scoreModulePerplexity(model, rows, { view, seed }, job)
    : scorePerplexity(model, rows, { view, seed }, job);
