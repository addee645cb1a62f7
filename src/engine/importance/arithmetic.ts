/** In which arithmetic a criterion is computed: in one precision, or screened in int8 and exact where it matters. */
import type { Architecture } from '../checkpoint/architecture';
import { UserError } from '../errors';
import type { Provider } from '../onnx/session';
import { option, set } from '../option-token';
import type { PrecisionChoice } from '../precision';
import { type Criterion, criterionInfo } from './criteria';
import { scoringFlops, type RowShape } from './estimate';

/** Precisions of scores. */
export const SCORE_PRECISIONS = ['auto', 'float32', 'float16', 'int8'] as const satisfies readonly PrecisionChoice[];

export type ScorePrecision = (typeof SCORE_PRECISIONS)[number];

/** "as opened": in the model's own precision, float32 or float16. */
export type Arithmetic = 'as opened' | 'int8' | 'screened';

export interface ScoringTask {
  readonly criterion: Criterion;
  readonly architecture: Architecture;
  readonly rows: RowShape;
  readonly provider: Provider;
  /** Parts that are scored or may be removed, and how many of them are wanted exactly. */
  readonly candidates: number;
  readonly exact: number;
}

/**
 * Below so many operations a sweep takes a second or two, and what a screen adds (a second pass over the blocks, rounded
 * weights) is not less than what it saves.
 */
const LEAST_FLOPS = 5e11;

/**
 * What `auto` means here: a screen on the CPU, if it saves anything. Integer products are the CPU's.
 * @throws UserError for a precision that the criterion does not have
 */
export function arithmeticOf(choice: ScorePrecision, task: ScoringTask): Arithmetic {
  const { criterion, architecture, rows, provider, candidates, exact } = task;
  const { screens } = criterionInfo(criterion);
  if (choice === 'auto') {
    const saves = exact < candidates && scoringFlops(architecture, criterion, rows) >= LEAST_FLOPS;
    return screens && provider === 'cpu' && saves ? 'screened' : 'as opened';
  }
  if (choice === 'float32' || choice === 'float16') return 'as opened';
  if (!screens) throw refusedInt8(criterion, 'only models without a block are screened: those of ppl, kl and greedy');
  return 'int8';
}

export const refusedInt8 = (criterion: Criterion, why: string): UserError =>
  new UserError(
    `${criterion} cannot be computed in int8`,
    why,
    `Leave out ${option('precision')}, or ${set('precision', 'float32')}.`,
  );
