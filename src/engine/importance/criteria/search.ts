/**
 * Search for the set of blocks whose removal changes the model's predictions least (Sieberling et al., EvoPress, ICML
 * 2025): evolution.ts, from the set that greedy removal by KL finds. The search takes the seconds that it is given. Its
 * result is one set, without an order and without scores of single blocks. Among modules it does the same with what
 * greedy removal among modules finds, and its sets save as much as that one.
 */
import type { ScoreRows } from '../criterion';
import { formatNumber } from '../../../format/numbers';
import { counted } from '../../../format/words';
import { CancelledError } from '../../errors';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { fullView, partsBetween, removedJson, removedParts, stepsOf, type View, viewWithout } from '../../model/view';
import { inPhases, type JobOptions, labelled, type Progress } from '../../progress';
import { greedyWork, modulesWork } from '../cost';
import { DEFAULT_BUDGET } from '../drawing';
import {
  blockSets,
  evolve,
  type Fitness,
  type Measure,
  type Measured,
  type MeasuredSet,
  type SearchSpace,
  type Sets,
  type Stage,
} from '../evolution';
import { candidateBlocks, openSteps, type RemovedInTurn } from '../in-turn';
import type { LossSummary } from '../losses';
import { roomFor, type Saves, savesOf } from '../module-costs';
import { moduleSets, savedBy } from '../module-swaps';
import type { MeasuredModules, ModuleSearchResult, SearchCourse, SearchResult } from '../result';
import { divergencesOfViews, viewLacking } from '../set-divergence';
import { withTeacher } from '../teacher';
import { removeByDivergence } from './greedy';

export interface SearchOptions {
  readonly view?: View;
  /** Number of blocks to remove. */
  readonly count: number;
  /** Blocks that may be removed; all when undefined. */
  readonly candidates?: readonly number[];
  /** The model whose whole is the teacher of the divergence; the model itself when undefined. */
  readonly teacher?: Model;
  readonly seed: number;
  /** Seconds of the search after the greedy start; no limit when undefined. */
  readonly budget?: number;
  /** Largest number of generations; no limit when undefined. */
  readonly generations?: number;
  /** Time in seconds. */
  readonly now?: () => number;
}

type Limits = Pick<SearchOptions, 'budget' | 'generations'> & { readonly now: () => number };

/** Sets save at most this much less than the start: an FFN is not exactly as large as some attentions. */
const LESS = 0.01;

/**
 * Once the greedy start is known, cancelling ends the search and gives the best set so far.
 * @param rows calibration tokens, all rows of one length
 * @throws UserError when a temporary file is needed and cannot be written; CancelledError when it is cancelled before
 *   the search
 */
export async function scoreSearch(
  model: Model,
  rows: TokenRows,
  options: SearchOptions,
  job: JobOptions = {},
): Promise<{ full: LossSummary; search: SearchResult }> {
  const { view = fullView(model.architecture.layers.length), count, candidates } = options;
  const steps = stepsOf(view);
  const open = openSteps(steps, candidates);
  const [, ...rounds] = greedyWork(model.architecture, steps.length, open, count, 'kl');
  const { full, best, start, course } = await searched(model, rows, options, { rounds }, job, (greedy) => ({
    ...blockSets(open.map((k) => steps[k].block)),
    start: greedy.removals.map(({ block }) => block).sort((a, b) => a - b),
    viewOf: (set: readonly number[]) => viewLacking(view, set),
  }));
  const named = ({ set: blocks, ...fitness }: Measured<readonly number[]>): MeasuredSet => ({ blocks, ...fitness });
  return { full, search: { ...named(best), start: named(start), ...course } };
}

/**
 * The same among modules and blocks, which save at most as much as `count` mean blocks, or have at most so many parameters, and
 * take about as much of that as the greedy start.
 * @param saves what a part saves
 */
export async function scoreModuleSearch(
  model: Model,
  rows: TokenRows,
  { saves, parameters, ...options }: SearchOptions & { readonly saves: Saves; readonly parameters?: number },
  job: JobOptions = {},
): Promise<{ full: LossSummary; moduleSearch: ModuleSearchResult }> {
  const { architecture } = model;
  const { view = fullView(architecture.layers.length), count, candidates } = options;
  const steps = stepsOf(view);
  const { rounds } = modulesWork(architecture, steps.length, openSteps(steps, candidates), count, 'kl');
  const of = { rounds: [rounds], modules: saves, parameters };
  const { takes, size } = roomFor(architecture, saves, { count, parameters });
  const { full, best, start, course } = await searched(model, rows, options, of, job, ({ removals }) => {
    const left = viewWithout(view.attention.length, [...removedParts(view), ...removals]);
    const least = (1 - LESS) * savedBy(view, left, takes);
    const sets = moduleSets({ whole: view, candidates, saves: takes, size, least });
    return { ...sets, start: left, viewOf: (set: View) => set };
  });
  const named = ({ set, ...fitness }: Measured<View>): MeasuredModules => ({
    ...{ removed: removedJson(partsBetween(view, set)), saves: savedBy(view, set, saves) },
    ...fitness,
  });
  return { full, moduleSearch: { ...named(best), start: named(start), ...course } };
}

