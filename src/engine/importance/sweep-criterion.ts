/**
 * Criteria that measure the model without one block at a time. `module` granularity scores attention and FFN separately
 * (Shortened LLaMA §5.2, Table 6).
 */
import { jointReach } from '../joint-interval';
import type { TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import { fullView, type Half, removedParts, type Step, stepsOf, type View } from '../model/view';
import { numbersIn } from '../parts/split';
import { filledFrom } from '../parts/table';
import type { Precision } from '../precision';
import type { JobOptions } from '../progress';
import { defined } from '../../format/defined';
import { screenedRows, screenedWork } from './cost';
import type { CriterionParts, ScoreRows, ScoringScope } from './criterion';
import type { CutWork } from './cut-work';
import type { Among, Interval, JointInterval, ModelLoss, PairedInterval } from './losses';
import { type Dropped, type Race, Racer, type RaceScope, racing, USUAL_MARGIN } from './raced-sweep';
import type { RaceSummary, ScreenSummary } from './result';
import {
  alignedRows,
  exactCount,
  precisionOf,
  remembered,
  screenedSweep,
  screenSummary,
  type Screening,
  type SweepOf,
  type Swept,
} from './screened-sweep';
import { rankBlocks } from './select';
import { SweepMemory } from './sweep-memory';
import {
  estimatedModel,
  type SweptModel,
  sweptModel,
  type RowMeans,
  type SweepMeasure,
  type Teacher,
} from './sweep-measure';
import { withTeacher } from './teacher';

/** The model without one part. A higher score means that the part is more important. */
interface Score extends ModelLoss, Partial<Interval>, PairedInterval, JointInterval {
  readonly score: number;
  readonly precision: Precision;
  /** How far what decides may be from the same in float32; only of screened parts. */
  readonly margin?: number;
  /** Rows that it was measured on, if it dropped out of a race. */
  readonly readRows?: number;
}

interface Scores {
  readonly full: ModelLoss;
  /** In the order of the steps. */
  readonly scores: readonly Score[];
  readonly screen?: ScreenSummary;
  readonly race?: RaceSummary;
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

export interface SweepOptions extends Pick<ScoringScope, 'view' | 'teacher' | 'screening' | 'race'> {
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
  { screening, race, ...scope }: SweepOptions,
  job: JobOptions = {},
): Promise<Scores> {
  const { measure, model, rows, steps } = subject;
  if (!screening) {
    const work = measure.work(model.architecture, steps.length, [...steps.keys()]);
    return taught(measure, model, rows, scope, work, job, (...rest) => sweepSteps(subject, race, ...rest));
  }
  const { screen, exact, further } = workOfScreen(subject, screening);
  return taught(measure, model, rows, scope, screen + exact + further, job, (...rest) =>
    screenSteps(subject, screening, race, ...rest),
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

async function sweepSteps<V extends object>(
  subject: Subject<V>,
  race: Race | undefined,
  teacher: Teacher,
  job: JobOptions,
): Promise<Scores> {
  const { measure, model, rows, steps, seed } = subject;
  const candidates = [...steps.keys()];
  const racer = race && new Racer({ measure, model, teacher, rows, race });
  const { full, without, out }: Swept<V> = racer
    ? await racer.sweep(steps, candidates, raceScope(steps, race), job)
    : await measure.sweep(model, teacher, rows, steps, candidates, job);
  const whole = measured(subject, full);
  const scores = without.map((value, k) => {
    const dropped = out?.get(k);
    const of = { precision: model.precision };
    const means = measure.meansOf(value, rows[0].length - 1);
    return dropped
      ? droppedScore(measure, means, dropped, whole, without.length, of)
      : scoreOf(measure, measured(subject, value), whole, seed, { parts: without.length }, of);
  });
  return { full: whole.loss, scores, ...defined({ race: racer?.summary(wantedOf(steps, race)) }) };
}

const wantedOf = (steps: readonly Step[], race: Pick<Race, 'exact'> = {}): number => exactCount(steps.length, race);

const raceScope = (steps: readonly Step[], race: Race): RaceScope => ({
  wanted: wantedOf(steps, race),
  counts: (k) => !race.kept?.has(steps[k].block),
});

type Arithmetic = Pick<Score, 'precision' | 'margin'>;

const scoreOf = (
  { score, intervals }: Pick<SweepMeasure<never>, 'score' | 'intervals'>,
  one: SweptModel,
  whole: SweptModel,
  seed: number,
  among: Among,
  of: Arithmetic,
): Score => ({ score: score(one.loss), ...one.loss, ...intervals(one, whole, seed, among), ...of });

/** Intervals of a part that dropped out are those of its estimate. @param parts that are scored */
function droppedScore(
  measure: Pick<SweepMeasure<never>, 'score' | 'scoreOf' | 'decides'>,
  means: RowMeans,
  { mean, error, freedom, rows }: Dropped,
  whole: SweptModel,
  parts: number,
  of: Arithmetic,
): Score {
  const { loss } = estimatedModel(measure, means, mean, whole);
  const margin = Number.isFinite(of.margin) ? of.margin! : 0;
  const ends = (half: number): number[] => [measure.scoreOf(mean - half), measure.scoreOf(mean + half)];
  const [pairedLow, pairedHigh] = ends(jointReach(freedom, 1) * error);
  const [jointLow, jointHigh] = ends(jointReach(freedom, parts) * error + margin);
  return { score: measure.score(loss), ...loss, pairedLow, pairedHigh, jointLow, jointHigh, ...of, readRows: rows };
}

function scoresOf(
  measure: Pick<SweepMeasure<never>, 'score' | 'intervals'>,
  whole: SweptModel,
  without: readonly SweptModel[],
  seed: number,
  precision: Precision,
): Scores {
  const among = { parts: without.length };
  return {
    full: whole.loss,
    scores: without.map((one) => scoreOf(measure, one, whole, seed, among, { precision })),
  };
}

const workOfScreen = <V extends object>({ measure, model, rows, steps }: Subject<V>, screening: Screening) =>
  screenedWork(screenedRows(model, rows), [...steps.keys()], exactCount(steps.length, screening), (some) =>
    measure.work(model.architecture, steps.length, some),
  );

async function screenSteps<V extends object>(
  subject: Subject<V>,
  screening: Screening,
  race: Race | undefined,
  teacher: Teacher,
  job: JobOptions,
): Promise<Scores> {
  const { measure, model, rows, steps, seed } = subject;
  const candidates = [...steps.keys()];
  const exact = exactCount(candidates.length, screening);
  const racer = race && new Racer({ measure, model: screening.model, teacher, rows, race });
  const known = remembered((value: V) => measured(subject, value));
  const of =
    (one: Model): SweepOf<V> =>
    (some, ...rest) =>
      measure.sweep(one, teacher, rows, steps, some, ...rest);
  // A model of either precision that is its own teacher has no error: those of both cancel.
  const isMeasure = measure.decides === 'kl' && teacher === 'full';
  const found = await screenedSweep(
    {
      screen: racer
        ? racing(racer, steps, { ...raceScope(steps, race), wanted: exact, slack: USUAL_MARGIN })
        : of(screening.model),
      exact: of(model),
      number: (value) => measure.number(known(value).loss),
    },
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
  const aligned = (k: number): RowMeans => {
    const column = (name: keyof RowMeans): number[] =>
      alignedRows(found, k, (value) => known(value).means[name]!, isMeasure && name === 'kl');
    const kl = whole.means.kl && { kl: column('kl') };
    return { nll: column('nll'), ...kl };
  };
  const scores = candidates.map((k): Score => {
    const value = found.exact.get(k);
    const of = precisionOf(found, k, model, screening.model);
    const dropped = value ? undefined : found.out.get(k);
    if (dropped) {
      const moved = { ...dropped, mean: dropped.mean + found.shift };
      return droppedScore(measure, aligned(k), moved, whole, candidates.length, of);
    }
    const one = value ? known(value) : sweptModel(aligned(k), rows[0].length - 1);
    return scoreOf(measure, one, whole, seed, { parts: candidates.length, margin: of.margin }, of);
  });
  return {
    full: whole.loss,
    scores,
    screen: screenSummary(exact, found, screening.model),
    ...defined({ race: racer?.summary(exact) }),
  };
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
