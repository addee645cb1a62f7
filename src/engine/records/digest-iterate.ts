/** The results of an iterative pruning, in a record of kind "iterate" or as a part ("iterative") of one of kind "prune". */
import { isObject, type JsonObject } from '../../format/json';
import { likenessOf } from './digest-heal';
import type { HealedPointDigest, IterativeDigest } from './digest-types';
import { entries, finite, objects, text } from './fields';

/** Undefined if nothing was removed iteratively. */
export function iterativeOf(results: unknown, criterion?: unknown): IterativeDigest | undefined {
  if (!isObject(results)) return undefined;
  const [method, full] = [text(results.method), likenessOf(results.full)];
  const rounds = objects(results.rounds).flatMap((each) => {
    const [round, block, point] = [finite(each.round), finite(each.block), pointOf(each)];
    const accuracy = finite(each.accuracy);
    if (round === null || block === null || !point) return [];
    return [{ round, block, ...point, ...(accuracy !== null && { accuracy }) }];
  });
  if (method === undefined || !full || rounds.length === 0) return undefined;
  const source = isObject(results.text) ? results.text : {};
  return {
    method,
    criterion: text(results.criterion) ?? text(criterion) ?? '',
    text: text(source.name) ?? '',
    rows: finite(source.rows),
    full,
    rounds,
    plain: objects(results.plain).flatMap((each) => likenessOf(each) ?? []),
    oneShot: objects(results.oneShot).flatMap((each) => {
      const [count, point] = [finite(each.count), pointOf(each)];
      return count === null || !point ? [] : [{ count, ...point }];
    }),
  };
}

function pointOf({
  removed,
  pruned,
  healed,
  recovery,
  trainingSeconds,
  steps,
}: JsonObject): HealedPointDigest | undefined {
  const [before, after] = [likenessOf(pruned), likenessOf(healed)];
  if (!before || !after) return undefined;
  const back = isObject(recovery) ? recovery : {};
  return {
    removed: entries(removed).filter((block): block is number => typeof block === 'number'),
    pruned: before,
    healed: after,
    seconds: finite(trainingSeconds),
    steps: finite(steps),
    nllPerSecond: finite(back.nllPerSecond),
    sharePerSecond: finite(back.sharePerSecond),
  };
}
