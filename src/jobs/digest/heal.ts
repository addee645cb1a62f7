/** A healing for display: of "heal", or as a part of a result of "prune". */
import type { HealDigest, HealStagesDigest, HealStepDigest, LikenessDigest } from '../../engine/records/digest-types';
import { defined } from '../../format/defined';
import { readAs, type Read } from '../read-result';
import type { HealNumbers } from '../results/common';
import { type HealResult, healResult } from '../results/heal';

/** Undefined if there was no healing. */
export function healOf(results: unknown): HealDigest | undefined {
  const {
    method,
    ridge,
    text,
    removed = [],
    weights,
    fit,
    heldOut,
    steps = [],
    ...more
  } = readAs(healResult, results) ?? {};
  if (method === undefined) return undefined;
  const { tokens = null, seconds = null, writingSeconds = null } = more;
  const rule = ridge === undefined || ridge === null ? undefined : String(ridge);
  const stages = { fit: stagesOf(fit), heldOut: stagesOf(heldOut) };
  const kept = weights === 'healed' || weights === 'plain' ? weights : undefined; // another version may know more
  const healed = { method, ridge: rule, tokens, text: text?.name, removed, weights: kept, ...stages };
  return defined({ ...healed, steps: steps.flatMap(stepOf), seconds, writingSeconds });
}

function stagesOf(stages: Read<HealResult['heldOut']> | undefined): HealStagesDigest | undefined {
  const [before, after, rounded] = [stages?.before, stages?.after, stages?.rounded].map(likenessOf);
  return before && after && defined({ rows: stages?.rows ?? null, before, after, rounded });
}

/** Undefined unless all three numbers are there. */
export function likenessOf(numbers: Read<HealNumbers> | undefined): LikenessDigest | undefined {
  const { ppl, kl, top1 } = numbers ?? {};
  return ppl === undefined || kl === undefined || top1 === undefined ? undefined : { ppl, kl, top1 };
}

function stepOf({
  block,
  tensor,
  removed = [],
  s: factor,
  ...more
}: Read<HealResult['steps'][number]>): HealStepDigest[] {
  if (block === undefined || tensor === undefined) return [];
  const { errorBefore, errorAfter, ridge } = more;
  return [defined({ block, tensor, removed, errorBefore, errorAfter, ridge, factor })];
}
