/**
 * Cost of the criteria for each row of calibration tokens, in applications of a block to a row. Progress and estimates
 * use it. Pure: it loads nothing that computes.
 */
import type { Architecture } from '../checkpoint/architecture';
import type { Objective } from './objective';
import { meanLayerParameters } from '../checkpoint/parameters';
import { BACKWARD_WORK, HEAD_GRADIENT_WORK, headWork, INPUT_GRADIENT_WORK } from '../model/cost';
import type { Range } from '../parts/split';

/** What one application of the model's k-th step costs; 1 for a mean block. */
export type StepCost = (k: number) => number;

/** Counts applications, whatever the blocks are like. */
export const each: StepCost = () => 1;

/** What a sweep need not compute, because an earlier one over the same rows and steps did. */
export interface KnownSweep {
  /** The states of the whole model are known before steps 0 … states − 1; before step `steps` is the end. */
  readonly states: number;
  /** The losses of the whole model are known. */
  readonly losses: boolean;
  /** Its last states are needed in any case. */
  readonly needsLast: boolean;
}

const NOTHING_KNOWN: KnownSweep = { states: 0, losses: false, needsLast: false };

/** In a sweep, the whole model passes through the steps before this one: all, or those up to the last candidate. */
export const wholeEnd = (steps: number, candidates: readonly number[], { losses, needsLast }: KnownSweep): number =>
  losses && !needsLast ? (candidates.at(-1) ?? 0) : steps;

/**
 * Cost of a perplexity sweep.
 * @param steps of the model
 * @param candidates indices of the steps that are left out, one per variant, ascending
 */
export function sweepWork(
  architecture: Architecture,
  steps: number,
  candidates: readonly number[],
  cost: StepCost = each,
  known: KnownSweep = NOTHING_KNOWN,
): number {
  // The whole model passes through every step, and so does each variant after the step that it lacks.
  const starting = new Float64Array(steps);
  for (const k of candidates) starting[k]++;
  const [from, end] = [Math.max(0, known.states - 1), wholeEnd(steps, candidates, known)];
  let variants = 0;
  const blocks = sum(steps, (k) => {
    const here = cost(k) * (variants + Number(k >= from && k < end));
    variants += starting[k];
    return here;
  });
  return blocks + headWork(architecture) * (candidates.length + Number(!known.losses));
}

/** Cost of a sweep that also compares every model with a teacher, whose last states are known. */
export const comparisonSweepWork = (...[architecture, ...sweep]: Parameters<typeof sweepWork>): number =>
  sweepWork(architecture, ...sweep) + headWork(architecture);

/** How many of the candidates a screen leaves to the exact part unless a number is asked for. */
export const exactShare = (candidates: number): number => Math.ceil(candidates / 3);

/** With so few candidates, a screen of a round would leave most of them to float32. */
const FEW = 8;
export const isScreenedRound = (candidates: number): boolean => candidates > FEW;

/** So many models of a round are computed exactly at first: a few errors are needed before anything is certain. */
const ROUND_EXACT = 4;

/**
 * How much faster a screen is than float32 once its blocks are open. It and ROUNDED_TOKENS are fitted to whole sweeps of SmolLM2-135M-Instruct,
 * 10 × 128 (`npm run bench -- sweep`): in int8 they took 0.55 of float32's time on two cores with AVX-512, and 0.45 to 0.53 with AMX.
 * Wider blocks gain more, those of LLaMA-7B's shapes 2.9 × with AVX-512.
 */
const SCREEN_SPEED = 2.2;

/**
 * Opening a block in int8, with the rounding of its weights, takes longer than in float32 by what so many tokens take through it in
 * float32.
 */
const ROUNDED_TOKENS = 1000;

/** Whose blocks are opened, and for how many tokens. */
export interface ScreenedRows {
  readonly architecture: Architecture;
  /** Of all rows together. */
  readonly tokens: number;
}

