/** Scores of experts, and which ones stay, for display. */
import { basename } from 'node:path';
import type { CostDigest, ExpertsDigest } from '../../engine/records/digest-types';
import { defined } from '../../format/defined';
import { type Read, readAs } from '../read-result';
import { expertsResult, type ExpertsResult } from '../results/experts';
import { costOf } from './cost';

/** Undefined for a result without its main numbers. */
export function expertsOf(results: unknown): ExpertsDigest | undefined {
  const {
    criterion,
    experts,
    parameters,
    parametersBefore,
    blocks = [],
    ...more
  } = readAs(expertsResult, results) ?? {};
  const { before, after, perToken } = experts ?? {};
  if (criterion === undefined || before === undefined || after === undefined || perToken === undefined)
    return undefined;
  if (parameters === undefined || parametersBefore === undefined) return undefined;
  const { removed = [], unrouted = 0, rescale, calibration, text, out, bytesAfter } = more;
  const [own, fewer] = [more.before, more.after];
  const loss =
    own?.meanNll === undefined || fewer?.meanNll === undefined
      ? undefined
      : { before: own.meanNll, after: fewer.meanNll, kl: fewer.kl, text: text?.name };
  return defined({
    ...{ criterion, before, after, perToken, unrouted, removed },
    parameters: { before: parametersBefore, after: parameters },
    blocks: blocks.flatMap(({ index, scores = [], tokens = [], kept = [] }) =>
      index === undefined || scores.length !== before || tokens.length !== before
        ? []
        : [{ index, scores: scores.map(Number), tokens, kept }],
    ),
    rescale: rescaleOf(rescale),
    text: calibration?.name,
    loss: loss && defined(loss),
    bytesAfter,
    written: typeof out === 'string' ? basename(out) : undefined,
  });
}

/** Undefined for one without its numbers. */
function rescaleOf(read: Read<ExpertsResult['rescale']> | undefined): ExpertsDigest['rescale'] {
  const { applied, heldOut } = read ?? {};
  const { without, with: withThem } = heldOut ?? {};
  return applied === undefined || without === undefined || withThem === undefined
    ? undefined
    : { applied, without, with: withThem };
}

/** Sizes of the original and of the model with fewer experts; none of a run that wrote nothing. */
export const expertSizes = (
  { parameters, bytesAfter, written }: ExpertsDigest,
  model: string,
): readonly CostDigest[] | undefined =>
  written === undefined
    ? undefined
    : [
        costOf({ parameters: parameters.before }, model),
        costOf({ parameters: parameters.after, bytes: bytesAfter }, written),
      ];
