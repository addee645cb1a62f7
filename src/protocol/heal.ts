/** Healing: what the job returns. */
import type { Precision } from '../engine/precision';
import type { JsonNumber } from '../format/json';
import type { HealMethod } from '../engine/heal/methods';
import type { HealStep } from '../engine/heal/result';
import type { RemovedEntry } from './json';

/** How near a model is to the whole one, on rows of text: mean loss and divergence in nats. */
export interface HealNumbers {
  readonly meanNll: JsonNumber;
  readonly ppl: JsonNumber;
  readonly kl: JsonNumber;
  /** Share of positions with the same most likely token. */
  readonly top1: JsonNumber;
}

/** A model on some rows: pruned, healed, and healed with every new weight rounded to the type of the file. */
export interface HealStagesResult {
  /** Number of measured rows. */
  readonly rows: number;
  readonly before: HealNumbers;
  readonly after: HealNumbers;
  readonly rounded: HealNumbers;
}

/** What healing changed, and how near the model is to the whole one. */
export interface HealResult {
  readonly removed: readonly RemovedEntry[];
  readonly method: HealMethod;
  /** Null: the method's rule, which the steps show. */
  readonly ridge: number | 'auto' | null;
  readonly step: number;
  readonly stepCut: number;
  /** Tokens that were fitted. */
  readonly tokens: number;
  /** The text: its name, and all its rows with their length. */
  readonly text: { readonly name: string; readonly rows: number; readonly length: number };
  /** On the fitted rows: on all of them with nothing held out, otherwise on as many as are held out. */
  readonly fit: HealStagesResult;
  /** On rows that were not fitted; null if none was held out. */
  readonly heldOut: HealStagesResult | null;
  readonly steps: readonly HealStep[];
  /** Which weights the result has: the healed ones, or the plain ones because they are better on the rows held out. */
  readonly weights: 'healed' | 'plain';
  /** Folder of the new checkpoint and file of the patch, absolute; null if not written. */
  readonly out: string | null;
  readonly patch: string | null;
  /** Files of the model that were not copied, and why; absent without a new checkpoint. */
  readonly leftBehind?: readonly { readonly name: string; readonly why: string }[];
  /** Of the whole job, and in it of the text that the model wrote (0 if none, or kept from an earlier run). */
  readonly seconds: number;
  readonly writingSeconds: number;
  readonly device: string;
  readonly precision: Precision;
}