/** Of rows of one length. */
export const screenedRows = (
  { architecture }: { readonly architecture: Architecture },
  rows: readonly { readonly length: number }[],
): ScreenedRows => ({ architecture, tokens: rows.length * rows[0].length });

/** Cost of a sweep that is screened in int8, in float32's applications of a block. */
export interface ScreenedWork {
  readonly screen: number;
  /** The whole model, and those candidates that are wanted exactly. */
  readonly exact: number;
  /** Further candidates that must be looked at: how many is not known in advance. */
  readonly further: number;
}

/**
 * Further candidates are taken to cost a third of those that are wanted. SmolLM2 (10 × 128) took 0.78 to 0.86 of float32's time with
 * six exact blocks, and 0.92 to 1.11 with ten.
 * @param exact how many of the candidates are wanted exactly
 * @param sweep cost of a sweep over some candidates
 */
export function screenedWork(
  { architecture, tokens }: ScreenedRows,
  candidates: readonly number[],
  exact: number,
  sweep: (candidates: readonly number[]) => number,
): ScreenedWork {
  // Which ones is not known in advance: they are taken to be spread evenly.
  const some = Array.from({ length: exact }, (_, i) => candidates[Math.floor(((i + 0.5) * candidates.length) / exact)]);
  const work = sweep(some);
  const screen = inInt8({ architecture, tokens }, sweep(candidates));
  return { screen, exact: work, further: work / 3 };
}

/** Work that is done in int8, its weights rounded once, in float32's applications of a block. */
const inInt8 = ({ architecture, tokens }: ScreenedRows, work: number): number =>
  work / SCREEN_SPEED + (ROUNDED_TOKENS / tokens) * (architecture.layers.length + headWork(architecture));

/** The same of a round of removals in turn, which wants the least candidate only. */
export const screenedRoundWork = (
  rows: ScreenedRows,
  candidates: readonly number[],
  sweep: (candidates: readonly number[]) => number,
): ScreenedWork => screenedWork(rows, candidates, Math.min(ROUND_EXACT, candidates.length), sweep);

/**
 * Cost of a sweep as it is computed: exactly, or behind a screen.
 * @param exact how many candidates are wanted behind a screen; undefined without one
 */
export function workBehindScreen(
  rows: ScreenedRows,
  candidates: readonly number[],
  exact: number | undefined,
  sweep: (candidates: readonly number[]) => number,
): number {
  if (exact === undefined) return sweep(candidates);
  const work = screenedWork(rows, candidates, Math.min(exact, candidates.length), sweep);
  return work.screen + work.exact + work.further;
}

/** Cost of `count` steps. */
export const sum = (count: number, of: (k: number) => number): number =>
  Array.from({ length: count }, (_, k) => of(k)).reduce((a, b) => a + b, 0);

/**
 * Cost of Taylor scores: forward through `steps`, the gradient of the loss, and backward.
 * @param own the steps whose scores are wanted. The way back ends with the first of these, and from the last of the model
 * down to them only the gradients of states are needed
 */
export function taylorWork(
  architecture: Architecture,
  steps: number,
  cost: StepCost = each,
  own: Range = { from: 0, to: steps },
): number {
  const back = (k: number): number => {
    if (k < own.from) return 0;
    return k < own.to ? BACKWARD_WORK : INPUT_GRADIENT_WORK;
  };
  return sum(steps, (k) => cost(k) * (1 + back(k))) + headWork(architecture) * HEAD_GRADIENT_WORK;
}

/**
 * Cost of the rounds of a greedy run, each a sweep; by divergence, the last states of the teacher come first. In every round the model has one step and one candidate less. The
 * removed blocks are not known in advance, so the last candidates are assumed to go first.
 * @param candidates indices of the steps that may be removed
 * @param count requested removals
 * @param screened rounds with many candidates are screened in int8
 */
