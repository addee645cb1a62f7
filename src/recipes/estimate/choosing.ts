/** The work of scoring, of curves, and of everything that removes blocks. */
import { parametersOf } from '../../engine/checkpoint/parameters';
import { endBlocks } from '../../engine/importance/select';
import { type Architecture, withoutLayers } from '../../engine/checkpoint/architecture';
import { HEAL_DEFAULTS, HEAL_METHODS, type HealMethod } from '../../engine/heal/methods';
import { expectedScreen } from '../../engine/importance/arithmetic';
import { CRITERIA, type Criterion, criterionInfo } from '../../engine/importance/criteria';
import type { Scope } from '../../engine/importance/cost';
import {
  evaluationFlops,
  healingFlops,
  type RowShape,
  scoringFlops,
  writingFlops,
} from '../../engine/importance/estimate';
import { OBJECTIVES } from '../../engine/importance/objective';
import { roundsWork, totalWork } from '../../engine/iterate/estimate';
import { PASSES_PER_STEP } from '../../engine/retrain/loop/schedule';
import { healingRows, SELF } from '../../jobs/healing-amounts';
import { calibrationRows, numberIn, tokensOf } from '../../jobs/amounts';
import { countIn, someBlocks } from './models';
import { type Estimated, files, measuredRows, type PartsOf, products } from './parts';
import { trainedRows } from './training';
import type { Part } from './speeds';

const criterionOf = ({ criterion }: Estimated['options']): Criterion | undefined =>
  CRITERIA.find((name) => name === criterion);

/** Blocks that are never removed. */
const keptOf = ({ options, model }: Estimated): ReadonlySet<number> => {
  const { keep, keepEnds } = options;
  const named = Array.isArray(keep) ? keep.filter((each): each is number => typeof each === 'number') : [];
  return new Set([...(keepEnds === false ? [] : endBlocks(model.architecture.layers.length)), ...named]);
};

/** A scoring, as far as it takes time. */
export interface ScoringWork {
  readonly criterion: Criterion;
  readonly rows: RowShape;
  readonly scope: Scope;
  /** Blocks that clearly matter are left to a quick screen. */
  readonly screens: boolean;
  /** Seconds of a search; those of the criterion when undefined. */
  readonly searching?: number;
}

export function scoringParts(architecture: Architecture, work: ScoringWork): Part[] {
  const { criterion, rows, scope, screens, searching = criterionInfo(criterion).seconds ?? 0 } = work;
  const { exact: wanted, ...rest } = scope;
  const screen = screens ? expectedScreen(architecture, criterion, rows, { ...rest, exact: wanted }) : {};
  const flops = scoringFlops(architecture, criterion, rows, { ...rest, ...screen });
  return [
    products(architecture, criterion, flops, rows.length),
    ...(searching > 0 ? [{ kind: 'seconds' as const, seconds: searching }] : []),
  ];
}

/** Scores by the step's criterion. @param count blocks that are removed one after another */
async function scoring(step: Estimated, count: number): Promise<Part[]> {
  const { options, model, removed } = step;
  const criterion = criterionOf(options) ?? 'ppl';
  const architecture = withoutLayers(model.architecture, step.job === 'score' ? removed : []);
  const rows = await calibrationRows(options, architecture.context);
  const objective = OBJECTIVES.find((name) => name === options.objective);
  const scope: Scope = { count, kept: keptOf(step), objective, exact: numberIn(options, 'exact') };
  const onCpu = options.device === 'auto' || options.device === 'cpu';
  const isPlain = options.precision === 'float32' || options.precision === 'float16' || !onCpu;
  const searching = options.generations === undefined ? numberIn(options, 'budget') : 0;
  const parts = scoringParts(architecture, {
    ...{ criterion, rows, scope, screens: !isPlain },
    ...(criterionInfo(criterion).seconds === undefined ? {} : { searching }),
  });
  // Attention and FFN apart are twice as many parts.
  return options.granularity === 'module' ? parts.map(twice) : parts;
}

const twice = (part: Part): Part => (part.kind === 'products' ? { ...part, flops: 2 * part.flops } : part);

/** One model after another, each without one block more. */
export function nestedParts(architecture: Architecture, rows: RowShape, most: number): Part[] {
  const flops = Array.from({ length: most + 1 }, (_, count) =>
    evaluationFlops(architecture, rows, someBlocks(architecture, count)),
  );
  const all = flops.reduce((sum, each) => sum + each, 0);
  return [products(architecture, 'evaluate', all, rows.length)];
}

async function nested(step: Estimated, most: number): Promise<Part[] | undefined> {
  const rows = await measuredRows(step);
  return rows && nestedParts(step.model.architecture, rows, most);
}

export const score: PartsOf = async (step) => {
  const { options, model } = step;
  const parts = await scoring(step, numberIn(options, 'count') ?? 0);
  if (options.maxKl === undefined) return parts;
  const counting = await nested(step, model.architecture.layers.length - keptOf(step).size);
  return counting && [...parts, ...counting];
};

export const curve: PartsOf = async (step) => {
  const { options, model } = step;
  const blocks = model.architecture.layers.length;
  const most = Math.min(numberIn(options, 'most') ?? blocks - keptOf(step).size, blocks - 1);
  const choosing = options.scores === undefined ? await scoring(step, most) : [];
  const measuring = await nested(step, most);
  if (measuring === undefined || options.measure === 'tasks') return undefined;
  // The whole model is read a second time, to compare each distribution with its.
  return [...choosing, ...measuring, ...(options.measure === 'kl' ? measuring : [])];
};

