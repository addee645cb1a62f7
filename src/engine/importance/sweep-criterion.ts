/**
 * Criteria that measure the model without one block at a time. `module` granularity scores attention and FFN separately
 * (Shortened LLaMA §5.2, Table 6).
 */
import type { TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import { fullView, type Half, removedParts, type Step, stepsOf, type View } from '../model/view';
import { numbersIn } from '../parts/split';
import { filledFrom } from '../parts/table';
import type { Precision } from '../precision';
import type { JobOptions } from '../progress';
import { screenedRows, screenedWork } from './cost';
import type { CriterionParts, ScoreRows, ScoringScope } from './criterion';
import type { CutWork } from './cut-work';
import type { Interval, JointInterval, ModelLoss, PairedInterval } from './losses';
import type { ScreenSummary } from './result';
import {
  alignedRows,
  exactCount,
  precisionOf,
  remembered,
  screenedSweep,
  screenSummary,
  type Screening,
  type SweepOf,
} from './screened-sweep';
import { rankBlocks } from './select';
import { SweepMemory } from './sweep-memory';
import { type SweptModel, sweptModel, type RowMeans, type SweepMeasure, type Teacher } from './sweep-measure';
import { withTeacher } from './teacher';

/** The model without one part. A higher score means that the part is more important. */
interface Score extends ModelLoss, Interval, PairedInterval, JointInterval {
  readonly score: number;
  readonly precision: Precision;
  /** How far what decides may be from the same in float32; only of screened parts. */
  readonly margin?: number;
}

interface Scores {
  readonly full: ModelLoss;
  /** In the order of the steps. */
  readonly scores: readonly Score[];
  readonly screen?: ScreenSummary;
}

interface Scored<T> extends Omit<Scores, 'scores'> {
  /** From least to most important. */
  readonly order: readonly T[];
}

interface ScoredBlocks extends Scored<number> {
  readonly blocks: readonly (Score & { readonly index: number })[];
}

interface HalfBlock {
  readonly block: number;
  readonly part: Half;
}

interface ScoredModules extends Scored<HalfBlock> {
  readonly modules: readonly (Score & HalfBlock)[];
}

export interface SweepOptions extends Pick<ScoringScope, 'view' | 'teacher' | 'screening'> {
  /** Seed of the bootstrap. */
  readonly seed: number;
}

/** @param rows calibration tokens, all of one length @throws UserError, CancelledError */
type Scoring<R> = (model: Model, rows: TokenRows, options: SweepOptions, job?: JobOptions) => Promise<R>;

/** What the file of such a criterion exports. */
interface SweepCriterion {
  /** Scores every block of the view, in the model's order. */
  readonly scoreBlocks: Scoring<ScoredBlocks>;
  /** Scores single modules, in the order of the residual stream. */
  readonly scoreModules: Scoring<ScoredModules>;
  readonly scoreRows: ScoreRows;
  readonly parts: CriterionParts;
}

/** The criterion of a measure. @param work how it is cut into parts */
export function sweepCriterion<V extends object>(measure: SweepMeasure<V>, work: CutWork): SweepCriterion {
  const scoreBlocks: Scoring<ScoredBlocks> = async (model, rows, options, job) => {
    const steps = stepsOf(viewOf(model, options));
    return ofBlocks(steps, await scoreSteps({ measure, model, rows, steps, seed: options.seed }, options, job));
  };
  const scoreModules: Scoring<ScoredModules> = async (model, rows, options, job) => {
    const steps = stepsOf(viewOf(model, options), true);
    return ofModules(steps, await scoreSteps({ measure, model, rows, steps, seed: options.seed }, options, job));
  };
  return {
    scoreBlocks,
    scoreModules,
    scoreRows: (model, rows, { granularity, ...options }, job) =>
      granularity === 'module' ? scoreModules(model, rows, options, job) : scoreBlocks(model, rows, options, job),
    parts: partsOf(measure, work),
  };
}

const viewOf = ({ architecture }: Model, { view }: { readonly view?: View }): View =>
  view ?? fullView(architecture.layers.length);

function ofBlocks(steps: readonly Step[], { scores, ...others }: Scores): ScoredBlocks {
  const blocks = steps.map(({ block }, i) => ({ index: block, ...scores[i] }));
  return { ...others, blocks, order: rankBlocks(scores.map(({ score }) => score)).map((i) => blocks[i].index) };
}

function ofModules(steps: readonly Step[], { scores, ...others }: Scores): ScoredModules {
  const halves = steps.map(({ block, attention }): HalfBlock => ({ block, part: attention ? 'attention' : 'ffn' }));
  const modules = halves.map((half, i) => ({ ...half, ...scores[i] }));
  return { ...others, modules, order: rankBlocks(scores.map(({ score }) => score)).map((i) => halves[i]) };
}

/** What is scored. */
interface Subject<V extends object> {
  readonly measure: SweepMeasure<V>;
  readonly model: Model;
  readonly rows: TokenRows;
  readonly steps: readonly Step[];
  readonly seed: number;
}

function scoreSteps<V extends object>(
  subject: Subject<V>,
  { screening, ...scope }: SweepOptions,
  job: JobOptions = {},
): Promise<Scores> {
  const { measure, model, rows, steps } = subject;
  if (!screening) {
    const work = measure.work(model.architecture, steps.length, [...steps.keys()]);
    return taught(measure, model, rows, scope, work, job, (...rest) => sweepSteps(subject, ...rest));
  }
  const { screen, exact, further } = workOfScreen(subject, screening);
  return taught(measure, model, rows, scope, screen + exact + further, job, (...rest) =>
    screenSteps(subject, screening, ...rest),
  );
}

/**
 * Hands the teacher to `use`. The scored model is its own where it is what divergences are measured from.
 * @param work cost of `use`, in applications of a block for each row
 */
function taught<R>(
  { decides }: Pick<SweepMeasure<never>, 'decides'>,
  model: Model,
  rows: TokenRows,
  { view, teacher = model }: Pick<ScoringScope, 'view' | 'teacher'>,
  work: number,
  job: JobOptions,
  use: (teacher: Teacher, job: JobOptions) => Promise<R>,
): Promise<R> {
  const isOwn = teacher === model && removedParts(viewOf(model, { view })).length === 0;
  if (decides === 'nll' || isOwn) return use('full', job);
  return withTeacher(teacher, rows, [work], job, (states, [phase]) => use(states, phase));
}

const measured = <V extends object>({ measure, rows }: Subject<V>, value: V): SweptModel =>
  sweptModel(measure.meansOf(value, rows[0].length - 1), rows[0].length - 1);

async function sweepSteps<V extends object>(subject: Subject<V>, teacher: Teacher, job: JobOptions): Promise<Scores> {
  const { measure, model, rows, steps, seed } = subject;
  const { full, without } = await measure.sweep(model, teacher, rows, steps, [...steps.keys()], job);
  const models = without.map((value) => measured(subject, value));
  return scoresOf(measure, measured(subject, full), models, seed, model.precision);
}

function scoresOf(
  { score, intervals }: Pick<SweepMeasure<never>, 'score' | 'intervals'>,
  whole: SweptModel,
  without: readonly SweptModel[],
  seed: number,
  precision: Precision,
): Scores {
  const among = { parts: without.length };
  const scores = without.map((one) => {
    return { score: score(one.loss), ...one.loss, ...intervals(one, whole, seed, among), precision };
  });
  return { full: whole.loss, scores };
}

const workOfScreen = <V extends object>({ measure, model, rows, steps }: Subject<V>, screening: Screening) =>
  screenedWork(screenedRows(model, rows), [...steps.keys()], exactCount(steps.length, screening), (some) =>
    measure.work(model.architecture, steps.length, some),
  );

async function screenSteps<V extends object>(
  subject: Subject<V>,
  screening: Screening,
  teacher: Teacher,
  job: JobOptions,
): Promise<Scores> {
  const { measure, model, rows, steps, seed } = subject;
  const candidates = [...steps.keys()];
  const exact = exactCount(candidates.length, screening);
  const known = remembered((value: V) => measured(subject, value));
  const of =
    (one: Model): SweepOf<V> =>
    (some, ...rest) =>
      measure.sweep(one, teacher, rows, steps, some, ...rest);
  // A model of either precision that is its own teacher has no error: those of both cancel.
  const isMeasure = measure.decides === 'kl' && teacher === 'full';
  const found = await screenedSweep(
    { screen: of(screening.model), exact: of(model), number: (value) => measure.number(known(value).loss) },
    {
      candidates,
      exact,
      counts: (k) => !screening.kept?.has(steps[k].block),
      work: workOfScreen(subject, screening),
      isMeasure,
    },
    job,
  );
  const whole = known(found.full);
  const aligned = (k: number): SweptModel => {
    const column = (name: keyof RowMeans): number[] =>
      alignedRows(found, k, (value) => known(value).means[name]!, isMeasure && name === 'kl');
    const kl = whole.means.kl && { kl: column('kl') };
    return sweptModel({ nll: column('nll'), ...kl }, rows[0].length - 1);
  };
  const scores = candidates.map((k): Score => {
    const value = found.exact.get(k);
    const one = value ? known(value) : aligned(k);
    const of = precisionOf(found, k, model, screening.model);
    const among = { parts: candidates.length, margin: of.margin };
    return { score: measure.score(one.loss), ...one.loss, ...measure.intervals(one, whole, seed, among), ...of };
  });
  return { full: whole.loss, scores, screen: screenSummary(exact, found, screening.model) };
}

/** The model itself is variant 0 of the table, and the model without step k is variant k + 1. */
const partsOf = <V extends object>(measure: SweepMeasure<V>, work: CutWork): CriterionParts => ({
  work,
  measureRows: (model, rows, { steps, length }, share, scope, job) => {
    const some = numbersIn(share.candidates);
    const own = rows.slice(share.rows.from, share.rows.to);
    const rest = measure.work(model.architecture, steps.length, some);
    return taught(measure, model, own, scope, rest, job, async (teacher, phase) => {
      // Another part measures the model itself over these rows.
      const memory = share.whole ? undefined : new SweepMemory<V>(measure.nothing, false);
      const { full, without } = await measure.sweep(model, teacher, own, steps, some, phase, memory);
      const means = (value: V) => ({ ...measure.meansOf(value, length - 1) });
      return [
        ...(share.whole ? filledFrom(0, share.rows, [means(full)]) : []),
        ...filledFrom(1 + share.candidates.from, share.rows, without.map(means)),
      ];
    });
  },
  result: (table, { steps, granularity, length, seed, precision = 'float32' }) => {
    const column = (name: keyof RowMeans, variant: number): number[] => Array.from(table.column(name, variant));
    const of = (variant: number): SweptModel => {
      const kl = measure.decides === 'kl' && { kl: column('kl', variant) };
      return sweptModel({ nll: column('nll', variant), ...kl }, length - 1);
    };
    const without = steps.map((_, k) => of(k + 1));
    const scores = scoresOf(measure, of(0), without, seed, precision);
    return granularity === 'module' ? ofModules(steps, scores) : ofBlocks(steps, scores);
  },
});
