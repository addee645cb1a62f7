/** In which arithmetic a criterion is computed: in one precision, or screened in int8 and exact where it matters. */
import type { Architecture } from '../checkpoint/architecture';
import { UserError } from '../errors';
import type { Provider } from '../onnx/session';
import { option, set } from '../option-token';
import type { PrecisionChoice } from '../precision';
import { exactShare, type Scope } from './cost';
import { type Criterion, criterionInfo } from './criteria';
import { scoringFlops, type RowShape } from './estimate';
import { LEAST_ROWS } from './race';

/** Precisions of scores. */
export const SCORE_PRECISIONS = [
  'auto',
  'float32',
  'float16',
  'bfloat16',
  'int8',
] as const satisfies readonly PrecisionChoice[];

export type ScorePrecision = (typeof SCORE_PRECISIONS)[number];

/** "as opened": in the model's own precision, float32, float16 or bfloat16. */
export type Arithmetic = 'as opened' | 'int8' | 'screened';

/** What decides whether a screen is worth its time. */
export interface ScreenQuestion {
  readonly criterion: Criterion;
  readonly architecture: Architecture;
  readonly rows: RowShape;
  /** Parts that are scored, those among them that may be removed, and how many of these are wanted exactly. */
  readonly parts: number;
  readonly candidates: number;
  readonly exact: number;
  /** What else the work depends on. */
  readonly scope?: Pick<Scope, 'count' | 'kept' | 'objective'>;
}

export interface ScoringTask extends ScreenQuestion {
  readonly provider: Provider;
  /** The number of exact ones is the user's: the rest is screened even where that saves little. */
  readonly isAsked?: boolean;
}

/** Below so many operations a sweep takes a second or two, mostly for what is not counted: opening blocks, and small operators. */
const LEAST_FLOPS = 5e11;

/** A screen is worth its time if with the exact part it is expected to take at most this much of the time of float32. */
const WORTH = 0.8;

/**
 * Whether `auto` screens: if the sweep in int8, the wanted exact part and what is confirmed besides (cost.ts) are expected to take
 * clearly less time than float32 alone. It depends on how much is wanted exactly, on the blocks, and on the rows: the more, the less
 * the rounding of the weights counts. Of SmolLM2's 30 blocks (10 × 128) four exact ones are worth a screen, and ten are not.
 */
export function isWorthScreening({
  criterion,
  architecture,
  rows,
  parts,
  candidates,
  exact,
  scope,
}: ScreenQuestion): boolean {
  if (!criterionInfo(criterion).screens || exact >= candidates) return false;
  const plain = scoringFlops(architecture, criterion, rows, scope);
  if (plain < LEAST_FLOPS) return false;
  // Of attention and FFN apart, as large a share of the blocks.
  const blocks = Math.ceil((exact * architecture.layers.length) / parts);
  const screened = scoringFlops(architecture, criterion, rows, { ...scope, exact: blocks });
  return screened <= WORTH * plain;
}

/**
 * A race passes over the model some more times. Where its blocks do not stay open for that, each pass opens them again, which takes as
 * long as some thousand tokens through a block: that must be less than what a race saves, with room for what it cannot save.
 */
const TOKENS_BY_PARTS = 80_000;

/**
 * By loss, a head costs less than by KL divergence, so further passes weigh more: a race for one or three of 30 blocks takes 0.83 to 0.94 of the time
 * over all rows, one for six 1.07. Up to this share of the parts there is a race.
 */
const FEW_BY_LOSS = 1 / 8;

/** Whether a race is worth its passes. @param holds blocks stay open from one pass to the next */
export function isWorthRacing(
  { criterion, architecture, rows, parts, exact, candidates, scope }: ScreenQuestion,
  holds: boolean,
): boolean {
  if (!criterionInfo(criterion).screens || rows.rows < LEAST_ROWS || exact >= candidates) return false;
  if (scoringFlops(architecture, criterion, rows, scope) < LEAST_FLOPS) return false;
  if (criterion === 'ppl' && exact > FEW_BY_LOSS * candidates) return false;
  return holds || rows.rows * rows.length * parts >= TOKENS_BY_PARTS;
}

/**
 * What a race leaves of the time over all rows: by KL divergence, of a score that wants several blocks (Gemma 3 270M, four), and of rounds that
 * want one each and begin with what the round before knows (SmolLM2, six); by loss, of a score that wants few (SmolLM2, one and three;
 * 10 × 128, `npm run bench -- race --timed`).
 */
const RACED = { once: 0.77, inTurn: 0.73, byLoss: 0.9 };

/** Share of the time over all rows that a score of a whole model is expected to take, for estimates: 1 where nothing is raced. */
export function expectedRace(
  architecture: Architecture,
  criterion: Criterion,
  rows: RowShape,
  { exact = exactShare(architecture.layers.length), ...scope }: Scope,
): number {
  const parts = architecture.layers.length;
  const inTurn = criterionInfo(criterion).inTurn === true;
  const question = { criterion, architecture, rows, parts, candidates: parts, exact: inTurn ? 1 : exact, scope };
  // What is free in memory is not known in advance; blocks of models that pay for a race mostly stay open.
  if (!isWorthRacing(question, true)) return 1;
  if (inTurn) return RACED.inTurn;
  return criterion === 'ppl' ? RACED.byLoss : RACED.once;
}

/** What `auto` is expected to want exactly of a whole model, for estimates (`Scope`): nothing where all is exact. */
export function expectedScreen(
  architecture: Architecture,
  criterion: Criterion,
  rows: RowShape,
  { exact = exactShare(architecture.layers.length), ...scope }: Scope,
): Pick<Scope, 'exact'> {
  const parts = architecture.layers.length;
  const wanted = criterionInfo(criterion).inTurn ? 1 : exact;
  const question = { criterion, architecture, rows, parts, candidates: parts, exact: wanted, scope };
  return isWorthScreening(question) ? { exact: wanted } : {};
}

/**
 * What `auto` means here: a screen on the CPU, if it saves time or is asked for. Integer products are the CPU's.
 * @throws UserError for a precision that the criterion does not have
 */
export function arithmeticOf(choice: ScorePrecision, task: ScoringTask): Arithmetic {
  const { criterion, provider, candidates, exact, isAsked = false } = task;
  const { screens, heals } = criterionInfo(criterion);
  if (choice === 'auto') {
    const isWanted = screens && (isAsked ? exact < candidates : isWorthScreening(task));
    return provider === 'cpu' && isWanted ? 'screened' : 'as opened';
  }
  if (choice === 'float32' || choice === 'float16' || choice === 'bfloat16') return 'as opened';
  if (!screens) throw refusedInt8(criterion, 'only models without a block are screened: those of ppl, kl and greedy');
  if (heals) throw refusedInt8(criterion, 'the best sets are healed, which int8 is too coarse for');
  return 'int8';
}

export const refusedInt8 = (criterion: Criterion, why: string): UserError =>
  new UserError(
    `${criterion} cannot be computed in int8`,
    why,
    `Leave out ${option('precision')}, or ${set('precision', 'float32')}.`,
  );