export function greedyWork(
  architecture: Architecture,
  steps: number,
  candidates: readonly number[],
  count: number,
  objective: Objective = 'ppl',
  cost: StepCost = each,
  screened?: ScreenedRows,
): number[] {
  const sweep = objective === 'kl' ? comparisonSweepWork : sweepWork;
  const rounds = Array.from({ length: Math.min(count, candidates.length) }, (_, round) => {
    const left = steps - round;
    const open = candidates.slice(0, candidates.length - round).map((k) => Math.min(k, left - 1));
    const work = (some: readonly number[]): number => sweep(architecture, left, some, cost);
    if (!screened || !isScreenedRound(open.length)) return work(open);
    const { screen, exact, further } = screenedRoundWork(screened, open, work);
    return screen + exact + further;
  });
  return objective === 'kl' ? [sum(steps, cost), ...rounds] : rounds;
}

/** Of the rounds of removing modules in turn, the first of so many measures all parts. */
export const FULL_ROUND = 5;

/**
 * In the other rounds, that many of the parts that may go are measured. Of six rounds that measured all, the best part was in the
 * third that had cost least before in four, and in the half in all (docs/design/importance.md).
 */
export const remeasured = (open: number): number => Math.min(open, Math.max(8, Math.ceil(open / 2)));

/**
 * Cost of removing modules and blocks in turn, as large as `count` blocks together; by divergence, the last states of the teacher come
 * first. How many parts that is is not known in advance: a round for each module of so many blocks is assumed.
 * @param blocks of the model
 * @param candidates blocks whose parts may be removed
 * @param fold cost of a fold, if every variant is healed
 */
export function modulesWork(
  architecture: Architecture,
  blocks: number,
  candidates: readonly number[],
  count: number,
  objective: Objective = 'ppl',
  fold = 0,
): { readonly dense: number; readonly rounds: number } {
  const sweep = objective === 'kl' ? comparisonSweepWork : sweepWork;
  const rounds = sum(Math.min(2 * count, 2 * candidates.length), (round) => {
    const open = candidates.slice(0, candidates.length - (round >> 1));
    // Modules, and half as many blocks.
    const some = round % FULL_ROUND === 0 ? open.length : Math.ceil(remeasured(3 * open.length) / 3);
    const measured = Array.from({ length: some }, (_, i) => open[Math.floor((i * open.length) / some)]);
    const modules = measured.flatMap((block) => [2 * block, 2 * block + 1]);
    // A variant has its own fold, and those of earlier removals that come after it: half of them.
    const folds = fold * (3 * some + round * (1 + (3 * some) / 2));
    return (
      sweep(architecture, 2 * blocks, modules, () => 1 / 2) + sweep(architecture, blocks, measured, () => 1) + folds
    );
  });
  return { dense: objective === 'kl' ? blocks : 0, rounds };
}

/**
 * Cost of a fold: half of a symmetric matrix of products, products with what is wanted, and the correction of the
 * stream, each as large as a product with a (hidden, hidden) weight.
 */
export const foldWork = (architecture: Architecture): number =>
  (2.5 * architecture.hidden ** 2) / meanLayerParameters(architecture);

/** A greedy run that heals every variant: the dense stream, and for each round the choice of candidates and the sweep. */
export interface HealedWork {
  readonly dense: number;
  readonly rounds: readonly { readonly choosing: number; readonly measuring: number }[];
}

/**
 * How many of the candidates of a round are measured: those whose folds leave least of the dense stream. The best after
 * healing was among the first four of 29 and three of 11 in every round that was tried (docs/design/importance.md).
 */
export const shortlistSize = (open: number): number => Math.min(open, Math.max(4, Math.ceil(open / 3)));

/**
 * Cost of a greedy run that heals every variant. Removals are assumed to be apart from each other: then each has a fold
 * of its own.
 * @param candidates indices of the steps that may be removed
 * @param count requested removals
 */
