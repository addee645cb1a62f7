/** The results of a healing, in a record of kind "heal" or as a part ("healing") of one of kind "prune", for display. */
import { isObject, type JsonObject } from '../../format/json';
import type { HealDigest, HealStagesDigest, HealStepDigest, LikenessDigest } from './digest-types';
import { entries, finite, jsonNumber, objects, text } from './fields';

/** Undefined if there was no healing. */
export function healOf(results: unknown): HealDigest | undefined {
  if (!isObject(results)) return undefined;
  const method = text(results.method);
  if (method === undefined) return undefined;
  const ridge = typeof results.ridge === 'number' ? String(results.ridge) : text(results.ridge);
  const weights = text(results.weights);
  const name = isObject(results.text) ? text(results.text.name) : undefined;
  const [fit, heldOut] = [stagesOf(results.fit), stagesOf(results.heldOut)];
  return {
    method,
    ...(ridge !== undefined && { ridge }),
    tokens: finite(results.tokens),
    ...(name !== undefined && { text: name }),
    removed: entries(results.removed),
    ...((weights === 'healed' || weights === 'plain') && { weights }),
    ...(fit && { fit }),
    ...(heldOut && { heldOut }),
    steps: objects(results.steps).flatMap(stepOf),
    seconds: finite(results.seconds),
    writingSeconds: finite(results.writingSeconds),
  };
}

function stagesOf(value: unknown): HealStagesDigest | undefined {
  if (!isObject(value)) return undefined;
  const [before, after, rounded] = [value.before, value.after, value.rounded].map(likenessOf);
  if (!before || !after) return undefined;
  return { rows: finite(value.rows), before, after, ...(rounded && { rounded }) };
}

/** Undefined unless all three numbers are there. */
export function likenessOf(value: unknown): LikenessDigest | undefined {
  if (!isObject(value)) return undefined;
  const [ppl, kl, top1] = [value.ppl, value.kl, value.top1].map(jsonNumber);
  return ppl === undefined || kl === undefined || top1 === undefined ? undefined : { ppl, kl, top1 };
}

function stepOf({ block, tensor, removed, errorBefore, errorAfter, ridge, s }: JsonObject): HealStepDigest[] {
  const [at, name] = [finite(block), text(tensor)];
  if (at === null || name === undefined) return [];
  const [before, after, factor] = [jsonNumber(errorBefore), jsonNumber(errorAfter), finite(s)];
  return [
    {
      block: at,
      tensor: name,
      removed: entries(removed),
      ...(before !== undefined && { errorBefore: before }),
      ...(after !== undefined && { errorAfter: after }),
      ...((ridge === null || typeof ridge === 'number') && { ridge }),
      ...(factor !== null && { factor }),
    },
  ];
}
