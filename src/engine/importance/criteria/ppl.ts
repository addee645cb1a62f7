/**
 * The PPL criterion (Shortened LLaMA §3.1, `src/anal_block_sensitivity_ppl.py`): the perplexity of the calibration text
 * when a block is left out. `module` granularity scores attention and FFN separately (§5.2, Table 6).
 */
import type { CriterionParts, ScoreRows } from '../criterion';
import type { JobOptions } from '../../progress';
import type { Precision } from '../../precision';
import { screenedRows, screenedWork, sweepWork } from '../cost';
import { CUT_WORK } from '../cut-work';
import type { ScreenSummary } from '../result';
import { rankBlocks } from '../select';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { fullView, stepsOf, type Half, type Step, type View } from '../../model/view';
import {
  type Among,
  bootstrapPerplexity,
  type Interval,
  type JointInterval,
  jointPerplexity,
  type LossSummary,
  type PairedInterval,
  pairedPerplexity,
  summariseLosses,
  summariseRows,
} from '../losses';
import { sweepLosses } from '../sweep';
import { SweepMemory } from '../sweep-memory';
import { numbersIn } from '../../parts/split';
import { filledFrom } from '../../parts/table';
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
export interface PerplexityScore extends LossSummary, Interval, PairedInterval, JointInterval {
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
  readonly part: Half;
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
  return ofBlocks(steps, await scoreSteps(model, rows, steps, options, job));
}

function ofBlocks(
  steps: readonly Step[],
  { scores, ...others }: ScoredSteps,
): Scored<number> & { blocks: BlockPerplexity[] } {
  const blocks = steps.map(({ block }, i) => ({ index: block, ...scores[i] }));
  return { ...others, blocks, order: rankBlocks(blocks.map((b) => b.score)).map((i) => blocks[i].index) };
}

/** Scores single modules, in the order of the residual stream. */
export async function scoreModulePerplexity(
  model: Model,
  rows: TokenRows,
  options: PerplexityOptions,
  job?: JobOptions,
): Promise<Scored<{ block: number; part: Half }> & { modules: ModulePerplexity[] }> {
  const steps = stepsOf(options.view ?? fullView(model.architecture.layers.length), true);
  return ofModules(steps, await scoreSteps(model, rows, steps, options, job));
}

function ofModules(
  steps: readonly Step[],
  { scores, ...others }: ScoredSteps,
): Scored<{ block: number; part: Half }> & { modules: ModulePerplexity[] } {
  const modules = steps.map(({ block, attention }, i): ModulePerplexity => {
    return { block, part: attention ? 'attention' : 'ffn', ...scores[i] };
  });
  const order = rankBlocks(scores.map((s) => s.score)).map((i) => ({ block: modules[i].block, part: modules[i].part }));
  return { ...others, modules, order };
}

type ScoredSteps = Omit<Scored<never>, 'order'> & { readonly scores: PerplexityScore[] };

async function scoreSteps(
  model: Model,
  rows: TokenRows,
  steps: readonly Step[],
  { seed, screening }: PerplexityOptions,
  job: JobOptions = {},
): Promise<ScoredSteps> {
  const perRow = rows[0].length - 1;
  const all = [...steps.keys()];
  if (screening) return screenSteps(model, rows, steps, seed, screening, job);
  const losses = await sweepLosses(model, rows, steps, all, job);
  const summaries = losses.without.map((l) => summariseLosses(l, perRow));
  return scoresOf(summariseLosses(losses.full, perRow), summaries, seed, model.precision);
}

function scoresOf(full: LossSummary, without: readonly LossSummary[], seed: number, precision: Precision): ScoredSteps {
  const among = { parts: without.length };
  return { full, scores: without.map((summary) => ({ ...scoreOf(summary, full, seed, among), precision })) };
}

async function screenSteps(
  model: Model,
  rows: TokenRows,
  steps: readonly Step[],
  seed: number,
  screening: Screening,
  job: JobOptions,
): Promise<ScoredSteps> {
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
          alignedRows(found, k, (value) => summary(value).rows),
          full.tokens,
        );
    const of = precisionOf(found, k, model, screening.model);
    return { ...scoreOf(one, full, seed, { parts: candidates.length, margin: of.margin }), ...of };
  });
  return { full, scores, screen: screenSummary(exact, found, screening.model) };
}

function scoreOf(
  summary: LossSummary,
  full: LossSummary,
  seed: number,
  among: Among,
): Omit<PerplexityScore, 'precision'> {
  return {
    score: summary.ppl,
    ...summary,
    ...bootstrapPerplexity(summary.rows, seed),
    ...pairedPerplexity(summary, full, seed),
    ...jointPerplexity(summary, full, among),
  };
}

export const scoreRows: ScoreRows = (model, rows, { granularity, view, seed, screening }, job) =>
  granularity === 'module'
    ? scoreModulePerplexity(model, rows, { view, seed, screening }, job)
    : scorePerplexity(model, rows, { view, seed, screening }, job);

/** The model itself is variant 0 of the table, and the model without step k is variant k + 1. */
export const parts: CriterionParts = {
  work: CUT_WORK.ppl,
  measureRows: async (model, rows, { steps, length }, share, _scope, job) => {
    const some = numbersIn(share.candidates);
    // Another part measures the model itself over these rows.
    const memory = share.whole ? undefined : new SweepMemory(new Float64Array(0), false);
    const own = rows.slice(share.rows.from, share.rows.to);
    const { full, without } = await sweepLosses(model, own, steps, some, job, memory);
    const ofRows = (losses: Float64Array): { nll: readonly number[] } => ({
      nll: summariseLosses(losses, length - 1).rows,
    });
    return [
      ...(share.whole ? filledFrom(0, share.rows, [ofRows(full)]) : []),
      ...filledFrom(1 + share.candidates.from, share.rows, without.map(ofRows)),
    ];
  },
  result: (table, { steps, granularity, rows, length, seed, precision = 'float32' }) => {
    const summary = (variant: number): LossSummary =>
      summariseRows(Array.from(table.column('nll', variant)), rows * (length - 1));
    const without = steps.map((_, k) => summary(k + 1));
    const scored = scoresOf(summary(0), without, seed, precision);
    return granularity === 'module' ? ofModules(steps, scored) : ofBlocks(steps, scored);
  },
};
