/**
 * Greedy removal (Song et al. 2024, SLEB): remove the block whose absence costs least, score the remaining blocks
 * again, repeat. One sweep per removed block. The cost is the loss of the text, or the divergence from the unpruned
 * model.
 */
import { defined } from '../../../format/defined';
import type { ScoreRows } from '../criterion';
import { inPhases, type JobOptions } from '../../progress';
import type { TokenRows } from '../../model/forward';
import type { LastStates } from '../../model/last-states';
import type { Model } from '../../model/model';
import { fullView, stepsOf, type View } from '../../model/view';
import { greedyWork, modulesWork, screenedRows } from '../cost';
import { roomFor, type Saves, savesOf } from '../module-costs';
import { removeWithin } from '../modules-in-turn';
import { candidateBlocks, openSteps, removeInTurn, type RemovedInTurn, type Sweep } from '../in-turn';
import { type Race, Racer } from '../raced-sweep';
import { racedRounds } from '../raced-rounds';
import type { RaceSummary, ScreenSummary } from '../result';
import { type RoundOf, ScreenedRounds } from '../screened-rounds';
import type { Screening } from '../screened-sweep';
import type { ModelLoss } from '../losses';
import type { Objective } from '../objective';
import { DIVERGENCES, LOSSES, sweptModel, type SweepMeasure, type Teacher } from '../sweep-measure';
import { withTeacher } from '../teacher';

export interface GreedyOptions {
  readonly view?: View;
  /** Number of rounds. */
  readonly count: number;
  /** Blocks that may be removed; all when undefined. */
  readonly candidates?: readonly number[];
  /** ppl when undefined. */
  readonly objective?: Objective;
  /** The model whose whole is the teacher of the divergence; the model itself when undefined. */
  readonly teacher?: Model;
  /** A screen of each round, which leaves only its leaders to the model's own precision; not for modules. */
  readonly screening?: Screening;
  /** Removes modules and blocks that together save at most as much as `count` mean blocks. */
  readonly modules?: Saves;
  /** Leaves out rows of parts that cannot be the best of a round. */
  readonly race?: Race;
  /** Then at most so many parameters, in place of what `count` blocks save. */
  readonly parameters?: number;
  /** Of modules, with the objective kl: they go as long as the divergence stays below this, in nats. */
  readonly maxKl?: number;
}

export type Removed = RemovedInTurn & { readonly screen?: ScreenSummary; readonly race?: RaceSummary };

/**
 * @param rows calibration tokens, all rows of one length
 * @returns removals with `kl` if that is the objective
 * @throws UserError when a temporary file is needed and cannot be written; CancelledError
 */
export async function scoreGreedy(
  model: Model,
  rows: TokenRows,
  options: GreedyOptions,
  job: JobOptions = {},
): Promise<Removed> {
  const { view = fullView(model.architecture.layers.length), count, candidates, objective, teacher = model } = options;
  const { screening, modules, parameters, maxKl, race } = options;
  const steps = stepsOf(view);
  const open = openSteps(steps, candidates);
  const shares = modules
    ? inOne(modulesWork(model.architecture, steps.length, open, count, objective))
    : greedyWork(model.architecture, steps.length, open, count, objective);
  const turn = { view, count, candidates, screening, modules, parameters, maxKl, race };
  if (objective !== 'kl') {
    const rounds = inPhases(
      job,
      shares.map((share) => ({ share })),
    );
    return removeBy(LOSSES, model, rows, { ...turn, teacher: 'full' }, rounds, job);
  }
  return withTeacher(teacher, rows, shares.slice(1), job, (states, rounds) =>
    removeByDivergence(model, rows, { ...turn, teacher: states }, rounds, job),
  );
}

const inOne = ({ dense, rounds }: ReturnType<typeof modulesWork>): number[] => [...(dense > 0 ? [dense] : []), rounds];

/**
 * The same by divergence, from the known last states of the teacher.
 * @param rounds the job of each round; of modules, one job for all
 * @throws UserError when the teacher has another vocabulary; CancelledError
 */
export const removeByDivergence = (
  model: Model,
  rows: TokenRows,
  turn: Turn & { readonly teacher: LastStates },
  rounds: readonly JobOptions[],
  job: JobOptions,
): Promise<Removed> => removeBy(DIVERGENCES, model, rows, turn, rounds, job);

type Turn = Omit<GreedyOptions, 'objective' | 'teacher'> & { readonly teacher: Teacher };

/** Blocks stay open from one round to the next where they have room. */
const removeBy = <V extends object>(...run: Parameters<typeof removeOpen<V>>): Promise<Removed> => {
  const [, model, , { screening }] = run;
  const remove = (): Promise<Removed> => removeOpen(...run);
  return model.holdingSessions(screening ? () => screening.model.holdingSessions(remove) : remove);
};

async function removeOpen<V extends object>(
  measure: SweepMeasure<V>,
  model: Model,
  rows: TokenRows,
  { view = fullView(model.architecture.layers.length), count, candidates, screening, teacher, race, ...turn }: Turn,
  rounds: readonly JobOptions[],
  job: JobOptions,
): Promise<Removed> {
  const steps = stepsOf(view);
  const perRow = rows[0].length - 1;
  const summary = (value: V): ModelLoss => sweptModel(measure.meansOf(value, perRow), perRow).loss;
  const inPrecision =
    (one: Model): RoundOf<V> =>
    (...round) =>
      measure.sweep(one, teacher, rows, ...round);
  const exact = inPrecision(model);
  if (screening) {
    const screen = inPrecision(screening.model);
    const racer = race && new Racer({ measure, model: screening.model, teacher, rows, race });
    const screened = new ScreenedRounds(screenedRows(model, rows), { exact, screen, summary, racer });
    const removed = await removeInTurn(steps, { count, candidates, sweep: screened.sweep }, rounds, job);
    return { ...removed, screen: screened.summary(screening.model), ...defined({ race: racer?.summary(1) }) };
  }
  const plain: Sweep = async (some, open, now) => {
    const { full, without } = await exact(some, open, now);
    return { full: summary(full), without: without.map(summary) };
  };
  // Where parts go as long as a limit allows, one that is not the best may be the only one that keeps to it.
  const racer = race && turn.maxKl === undefined ? new Racer({ measure, model, teacher, rows, race }) : undefined;
  const sweep = racer ? racedRounds(racer, measure, perRow) : plain;
  const raced = (removed: RemovedInTurn): Removed => ({ ...removed, ...defined({ race: racer?.summary(1) }) });
  const { modules, parameters, maxKl } = turn;
  if (modules) {
    const room = roomFor(model.architecture, modules, { count, parameters });
    return raced(await removeWithin(view, { candidates, saves: modules, ...room, maxKl, sweep }, rounds[0]));
  }
  return raced(await removeInTurn(steps, { count, candidates, sweep }, rounds, job));
}

export const scoreRows: ScoreRows = async (model, rows, scope, job) => {
  const { view, count = 0, kept, objective, teacher, screening, race, granularity, cost = 'bytes' } = scope;
  const { parameters, maxKl } = scope;
  const candidates = candidateBlocks(model.architecture.layers.length, kept);
  const options = { view, count, candidates, objective, teacher, race };
  if (granularity !== 'module')
    return { ...(await scoreGreedy(model, rows, { ...options, screening }, job)), objective };
  const modules = await savesOf(cost, model, rows, job);
  return { ...(await scoreGreedy(model, rows, { ...options, modules, parameters, maxKl }, job)), objective, cost };
};
