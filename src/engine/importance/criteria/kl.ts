/**
 * The KL criterion: how far the model's predictions move when a block is left out, the mean over the text of
 * KL(unpruned model ‖ model without the block) in nats. It sees every probability and not only that of the next token
 * (Sieberling et al. 2025, EvoPress, choose by it). `module` granularity scores attention and FFN separately.
 */
import type { CriterionParts, ScoreRows } from '../criterion';
import type { JobOptions } from '../../progress';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { fullView, removedParts, stepsOf, type Half, type Step, type View } from '../../model/view';
import type { LastStates } from '../../model/last-states';
import type { Precision } from '../../precision';
import { numbersIn, type Share } from '../../parts/split';
import { type Filled, filledFrom } from '../../parts/table';
import { comparisonSweepWork, screenedRows, screenedWork } from '../cost';
import { CUT_WORK } from '../cut-work';
import {
  type Among,
  type ComparedSummary,
  divergenceIntervals,
  type Interval,
  jointDivergence,
  type JointInterval,
  type PairedInterval,
  summariseComparedRows,
  summariseComparison,
  summariseRows,
} from '../losses';
import type { ScreenSummary } from '../result';
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
import { rankBlocks } from '../select';
import { type Compared, sweepComparisons } from '../sweep';
import { SweepMemory } from '../sweep-memory';
import { withTeacher } from '../teacher';

/** The model without one part. `score` is its divergence in nats; higher means that the part is more important. */
export interface DivergenceScore extends ComparedSummary, Interval, PairedInterval, JointInterval {
  readonly score: number;
  readonly precision: Precision;
  /** How far the divergence in float32 may be from this one; only of screened parts. */
  readonly margin?: number;
}

export interface DivergenceOptions {
  /** The model to score; the whole model when undefined. */
  readonly view?: View;
  /** The model whose whole is the teacher; the model itself when undefined. */
  readonly teacher?: Model;
  /** Seed of the bootstrap. */
  readonly seed: number;
  /** A screen, which leaves only some parts to the model's own precision. */
  readonly screening?: Screening;
}

interface Scored<T> {
  readonly full: ComparedSummary;
  readonly order: T[];
  readonly screen?: ScreenSummary;
}

type ScoredBlocks = Scored<number> & { blocks: ({ readonly index: number } & DivergenceScore)[] };
type ScoredModules = Scored<{ block: number; part: Half }> & {
  modules: ({ readonly block: number; readonly part: Half } & DivergenceScore)[];
};

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
): Promise<ScoredBlocks> {
  return ofBlocks(await scoreSteps(model, rows, options, false, job));
}

function ofBlocks({ steps, scores, ...others }: ScoredSteps): ScoredBlocks {
  const blocks = steps.map(({ block }, i) => ({ index: block, ...scores[i] }));
  return { ...others, blocks, order: rankBlocks(blocks.map(({ score }) => score)).map((i) => blocks[i].index) };
}

/** Scores single modules, in the order of the residual stream. */
export async function scoreModuleDivergence(
  model: Model,
  rows: TokenRows,
  options: DivergenceOptions,
  job?: JobOptions,
): Promise<ScoredModules> {
  return ofModules(await scoreSteps(model, rows, options, true, job));
}

function ofModules({ steps, scores, ...others }: ScoredSteps): ScoredModules {
  const modules = steps.map(({ block, attention }, i) => {
    const part: Half = attention ? 'attention' : 'ffn';
    return { block, part, ...scores[i] };
  });
  const order = rankBlocks(scores.map(({ score }) => score)).map((i) => ({
    block: modules[i].block,
    part: modules[i].part,
  }));
  return { ...others, modules, order };
}

type ScoredSteps = Omit<Scored<never>, 'order'> & {
  readonly steps: readonly Step[];
  readonly scores: DivergenceScore[];
};

async function scoreSteps(
  model: Model,
  rows: TokenRows,
  options: DivergenceOptions,
  split: boolean,
  job: JobOptions = {},
): Promise<ScoredSteps> {
  const { view = fullView(model.architecture.layers.length), teacher = model, screening } = options;
  const steps = stepsOf(view, split);
  const all = [...steps.keys()];
  const isWhole = isOwnTeacher(model, view, teacher);
  const work = (some: readonly number[]): number => comparisonSweepWork(model.architecture, steps.length, some);
  const measure = (states: LastStates | 'full', rest: JobOptions): Promise<ScoredSteps> =>
    screening
      ? screenSteps({ model, screening, rows, steps, teacher: states, work }, options.seed, rest)
      : sweepSteps(model, rows, steps, states, options.seed, rest);
  if (isWhole) return measure('full', job);
  const { screen, exact, further } = screenedWork(
    screenedRows(model, rows),
    all,
    exactCount(all.length, screening ?? {}),
    work,
  );
  const rest = screening ? screen + exact + further : work(all);
  return withTeacher(teacher, rows, [rest], job, (states, [phase]) => measure(states, phase));
}

/** Whether the scored model is the one that divergences are measured from. */
const isOwnTeacher = (model: Model, view: View, teacher: Model): boolean =>
  teacher === model && removedParts(view).length === 0;

async function sweepSteps(
  model: Model,
  rows: TokenRows,
  steps: readonly Step[],
  teacher: LastStates | 'full',
  seed: number,
  job: JobOptions,
): Promise<ScoredSteps> {
  const found = await sweepComparisons(model, teacher, rows, steps, [...steps.keys()], job);
  const perRow = rows[0].length - 1;
  const without = found.without.map((compared) => summariseComparison(compared, perRow));
  return scoresOf(steps, summariseComparison(found.full, perRow), without, seed, model.precision);
}

