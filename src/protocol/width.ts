/** Width pruning: what the job returns. */
import type { Precision } from '../engine/precision';
import type { WidthMethod } from '../engine/importance/width/methods';
import type { JsonNumber } from '../format/json';

/** What is kept of a block, 0-based and ascending. A group is a key-value head with its query heads. */
export interface WidthLayerResult {
  readonly groups: readonly number[];
  readonly neurons: readonly number[];
}

/** What every block keeps, and the narrower model. */
export interface WidthResult {
  readonly method: WidthMethod;
  /** As the method means it; found for a size if one was asked for. */
  readonly ratio: number;
  /** Parameters that were asked for; null if a ratio was. */
  readonly target: number | null;
  readonly parametersBefore: number;
  readonly parametersAfter: number;
  /** Of the narrower model on the calibration rows. */
  readonly meanNll: JsonNumber;
  readonly ppl: JsonNumber;
  /** One for each block. */
  readonly layers: readonly WidthLayerResult[];
  /** FLAP keeps units with higher scores; null for other methods. */
  readonly threshold: number | null;
  /** What the method could not do as it was asked. */
  readonly warnings: readonly string[];
  /** Folder of the new checkpoint, file of the width and GGUF file, absolute; null if not written. */
  readonly out: string | null;
  readonly save: string | null;
  readonly gguf: string | null;
  /** Files of the model that were not copied, and why; absent without a new checkpoint. */
  readonly leftBehind?: readonly { readonly name: string; readonly why: string }[];
  /** Which programs open the new checkpoint, in a sentence. */
  readonly loading?: string;
  /** Of the whole job, and in it of choosing what is kept: the method alone. */
  readonly seconds: number;
  readonly pruningSeconds: number;
  readonly device: string;
  readonly precision: Precision;
}
