/**
 * Search for the set of blocks whose removal changes the model's predictions least (Sieberling et al., EvoPress, ICML
 * 2025): evolution.ts, from the set that greedy removal by KL finds. The search takes the seconds that it is given. Its
 * result is one set, without an order and without scores of single blocks.
 */
import type { ScoreRows } from '../criterion';
import { formatNumber } from '../../../format/numbers';
import { counted } from '../../../format/words';
import { CancelledError } from '../../errors';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { fullView, stepsOf, type View } from '../../model/view';
import { inPhases, type JobOptions, labelled, type Progress } from '../../progress';
import { greedyWork } from '../cost';
import { DEFAULT_BUDGET } from '../drawing';
import { evolve, type Measure, type MeasuredSet, type SearchSpace, type Stage } from '../evolution';
import type { LossSummary } from '../losses';
import type { SearchResult } from '../result';
import { divergencesOfSets, type SetSubject } from '../set-divergence';
import { withTeacher } from '../teacher';
import { openSteps, type RemovedInTurn } from '../in-turn';
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
  const { view = fullView(model.architecture.layers.length), count, candidates, teacher = model, seed } = options;
  const { now = () => performance.now() / 1000 } = options;
  const steps = stepsOf(view);
  const open = openSteps(steps, candidates);
  // The time of the search says nothing about that of its start.
  const [toStart, toSearch] = inPhases(job, [
    { share: 1, unpaced: true },
    { share: 1, unpaced: true },
  ]);
  const [, ...rounds] = greedyWork(model.architecture, steps.length, open, count, 'kl');
  return withTeacher(teacher, rows, rounds, labelled(toStart, 'greedy start'), async (states, phases) => {
    const greedy = await removeByDivergence(model, rows, { view, count, candidates, teacher: states }, phases, toStart);
    const space = { candidates: open.map((k) => steps[k].block), rows: rows.length, length: rows[0].length, seed };
    const subject = { model, view, rows, teacher: states };
    const search = await searchFrom(startOf(greedy), space, subject, { ...options, now }, toSearch);
    return { full: greedy.full, search };
  });
}

/** The set of a greedy run by divergence. */
function startOf({ full, removals }: RemovedInTurn): MeasuredSet {
  const { kl = NaN, meanNll } = removals.at(-1) ?? full;
  return { blocks: removals.map(({ block }) => block).sort((a, b) => a - b), kl, meanNll };
}

type Limits = Pick<SearchOptions, 'budget' | 'generations'> & { readonly now: () => number };

async function searchFrom(
  start: MeasuredSet,
  space: SearchSpace,
  subject: SetSubject,
  { budget = Infinity, generations = Infinity, now }: Limits,
  job: JobOptions,
): Promise<SearchResult> {
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
  const measure: Measure = (some, rows, stage) => {
    const generation = trajectory.length;
    const onProgress = (progress: Progress): void => {
      const share = Math.max(seconds() / budget, generationsDone(generation, stage, progress) / generations);
      report(
        share,
        `generation ${generation}, best KL ${formatNumber(best.kl, 4)}: ${some.length} sets, ${progress.label}`,
      );
      if (isLate()) timeOut.abort();
    };
    return divergencesOfSets(subject, some, rows, { signal, onProgress });
  };
  const result = (ended: SearchResult['ended']): SearchResult => {
    if (ended !== 'cancelled')
      report(1, `${counted(trajectory.length - 1, 'generation')}, best KL ${formatNumber(best.kl, 4)}`);
    return { ...best, ppl: Math.exp(best.meanNll), start, trajectory, sets, seconds: seconds(), ended };
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

export const scoreRows: ScoreRows = (model, rows, scope, job) => {
  const { view, count = 0, kept, teacher, seed, budget, generations } = scope;
  const blocks = Array.from({ length: model.architecture.layers.length }, (_, block) => block);
  const candidates = kept && blocks.filter((block) => !kept.has(block));
  const seconds = budget ?? (generations === undefined ? DEFAULT_BUDGET : undefined);
  return scoreSearch(model, rows, { view, count, candidates, teacher, seed, budget: seconds, generations }, job);
};
