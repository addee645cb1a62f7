/**
 * The PPL criterion (Shortened LLaMA §3.1, `src/anal_block_sensitivity_ppl.py`): the perplexity of the calibration text
 * when a block is left out. `module` granularity scores attention and FFN separately (§5.2, Table 6).
 */
import type { ScoreRows } from '../criterion';
import type { JobOptions } from '../../progress';
import type { Precision } from '../../precision';
import { screenedRows, screenedWork, sweepWork } from '../cost';
import type { ScreenSummary } from '../result';
import { rankBlocks } from '../select';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { fullView, stepsOf, type Part, type Step, type View } from '../../model/view';
import {
  bootstrapPerplexity,
  type Interval,
  type LossSummary,
  type PairedInterval,
  pairedPerplexity,
  summariseLosses,
  summariseRows,
} from '../losses';
import { sweepLosses } from '../sweep';
import {
  alignedRows,
  exactCount,
  precisionOf,
  remembered,
  screenedSweep,
  screenSummary,
  type Screening,
  type SweepOf,
} from '../screened-sweep';

/** The model without one part. `score` is its perplexity; higher means that the part is more important. */
export interface PerplexityScore extends LossSummary, Interval, PairedInterval {
  readonly score: number;
  readonly precision: Precision;
  /** How far the mean loss in float32 may be from this one; only of screened parts. */
  readonly margin?: number;
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
  /** A screen, which leaves only some parts to the model's own precision. */
  readonly screening?: Screening;
}

interface Scored<T> {
  readonly full: LossSummary;
  readonly order: T[];
  readonly screen?: ScreenSummary;
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
  options: PerplexityOptions,
  job?: JobOptions,
): Promise<Scored<number> & { blocks: BlockPerplexity[] }> {
  const steps = stepsOf(options.view ?? fullView(model.architecture.layers.length));
  const { scores, ...others } = await scoreSteps(model, rows, steps, options, job);
  const blocks = steps.map(({ block }, i) => ({ index: block, ...scores[i] }));
  return { ...others, blocks, order: rankBlocks(blocks.map((b) => b.score)).map((i) => blocks[i].index) };
}

/** Scores single modules, in the order of the residual stream. */
export async function scoreModulePerplexity(
  model: Model,
  rows: TokenRows,
  options: PerplexityOptions,
  job?: JobOptions,
): Promise<Scored<{ block: number; part: Part }> & { modules: ModulePerplexity[] }> {
  const steps = stepsOf(options.view ?? fullView(model.architecture.layers.length), true);
  const { scores, ...others } = await scoreSteps(model, rows, steps, options, job);
  const modules = steps.map(({ block, attention }, i): ModulePerplexity => {
    return { block, part: attention ? 'attention' : 'ffn', ...scores[i] };
  });
  const order = rankBlocks(scores.map((s) => s.score)).map((i) => ({ block: modules[i].block, part: modules[i].part }));
  return { ...others, modules, order };
}

async function scoreSteps(
  model: Model,
  rows: TokenRows,
  steps: readonly Step[],
  { seed, screening }: PerplexityOptions,
  job: JobOptions = {},
): Promise<Omit<Scored<never>, 'order'> & { scores: PerplexityScore[] }> {
  const perRow = rows[0].length - 1;
  const all = [...steps.keys()];
  if (screening) return screenSteps(model, rows, steps, seed, screening, job);
  const losses = await sweepLosses(model, rows, steps, all, job);
  const full = summariseLosses(losses.full, perRow);
  const { precision } = model;
  const scores = losses.without.map((l) => ({ ...scoreOf(summariseLosses(l, perRow), full, seed), precision }));
  return { full, scores };
}

async function screenSteps(
  model: Model,
  rows: TokenRows,
  steps: readonly Step[],
  seed: number,
  screening: Screening,
  job: JobOptions,
): Promise<Omit<Scored<never>, 'order'> & { scores: PerplexityScore[] }> {
  const candidates = [...steps.keys()];
  const exact = exactCount(candidates.length, screening);
  const summary = remembered((losses: Float64Array) => summariseLosses(losses, rows[0].length - 1));
  const of =
    (one: Model): SweepOf<Float64Array> =>
    (some, ...rest) =>
      sweepLosses(one, rows, steps, some, ...rest);
  const found = await screenedSweep(
    { screen: of(screening.model), exact: of(model), number: (losses) => summary(losses).meanNll },
    {
      candidates,
      exact,
      counts: (k) => !screening.kept?.has(steps[k].block),
      work: screenedWork(screenedRows(model, rows), candidates, exact, (some) =>
        sweepWork(model.architecture, steps.length, some),
      ),
    },
    job,
  );
  const full = summary(found.full);
  const scores = candidates.map((k) => {
    const losses = found.exact.get(k);
    const one = losses
      ? summary(losses)
      : summariseRows(
          alignedRows(found, k, (each) => summary(each).rows),
          full.tokens,
        );
    return { ...scoreOf(one, full, seed), ...precisionOf(found, k, model, screening.model) };
  });
  return { full, scores, screen: screenSummary(exact, found, screening.model) };
}

function scoreOf(summary: LossSummary, full: LossSummary, seed: number): Omit<PerplexityScore, 'precision'> {
  const intervals = { ...bootstrapPerplexity(summary.rows, seed), ...pairedPerplexity(summary, full, seed) };
  return { score: summary.ppl, ...summary, ...intervals };
}

export const scoreRows: ScoreRows = (model, rows, { granularity, view, seed, screening }, job) =>
  granularity === 'module'
    ? scoreModulePerplexity(model, rows, { view, seed, screening }, job)
    : scorePerplexity(model, rows, { view, seed, screening }, job);
