/** An iterative pruning for display: of "iterate", or as a part of records of "prune" that earlier versions wrote. */
import type { HealedPointDigest, IterativeDigest } from '../../engine/records/digest-types';
import { defined } from '../../format/defined';
import { readAs, type Read } from '../read-result';
import { type IterateResult, iterateResult } from '../results/iterate';
import { likenessOf } from './heal';

/** Undefined if nothing was removed iteratively. */
export function iterativeOf(results: unknown, criterion = ''): IterativeDigest | undefined {
  const read = readAs(iterateResult, results) ?? {};
  const full = likenessOf(read.full);
  const rounds = (read.rounds ?? []).flatMap(({ round, block, accuracy, probeLoss, ...each }) => {
    const point = pointOf(each);
    if (round === undefined || block === undefined || !point) return [];
    const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
    return [defined({ round, block, ...point, accuracy: number(accuracy), probeLoss: number(probeLoss) })];
  });
  if (read.method === undefined || !full || rounds.length === 0) return undefined;
  return {
    method: read.method,
    criterion: read.criterion ?? criterion,
    text: read.text?.name ?? '',
    rows: read.text?.rows ?? null,
    full,
    rounds,
    plain: (read.plain ?? []).flatMap((each) => likenessOf(each) ?? []),
    oneShot: (read.oneShot ?? []).flatMap(({ count, ...each }) => {
      const point = pointOf(each);
      return count === undefined || !point ? [] : [{ count, ...point }];
    }),
  };
}

type Point = Read<Omit<IterateResult['oneShot'][number], 'count'>>;

function pointOf(point: Point): HealedPointDigest | undefined {
  const { removed = [], recovery = {}, trainingSeconds = null, steps = null } = point;
  const [pruned, healed] = [point.pruned, point.healed].map(likenessOf);
  if (!pruned || !healed) return undefined;
  const each = (value: unknown): number | null => (typeof value === 'number' ? value : null);
  const [nllPerSecond, sharePerSecond] = [recovery.nllPerSecond, recovery.sharePerSecond].map(each);
  return { removed, pruned, healed, seconds: trainingSeconds, steps, nllPerSecond, sharePerSecond };
}
