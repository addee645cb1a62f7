/**
 * How near a shortened model is to the unpruned one before and after it is retrained: mean KL and top-1 agreement on
 * tokens that were held out, beside their perplexity, which hides collapses.
 */
import { comparisonsOf, type Unpruned, type Viewed, wholeOf } from '../evaluate/compared';
import type { Changes, Model } from '../model/model';
import type { View } from '../model/view';
import type { JobOptions } from '../progress';
import { withChanges } from '../weights/overlay';
import { asStored } from '../checkpoint/width';
import type { KeyedPatch } from '../weights/patches';
import { checkpointWeights } from '../weights/checkpoint';
import { type Example, NO_LABEL } from './data/example';

/** How near a model is to the unpruned one on tokens that are held out. */
export interface HeldOutLikeness {
  /** Mean KL divergence from the unpruned model in nats, over the tokens to learn. */
  readonly kl: number;
  /** Share of these tokens for which both find the same token most likely. */
  readonly top1: number;
  /** Number of them. */
  readonly tokens: number;
}

/** Tokens that are read. The numbers are means, and settle earlier than a training takes. */
const MAX_TOKENS = 2048;
/** Rows are filled up to a multiple of this length, so that few lengths exist. */
const STEP = 32;

export interface LikenessQuestion {
  /** The model that is trained, with the weights that it started from. */
  readonly model: Model;
  readonly view: View;
  /** What lies below the trained weights: those of healing. */
  readonly below: Changes;
  /** The trained weights. */
  readonly patches: readonly KeyedPatch[];
  readonly heldOut: readonly Example[];
}

/** @returns undefined if no row has a token to learn; @throws CancelledError */
export async function heldOutLikeness(
  { model, view, below, patches, heldOut }: LikenessQuestion,
  job: JobOptions = {},
): Promise<HeldOutLikeness | undefined> {
  const rows = some(heldOut);
  if (rows.length === 0) return undefined;
  const { checkpoint } = model;
  const isChanged = below.length > 0 || checkpoint.narrowing !== undefined;
  const unpruned = isChanged ? await model.withWeights(checkpointWeights(asStored(checkpoint))) : model;
  const trained = await model.withWeights(withChanges(checkpointWeights(checkpoint), [...below, patches]));
  try {
    const against = { ...wholeOf(unpruned), changes: [...below, patches] };
    const found = await comparedOn(rows, { model: trained, view }, against, job);
    return found && { kl: found.kl, top1: found.top1, tokens: found.tokens };
  } finally {
    await trained.close();
    if (unpruned !== model) await unpruned.close();
  }
}

/** The same with the cross-entropy. */
export interface ComparedOn extends HeldOutLikeness {
  /** Mean cross-entropy of the tokens to learn, in nats. */
  readonly loss: number;
}

/** Compares a model with another on all these rows. @returns undefined if no row has a token to learn; @throws CancelledError */
export async function comparedOn(
  examples: readonly Example[],
  compared: Viewed,
  against: Unpruned,
  job: JobOptions = {},
): Promise<ComparedOn | undefined> {
  const rows = examples.filter(({ ids }) => ids.length > 1);
  let [loss, divergence, agreeing, tokens] = [0, 0, 0, 0];
  for (const [length, group] of byLength(rows)) {
    // What follows the end of a row has no influence on it.
    const filled = group.map(({ ids }) => Int32Array.from({ length }, (_, t) => ids[t] ?? 0));
    const found = await comparisonsOf(compared, against, filled, { signal: job.signal });
    const losses = found.flatMap((each) => Array.from(each.losses));
    const divergences = found.flatMap((each) => Array.from(each.divergences));
    const agree = found.flatMap((each) => Array.from(each.agree));
    for (const [r, { labels }] of group.entries()) {
      for (let t = 1; t < labels.length; t++) {
        if (labels[t] === NO_LABEL) continue;
        const at = r * (length - 1) + t - 1;
        loss += losses[at];
        divergence += divergences[at];
        agreeing += agree[at];
        tokens++;
      }
    }
  }
  return tokens === 0 ? undefined : { loss: loss / tokens, kl: divergence / tokens, top1: agreeing / tokens, tokens };
}

/** The first rows, up to a number of tokens; at least one. */
function some(heldOut: readonly Example[]): Example[] {
  let tokens = 0;
  const rows = heldOut.filter(({ ids }) => ids.length > 1);
  return rows.filter(({ ids }, r) => {
    tokens += ids.length;
    return r === 0 || tokens <= MAX_TOKENS;
  });
}

function byLength(rows: readonly Example[]): Map<number, Example[]> {
  const groups = new Map<number, Example[]>();
  for (const row of rows) {
    const length = Math.ceil(row.ids.length / STEP) * STEP;
    groups.set(length, [...(groups.get(length) ?? []), row]);
  }
  return groups;
}
