/** The work of scoring, of curves, and of everything that removes blocks. */
import { type Architecture, withoutLayers } from '../engine/checkpoint/architecture';
import { HEAL_DEFAULTS, HEAL_METHODS } from '../engine/heal/methods';
import { expectedRace, expectedScreen } from '../engine/importance/arithmetic';
import { CRITERIA, type Criterion, criterionInfo, isSized } from '../engine/importance/criteria';
import type { Scope } from '../engine/importance/cost';
import {
  evaluationFlops,
  GRADIENT_SPEED,
  HEALING_SPEED,
  healingFlops,
  type RowShape,
  scoringFlops,
} from '../engine/importance/estimate';
import { OBJECTIVES } from '../engine/importance/objective';
import { endBlocks } from '../engine/importance/select';
import { type RoundHealing, roundsWork, startWork } from '../engine/iterate/estimate';
import { healingRows, SELF } from '../jobs/healing-amounts';
import { calibrationRows, measuredRows, numberIn, questionRows, tokensOf } from '../jobs/amounts';
import type { EstimatedJob, WorkOf } from './job';
import { countIn, quarter, someBlocks } from './models';
import { moving, trainingAmount } from './training';
import { products, type Work, writingTexts } from './work';
import { writing } from './writing';

const criterionOf = ({ criterion }: EstimatedJob['options']): Criterion | undefined =>
  CRITERIA.find((name) => name === criterion);

/** Blocks that are never removed. */
const keptOf = ({ options, model }: EstimatedJob): ReadonlySet<number> => {
  const { keep, keepEnds } = options;
  const named = Array.isArray(keep) ? keep.filter((each): each is number => typeof each === 'number') : [];
  return new Set([...(keepEnds === false ? [] : endBlocks(model.architecture.layers.length)), ...named]);
};

const objectiveOf = ({ objective }: EstimatedJob['options']) => OBJECTIVES.find((name) => name === objective);

/** How many blocks can be removed. */
export const room = (job: EstimatedJob): number => {
  const blocks = job.model.architecture.layers.length;
  return Math.max(1, Math.min(blocks - 1, blocks - keptOf(job).size));
};

/** How a job scores blocks. */
export interface Scoring {
  readonly criterion: Criterion;
  /** Of the model that is scored. */
  readonly architecture: Architecture;
  readonly rows: RowShape;
  readonly scope: Scope;
  /** What a screen in int8 leaves to float32; empty without a screen. */
  readonly screen: Pick<Scope, 'exact'>;
  /** Share of its time over all rows that a race is expected to leave; 1 without a race. */
  readonly raced: number;
}

/** How the job scores. @param count blocks that are removed one after another @param removed those that the model lacks before */
export function howScored(job: EstimatedJob, count: number, removed: readonly number[] = []): Scoring {
  const { kind, options, model } = job;
  const criterion = criterionOf(options) ?? 'ppl';
  const architecture = withoutLayers(model.architecture, removed);
  const rows = calibrationRows(options, architecture.context);
  const isSplit = options.granularity === 'module';
  const granularity = isSplit ? ('module' as const) : undefined;
  const scope: Scope = { count, kept: keptOf(job), objective: objectiveOf(options), granularity };
  const onCpu = options.device === undefined || options.device === 'auto' || options.device === 'cpu';
  const isPlain =
    options.precision === 'float32' ||
    options.precision === 'float16' ||
    options.precision === 'bfloat16' ||
    !onCpu ||
    (isSplit && (isSized(criterion) || kind === 'prune'));
  const screen = isPlain
    ? {}
    : expectedScreen(architecture, criterion, rows, { ...scope, exact: numberIn(options, 'exact') });
  const raced = options.race === false ? 1 : expectedRace(architecture, criterion, rows, { ...scope, ...screen });
  return { criterion, architecture, rows, scope, screen, raced };
}

/** Scores by the job's criterion. @param count blocks that are removed one after another @param removed those that the model lacks before */
export function scoring(job: EstimatedJob, count: number, removed: readonly number[] = []): Work[] {
  const { criterion, architecture, rows, scope, screen, raced } = howScored(job, count, removed);
  const flops = raced * scoringFlops(architecture, criterion, rows, { ...scope, ...screen });
  // Attention and FFN apart are twice as many parts; a criterion that chooses among them counts them itself.
  const parts = scope.granularity !== undefined && !isSized(criterion) ? 2 : 1;
  return [products(architecture, criterion, parts * flops), ...searching(job.options, criterion)];
}