/** Sets of a kind, and the one that a greedy run found. */
interface Space<S> extends Sets<S> {
  readonly start: S;
  readonly viewOf: (set: S) => View;
}

interface Searched<S> {
  readonly full: LossSummary;
  readonly best: Measured<S>;
  readonly start: Measured<S>;
  readonly course: SearchCourse;
}

async function searched<S>(
  model: Model,
  rows: TokenRows,
  options: SearchOptions,
  { rounds, ...parts }: { readonly rounds: readonly number[]; readonly modules?: Saves; readonly parameters?: number },
  job: JobOptions,
  spaceOf: (greedy: RemovedInTurn) => Space<S>,
): Promise<Searched<S>> {
  const { view = fullView(model.architecture.layers.length), count, candidates, teacher = model, seed } = options;
  const { now = () => performance.now() / 1000 } = options;
  // The time of the search says nothing about that of its start.
  const [toStart, toSearch] = inPhases(job, [
    { share: 1, unpaced: true },
    { share: 1, unpaced: true },
  ]);
  return withTeacher(teacher, rows, rounds, labelled(toStart, 'greedy start'), async (states, phases) => {
    const turn = { view, count, candidates, ...parts, teacher: states };
    const greedy = await removeByDivergence(model, rows, turn, phases, toStart);
    const { kl = NaN, meanNll } = greedy.removals.at(-1) ?? greedy.full;
    const { start: set, viewOf, ...sets } = spaceOf(greedy);
    const start = { set, kl, meanNll };
    const space = { ...sets, rows: rows.length, length: rows[0].length, seed };
    const subject = { model, rows, teacher: states };
    const measure: MeasureSets<S> = (some, ...rest) => divergencesOfViews(subject, some.map(viewOf), ...rest);
    return { full: greedy.full, start, ...(await searchFrom(start, space, measure, { ...options, now }, toSearch)) };
  });
}

type MeasureSets<S> = (sets: readonly S[], rows: readonly number[], job: JobOptions) => Promise<readonly Fitness[]>;

async function searchFrom<S>(
  start: Measured<S>,
  space: SearchSpace<S>,
  measureSets: MeasureSets<S>,
  { budget = Infinity, generations = Infinity, now }: Limits,
  job: JobOptions,
): Promise<Pick<Searched<S>, 'best' | 'course'>> {
  const begun = now();
  const seconds = (): number => now() - begun;
  const isLate = (): boolean => seconds() >= budget;
  const timeOut = new AbortController();
  const signal = AbortSignal.any([timeOut.signal, ...(job.signal ? [job.signal] : [])]);
  const trajectory = [{ generation: 0, kl: start.kl }];
  let best = start;
  let sets = 1;
  const report = (share: number, label: string): void =>
    job.onProgress?.({ label, done: Math.min(1, share), total: 1, unit: 'share', unpaced: true });
  const measure: Measure<S> = (some, rows, stage) => {
    const generation = trajectory.length;
    const onProgress = (progress: Progress): void => {
      const share = Math.max(seconds() / budget, generationsDone(generation, stage, progress) / generations);
      report(
        share,
        `generation ${generation}, best KL ${formatNumber(best.kl, 4)}: ${some.length} sets, ${progress.label}`,
      );
      if (isLate()) timeOut.abort();
    };
    return measureSets(some, rows, { signal, onProgress });
  };
  const result = (ended: SearchCourse['ended']): Pick<Searched<S>, 'best' | 'course'> => {
    if (ended !== 'cancelled')
      report(1, `${counted(trajectory.length - 1, 'generation')}, best KL ${formatNumber(best.kl, 4)}`);
    return { best, course: { ppl: Math.exp(best.meanNll), trajectory, sets, seconds: seconds(), ended } };
  };
  if (!Number.isFinite(start.kl)) return result('exhausted'); // no other set is better than a broken model
  try {
    for await (const generation of evolve(start, space, measure)) {
      best = generation.best;
      sets += generation.offspring;
      trajectory.push({ generation: trajectory.length, kl: best.kl });
      if (trajectory.length > generations) return result('generations');
      if (isLate()) return result('time');
    }
    return result('exhausted');
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error;
    return result(job.signal?.aborted ? 'cancelled' : 'time');
  }
}

/** Generations up to here; both selections count as halves. */
function generationsDone(generation: number, stage: Stage, { done, total }: Progress): number {
  return generation - 1 + ((stage === 'first' ? 0 : 1) + done / total) / 2;
}

export const scoreRows: ScoreRows = async (model, rows, scope, job) => {
  const { view, count = 0, kept, teacher, seed, budget, generations, granularity, cost = 'bytes', parameters } = scope;
  const candidates = candidateBlocks(model.architecture.layers.length, kept);
  const seconds = budget ?? (generations === undefined ? DEFAULT_BUDGET : undefined);
  const options = { view, count, candidates, teacher, seed, budget: seconds, generations };
  if (granularity !== 'module') return scoreSearch(model, rows, options, job);
  const saves = await savesOf(cost, model, rows, job);
  return { ...(await scoreModuleSearch(model, rows, { ...options, saves, parameters }, job)), cost };
};