interface ScreenedSteps {
  readonly model: Model;
  readonly screening: Screening;
  readonly rows: TokenRows;
  readonly steps: readonly Step[];
  /** "full": the model of either precision is its own teacher, so that the errors of both cancel. */
  readonly teacher: LastStates | 'full';
  readonly work: (candidates: readonly number[]) => number;
}

function scoresOf(
  steps: readonly Step[],
  whole: Summary,
  without: readonly Summary[],
  seed: number,
  precision: Precision,
): ScoredSteps {
  const among = { parts: without.length };
  const scores = without.map((summary) => ({ ...scoreOf(summary, whole, seed, among), precision }));
  return { full: whole.summary, steps, scores };
}

async function screenSteps(
  { model, screening, rows, steps, teacher, work }: ScreenedSteps,
  seed: number,
  job: JobOptions,
): Promise<ScoredSteps> {
  const candidates = [...steps.keys()];
  const exact = exactCount(candidates.length, screening);
  const summary = remembered((compared: Compared) => summariseComparison(compared, rows[0].length - 1));
  const of =
    (one: Model): SweepOf<Compared> =>
    (some, ...rest) =>
      sweepComparisons(one, teacher, rows, steps, some, ...rest);
  const isMeasure = teacher === 'full';
  const found = await screenedSweep(
    { screen: of(screening.model), exact: of(model), number: (compared) => summary(compared).summary.kl },
    {
      candidates,
      exact,
      counts: (k) => !screening.kept?.has(steps[k].block),
      work: screenedWork(screenedRows(model, rows), candidates, exact, work),
      isMeasure,
    },
    job,
  );
  const whole = summary(found.full);
  const aligned = (k: number): Summary => {
    const losses = summariseRows(
      alignedRows(found, k, (each) => summary(each).summary.rows),
      whole.summary.tokens,
    );
    const divergences = alignedRows(found, k, (each) => summary(each).divergences, isMeasure);
    return { summary: { ...losses, kl: summariseRows(divergences, 0).meanNll }, divergences };
  };
  const scores = candidates.map((k) => {
    const compared = found.exact.get(k);
    const one = compared ? summary(compared) : aligned(k);
    const precision = precisionOf(found, k, model, screening.model);
    return { ...scoreOf(one, whole, seed, { parts: candidates.length, margin: precision.margin }), ...precision };
  });
  return { full: whole.summary, steps, scores, screen: screenSummary(exact, found, screening.model) };
}

type Summary = ReturnType<typeof summariseComparison>;

function scoreOf(
  { summary, divergences }: Summary,
  whole: Summary,
  seed: number,
  among: Among,
): Omit<DivergenceScore, 'precision'> {
  return {
    score: summary.kl,
    ...summary,
    ...divergenceIntervals(divergences, whole.divergences, seed),
    ...jointDivergence(divergences, whole.divergences, among),
  };
}

export const scoreRows: ScoreRows = (model, rows, { granularity, ...options }, job) =>
  granularity === 'module'
    ? scoreModuleDivergence(model, rows, options, job)
    : scoreDivergence(model, rows, options, job);

/**
 * Losses and divergences of a share, with the model itself if it is in the share.
 * @param states as of `sweepComparisons`
 */
async function measureShare(
  model: Model,
  rows: TokenRows,
  steps: readonly Step[],
  share: Share,
  states: LastStates | 'full',
  job: JobOptions,
): Promise<Filled[]> {
  // Another part measures the model itself over these rows.
  const nothing = { losses: new Float64Array(0), divergences: new Float64Array(0) };
  const memory = share.whole ? undefined : new SweepMemory<Compared>(nothing, false);
  const { full, without } = await sweepComparisons(
    model,
    states,
    rows,
    steps,
    numbersIn(share.candidates),
    job,
    memory,
  );
  const ofRows = (compared: Compared): { nll: readonly number[]; kl: readonly number[] } => {
    const { summary, divergences } = summariseComparison(compared, rows[0].length - 1);
    return { nll: summary.rows, kl: divergences };
  };
  return [
    ...(share.whole ? filledFrom(0, share.rows, [ofRows(full)]) : []),
    ...filledFrom(1 + share.candidates.from, share.rows, without.map(ofRows)),
  ];
}

/** The model itself is variant 0 of the table, and the model without step k is variant k + 1. */
export const parts: CriterionParts = {
  work: CUT_WORK.kl,
  measureRows: async (model, rows, { steps }, share, scope, job) => {
    const { view = fullView(model.architecture.layers.length), teacher = model } = scope;
    const own = rows.slice(share.rows.from, share.rows.to);
    if (isOwnTeacher(model, view, teacher)) return measureShare(model, own, steps, share, 'full', job);
    const rest = comparisonSweepWork(model.architecture, steps.length, numbersIn(share.candidates));
    return withTeacher(teacher, own, [rest], job, (states, [phase]) =>
      measureShare(model, own, steps, share, states, phase),
    );
  },
  result: (table, { steps, granularity, rows, length, seed, precision = 'float32' }) => {
    const summary = (variant: number): Summary =>
      summariseComparedRows(
        Array.from(table.column('nll', variant)),
        Array.from(table.column('kl', variant)),
        rows * (length - 1),
      );
    const without = steps.map((_, k) => summary(k + 1));
    const scored = scoresOf(steps, summary(0), without, seed, precision);
    return granularity === 'module' ? ofModules(scored) : ofBlocks(scored);
  },
};
