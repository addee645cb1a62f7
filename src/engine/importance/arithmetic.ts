/** In which arithmetic a criterion is computed: in one precision, or screened in int8 and exact where it matters. */
import type { Architecture } from '../checkpoint/architecture';
import { UserError } from '../errors';
import type { Provider } from '../onnx/session';
import { option, set } from '../option-token';
import type { PrecisionChoice } from '../precision';
import { type Criterion, criterionInfo } from './criteria';
import { scoringFlops, type RowShape } from './estimate';

export type Arithmetic = 'float32' | 'int8' | 'screened';

export interface ScoringTask {
  readonly criterion: Criterion;
  readonly architecture: Architecture;
  readonly rows: RowShape;
  readonly provider: Provider;
  /** Parts that are scored or may be removed, and how many of them are wanted exactly. */
  readonly candidates: number;
  readonly exact: number;
  /** Whether products of 8-bit integers are right on this processor. */
  readonly hasInt8: boolean;
}

/**
 * Below so many operations a sweep takes a second or two, and what a screen adds (a second pass over the blocks, rounded
 * weights) is not less than what it saves.
 */
const LEAST_FLOPS = 5e11;

/**
 * What `auto` means here, and whether the machine has what was asked for.
 *
 * auto: a screen on the CPU, if it saves anything. A GPU computes float32 as fast as it does integers.
 * @throws UserError
 */
export function arithmeticOf(choice: PrecisionChoice, task: ScoringTask): Arithmetic {
  const { criterion, architecture, rows, provider, candidates, exact, hasInt8 } = task;
  const { screens } = criterionInfo(criterion);
  if (choice === 'auto') {
    const saves = exact < candidates && scoringFlops(architecture, criterion, rows) >= LEAST_FLOPS;
    return screens && provider === 'cpu' && hasInt8 && saves ? 'screened' : 'float32';
  }
  if (choice === 'float32') return choice;
  const otherwise = `Leave out ${option('precision')}, or ${set('precision', 'float32')}.`;
  const refused = (why: string, action = otherwise): UserError =>
    new UserError(`${criterion} cannot be computed in ${choice}`, why, action);
  if (choice !== 'int8') throw refused('scores are computed in float32, or screened in int8');
  if (!screens) throw refused('only scores that measure the model without a block are screened in int8');
  if (provider !== 'cpu') throw refused('8-bit products run on the CPU', `${set('device', 'cpu')}. ${otherwise}`);
  if (!hasInt8) throw refused('this processor computes products of 8-bit integers wrongly', otherwise);
  return choice;
}