/** A search takes the seconds that it is given, unless its rounds are counted. */
function searching(options: EstimatedJob['options'], criterion: Criterion): Work[] {
  const { seconds } = criterionInfo(criterion);
  if (seconds === undefined || options.generations !== undefined) return [];
  return [{ kind: 'seconds', seconds: numberIn(options, 'budget') ?? seconds }];
}

/** One model after another, each without one block more. */
function nested({ model: { architecture } }: EstimatedJob, rows: RowShape, most: number): Work {
  const flops = Array.from({ length: most + 1 }, (_, count) =>
    evaluationFlops(architecture, rows, someBlocks(architecture, count)),
  );
  return products(
    architecture,
    'evaluate',
    flops.reduce((sum, each) => sum + each, 0),
  );
}

/** Counting how many blocks a limit leaves. Modules that go in turn stop at the limit themselves. */
function counting(job: EstimatedJob): Work[] | undefined {
  if (job.options.maxKl === undefined || job.options.granularity === 'module') return [];
  const rows = measuredRows(job.options, job.model.architecture.context);
  return rows && [nested(job, rows, room(job))];
}

/** Blocks that a score is asked for. */
export const scoredCount = ({ options, model }: EstimatedJob): number =>
  numberIn(options, 'count') ?? quarter(model.architecture);

export const score: WorkOf = (job) => {
  const counted = counting(job);
  const count = scoredCount(job);
  return counted && [...scoring(job, count, job.removed), ...counted];
};

export const curve: WorkOf = (job) => {
  const { options, model } = job;
  const { context, layers } = model.architecture;
  const most = Math.min(numberIn(options, 'most') ?? room(job), layers.length - 1);
  const rows = measuredRows(options, context);
  const questions = options.measure === 'tasks' ? questionRows(options) : undefined;
  if (rows === undefined || (options.measure === 'tasks' && questions === undefined)) return undefined;
  const measuring = nested(job, rows, most);
  return [
    ...(options.scores === undefined ? scoring(job, most) : []),
    measuring,
    // The whole model is read a second time, to compare each distribution with its.
    ...(options.measure === 'kl' ? [measuring] : []),
    ...(questions ? [nested(job, questions, most)] : []),
  ];
};

/** Healing in closed form, and the text that the whole model writes for it. */
export function healing(job: EstimatedJob): Work[] | undefined {
  const { options, model, removed } = job;
  const { architecture } = model;
  const fitted = healedRows(job);
  if (fitted === undefined) return undefined;
  const method = HEAL_METHODS.find((name) => name === options.method) ?? HEAL_DEFAULTS.method;
  const heldOut = numberIn(options, 'heldOut') ?? HEAL_DEFAULTS.heldOut;
  const all = { ...fitted, rows: fitted.rows / (1 - heldOut) };
  return [
    ...(writesItself(job) ? [writingTexts(architecture, all)] : []),
    products(architecture, 'heal', healingFlops(architecture, removed, all, { method, heldOut })),
  ];
}

/** The unpruned model writes the text. */
export const writesItself = ({ options: { data, calibration } }: EstimatedJob): boolean =>
  Array.isArray(data) ? data.includes(SELF) : calibration === undefined;

/** Rows that are fitted; undefined where a text is missing. */
export function healedRows(job: EstimatedJob): RowShape | undefined {
  const { options, model } = job;
  const wanted = numberIn(options, 'tokens') ?? HEAL_DEFAULTS.tokens;
  if (writesItself(job)) return healingRows(model.architecture, wanted);
  const there = tokensOf(options.data ?? options.calibration);
  // Of no file: a text that is yet to be chosen.
  return there === undefined ? undefined : healingRows(model.architecture, Math.min(wanted, there || wanted));
}

export const heal: WorkOf = (job) => {
  const work = healing(job);
  return work && [...work, ...(job.options.out === undefined ? [] : [writing(job)])];
};