export function healedWork(
  architecture: Architecture,
  steps: number,
  candidates: readonly number[],
  count: number,
  cost: StepCost = each,
): HealedWork {
  const fold = foldWork(architecture);
  const rounds = Array.from({ length: Math.min(count, candidates.length) }, (_, round) => {
    const left = steps - round;
    const open = candidates.length - round;
    const some = shortlistSize(open);
    // Which ones is not known in advance: they are taken to be spread evenly.
    const measured = Array.from({ length: some }, (__, i) =>
      Math.min(left - 1, candidates[Math.floor((i * open) / some)]),
    );
    // A variant has its own fold, and those of earlier removals that come after it: half of them.
    const folds = some + round * (1 + some / 2);
    return {
      choosing: some === open ? 0 : sum(left, cost) + fold * (open + round),
      measuring: comparisonSweepWork(architecture, left, measured, cost) + fold * folds,
    };
  });
  return { dense: sum(steps, cost), rounds };
}

/** The share of the rows on which pairs of blocks are measured: their order is nearly that of all rows (docs/design/importance.md). */
const PAIR_SHARE = 0.3;

/** Rows on which pairs of blocks are measured. */
export const pairRows = (rows: number): number => Math.ceil(PAIR_SHARE * rows);

/** Sets of the least energy that are measured on all rows. */
export const SHORTLIST = 24;
/** The nearest of them, which are healed, and judged by what that leaves. */
export const FINALISTS = 8;

/** Cost of a choice by energy, for each row of all. */
export interface EnergyWork {
  readonly dense: number;
  /** Of single blocks and pairs. */
  readonly pairs: number;
  /** Of the shortlist as it is, and of the finalists healed. */
  readonly plain: number;
  readonly healed: number;
}

/**
 * @param candidates indices of the steps that may be removed, ascending
 * @param count requested removals
 * @param screened pairs are measured in int8
 */
export function energyWork(
  architecture: Architecture,
  steps: number,
  candidates: readonly number[],
  count: number,
  cost: StepCost = each,
  screened?: ScreenedRows,
): EnergyWork {
  const after = Array.from({ length: steps + 1 }, () => 0);
  for (let k = steps - 1; k >= 0; k--) after[k] = after[k + 1] + cost(k);
  const head = headWork(architecture);
  // All share the model up to their first block, and pairs from there up to their second.
  const terms = candidates.map((a, i) => {
    const seconds = count > 1 ? candidates.slice(i + 1) : [];
    return seconds.reduce((total, b) => total + after[b + 1] + head, after[a + 1] + head);
  });
  const pairs = PAIR_SHARE * terms.reduce((total, each) => total + each, after[0]);
  const shortlist = Math.min(SHORTLIST, count > 1 ? Infinity : candidates.length);
  const finalists = Math.min(FINALISTS, shortlist);
  return {
    dense: after[0],
    pairs: screened ? inInt8(screened, pairs) : pairs,
    // The best sets are alike, so they share most of their beginnings.
    plain: shortlist * (after[0] / 2 + head),
    // The dense stream, the healed one and the fits of every block, on most of the rows; the healed model on the others.
    healed: finalists * ((2 + 2 * foldWork(architecture)) * after[0] + 2 * head),
  };
}

export interface Scope {
  /** How many candidates are wanted exactly, behind a screen in int8; all are computed exactly when undefined. */
  readonly exact?: number;
  /** Tokens of all rows, among which a screen divides the rounding of the weights. */
  readonly tokens?: number;
  /** Blocks to remove, for a criterion that chooses a number of them. */
  readonly count?: number;
  /** Blocks that it must not try. */
  readonly kept?: ReadonlySet<number>;
  /** What it keeps low; the criterion's default when undefined. */
  readonly objective?: Objective;
  /** The parts that are scored; blocks when undefined. */
  readonly granularity?: 'block' | 'module';
}