/** Copying: read once, written once, and read back. */
const COPIES = 2;

/** A file of the model without what is removed, as large as its own for each block that stays. */
export const exported = ({ model, removed }: Pick<Estimated, 'model' | 'removed'>): Part =>
  files(COPIES * model.bytes * (1 - removed.length / model.architecture.layers.length));

/** A new checkpoint of the model without what is removed. Quantised weights become numbers of 32 bits in it. */
export function writing({ model, removed }: Pick<Estimated, 'model' | 'removed'>): Part {
  const parameters = parametersOf(model.architecture);
  const isQuantised = model.bytes < QUANTISED_BELOW * parameters;
  return exported({ removed, model: { ...model, bytes: isQuantised ? 4 * parameters : model.bytes } });
}

/** Bytes of a weight; files of 16 bits have a little more. */
const QUANTISED_BELOW = 1.9;

/** A healing in closed form. */
export interface HealingWork {
  readonly removed: readonly number[];
  /** Rows that are fitted. */
  readonly rows: RowShape;
  readonly method?: HealMethod;
  /** Share of all rows that is not fitted. */
  readonly heldOut?: number;
  /** The whole model writes the text first. */
  readonly writes: boolean;
}

export function healingParts(architecture: Architecture, work: HealingWork): Part[] {
  const { removed, rows, method = HEAL_DEFAULTS.method, heldOut = HEAL_DEFAULTS.heldOut, writes } = work;
  const all = { ...rows, rows: rows.rows / (1 - heldOut) };
  const flops = healingFlops(architecture, removed, all, { method, heldOut });
  return [
    ...(writes ? [products(architecture, 'write', writingFlops(architecture, all), rows.length)] : []),
    products(architecture, 'heal', flops, rows.length),
  ];
}

/** Healing in closed form, and the text that the whole model writes for it. */
async function healing(step: Estimated): Promise<Part[] | undefined> {
  const { options, model, removed } = step;
  const rows = await healingAmount(step);
  if (rows === undefined) return undefined;
  const method = HEAL_METHODS.find((name) => name === options.method);
  const heldOut = numberIn(options, 'heldOut');
  return healingParts(model.architecture, { removed, rows, method, heldOut, writes: writesItself(step) });
}

const writesItself = ({ job, options: { data, calibration } }: Estimated): boolean =>
  Array.isArray(data) ? data.includes(SELF) : calibration === undefined || job === 'heal';

async function healingAmount(step: Estimated): Promise<ReturnType<typeof healingRows> | undefined> {
  const { options, model } = step;
  const { data, calibration } = options;
  const tokens = numberIn(options, 'tokens');
  const source = Array.isArray(data) && !data.includes(SELF) ? data : calibration;
  const there = source === undefined || writesItself(step) ? undefined : await tokensOf(source);
  const wanted = tokens ?? HEAL_DEFAULTS.tokens;
  return healingRows(model.architecture, there === undefined ? wanted : Math.min(wanted, there));
}

export const heal: PartsOf = async (step) => {
  const parts = await healing(step);
  return parts && [...parts, ...(step.options.out === undefined ? [] : [writing(step)])];
};

export const prune: PartsOf = async (step) => {
  const { options, model, removed } = step;
  const count = removed.length;
  const choosing = options.blocks === undefined && criterionOf(options) ? await scoring(step, count) : [];
  const limited =
    options.maxKl === undefined ? [] : await nested(step, model.architecture.layers.length - keptOf(step).size);
  const rounds = numberIn(options, 'rounds') ?? 1;
  const heals = options.heal === true || options.rounds !== undefined;
  const healed = heals ? await healing(step) : [];
  if (healed === undefined || limited === undefined) return undefined;
  const each = [...choosing, ...healed];
  return [
    ...Array.from({ length: rounds }, () => each).flat(),
    ...limited,
    ...(options.dryRun === true ? [] : [writing(step)]),
  ];
};

export const iterate: PartsOf = async (step) => {
  const { options, model } = step;
  const { architecture } = model;
  const measured = await measuredRows(step);
  const closed = HEAL_METHODS.find((name) => name === options.method);
  const trained = closed === undefined && options.method !== 'none' ? trainedRows(step) : undefined;
  const shape = closed && (await healingAmount(step));
  if (measured === undefined || (closed === undefined && options.method !== 'none' && trained === undefined)) {
    return undefined;
  }
  const count = countIn(options, architecture);
  const rounds = roundsWork(
    architecture,
    {
      criterion: criterionOf(options) ?? 'ppl',
      objective: OBJECTIVES.find((name) => name === options.objective),
      kept: keptOf(step),
      scored: await calibrationRows(options, architecture.context),
      measured,
      healing: shape
        ? { kind: 'closed', method: closed, shape, heldOut: HEAL_DEFAULTS.heldOut }
        : trained
          ? { kind: 'trained', shape: trained }
          : { kind: 'none' },
    },
    count,
  );
  const flops = rounds.reduce((sum, round) => sum + totalWork(round), 0);
  const comparing = options.oneShot === true || options.oneShotEach === true;
  const oneShot =
    comparing && trained
      ? [
          products(
            architecture,
            'train',
            count * evaluationFlops(architecture, scaled(trained, PASSES_PER_STEP)),
            trained.length,
          ),
        ]
      : [];
  return [products(architecture, 'evaluate', flops, measured.length), ...oneShot, writing(step)];
};

const scaled = <T extends { readonly rows: number }>(shape: T, factor: number): T => ({
  ...shape,
  rows: factor * shape.rows,
});