export const prune: WorkOf = (job) => {
  const { options, removed } = job;
  // By module, less than a block may go.
  const count = options.granularity === 'module' ? Math.max(1, removed.length) : removed.length;
  const choosing = options.blocks === undefined && criterionOf(options) ? scoring(job, count) : [];
  const limited = counting(job);
  const rounds = numberIn(options, 'rounds') ?? 1;
  const healed = options.heal === true || options.rounds !== undefined ? healing(job) : [];
  if (healed === undefined || limited === undefined) return undefined;
  const each = [...choosing, ...healed];
  return [
    ...Array.from({ length: rounds }, () => each).flat(),
    ...limited,
    ...(options.dryRun === true ? [] : [writing(job)]),
  ];
};

/** Every count up to the last, each healed as long as its rounds: half of them on average. */
const EACH_ONE_SHOT = 1 / 2;

export const iterate: WorkOf = (job) => {
  const { options, model } = job;
  const { architecture } = model;
  const measured = measuredRows(options, architecture.context);
  const healed = roundHealing(job);
  if (measured === undefined || healed === undefined) return undefined;
  const criterion = criterionOf(options) ?? 'ppl';
  const work = {
    criterion,
    objective: objectiveOf(options),
    kept: keptOf(job),
    scored: calibrationRows(options, architecture.context),
    measured,
    healing: healed.each,
  };
  // Only a limit may end it: then it is at most all blocks.
  const isCounted = [options.count, options.ratio, options.targetParams].some((each) => each !== undefined);
  const rounds = roundsWork(architecture, work, isCounted ? countIn(options, architecture) : room(job));
  const sum = (of: (typeof rounds)[number][keyof (typeof rounds)[number]][]): number => of.reduce((a, b) => a + b, 0);
  const again = options.oneShotEach === true ? EACH_ONE_SHOT * rounds.length : options.oneShot === true ? 1 : 0;
  const raced = options.race === false ? 1 : expectedRace(architecture, criterion, work.scored, { exact: 1 });
  const scored = raced * sum(rounds.map(({ scoring: each }) => each));
  const { kind } = healed.each;
  return [
    ...healed.once,
    products(architecture, criterion, scored * (criterionInfo(criterion).effort === 'gradients' ? GRADIENT_SPEED : 1)),
    ...rounds.flatMap(() => searching(options, criterion)),
    ...(kind === 'none'
      ? []
      : [
          products(
            architecture,
            kind === 'trained' ? 'train' : 'heal',
            (1 + again) *
              sum(rounds.map((each) => each.healing)) *
              (kind === 'trained' ? GRADIENT_SPEED : HEALING_SPEED),
          ),
        ]),
    ...(healed.moves ? rounds.flatMap((_, round) => healed.moves!(round + 1)) : []),
    products(architecture, 'evaluate', startWork(architecture, work) + sum(rounds.map(({ measuring }) => measuring))),
    writing(job),
  ];
};

/** How each round heals, what is done once for it (the text that the unpruned model writes), and what moving every weight takes. */
function roundHealing(job: EstimatedJob):
  | {
      readonly each: RoundHealing;
      readonly once: readonly Work[];
      readonly moves?: (removed: number) => readonly Work[];
    }
  | undefined {
  const { options, model } = job;
  const { architecture } = model;
  if (options.method === 'none') return { each: { kind: 'none' }, once: [] };
  const method = HEAL_METHODS.find((name) => name === options.method);
  if (method !== undefined) {
    const shape = healedRows(job);
    const once = shape && writesItself(job) ? [writingTexts(architecture, shape)] : [];
    return shape && { each: { kind: 'closed', method, shape, heldOut: HEAL_DEFAULTS.heldOut }, once };
  }
  const amount = trainingAmount(options, architecture);
  if (amount === undefined) return undefined;
  const { rows, evaluated, evaluations, writes } = amount;
  const full = options.method === 'full';
  return {
    each: { kind: 'trained', shape: rows, full, evaluated: evaluations * evaluated },
    ...(full && {
      moves: (count) => {
        const gone = someBlocks(architecture, count);
        return moving(withoutLayers(architecture, gone), amount, options, gone);
      },
    }),
    once: writes ? [writingTexts(architecture, writes)] : [],
  };
}
