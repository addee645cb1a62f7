/** Options of training data, and their check. */
import type { TextShare } from '../../../format/text-share';
import { UserError } from '../../errors';
import { option } from '../../option-token';
import type { Beginning, Encoder } from '../../tokenizer/bos';
import type { Awaitable, ChatMessage } from '../../tokenizer/tokenizer';
import type { PromptStyle } from '../../application/prompted';
import { defaultHeldOut } from './held-out';
import type { DataKind } from './records';

/** The part of a tokenizer that training data needs. */
export interface TextEncoder extends Encoder {
  readonly hasChatTemplate: boolean;
  chat(messages: readonly ChatMessage[], options: { readonly addGenerationPrompt: boolean }): Awaitable<string>;
}

/** The options for making examples. */
export interface EncodingOptions {
  /** Maximum tokens of an example. The paper uses 256. */
  readonly length: number;
  /** The token that ends an answer or a document (`Architecture.eosTokenIds[0]`); none when undefined. */
  readonly eosTokenId?: number;
  /** How texts and windows begin. Of conversations, the chat template says it. */
  readonly beginning: Beginning;
}

export interface DataOptions extends EncodingOptions {
  /** Seed of the split. */
  readonly seed: number;
  /**
   * The part that is held out: a number of records, or a fraction below 1; 0 for none. `defaultHeldOut` when undefined.
   */
  readonly heldOut?: number;
  /** The share of each file that is read; all of it when undefined. */
  readonly share?: TextShare;
  /** The kind of the files; detected from their content when undefined. */
  readonly kind?: DataKind;
  /** How instructions are written; 'alpaca' when undefined. */
  readonly prompt?: PromptStyle;
  /** Join the lines of running text that is broken at a fixed width (unwrap.ts). */
  readonly unwrap?: boolean;
  /** Size of the model's vocabulary; all ids must be below it. */
  readonly vocabulary?: number;
  /** The model's context: rows of given batches must not be longer. */
  readonly context?: number;
}

/** No supported model attends over more than a million tokens. */
const LENGTH_CAP = 2 ** 20;

/** @throws UserError for an option out of range */
export function checkDataOptions({ length, heldOut = 0 }: Pick<DataOptions, 'length' | 'heldOut'>): void {
  if (!Number.isInteger(length) || length < 2 || length > LENGTH_CAP) {
    throw new UserError(
      `Cannot use ${option('retrain.length', length)}`,
      `it is not an integer from 2 to ${LENGTH_CAP}`,
      `Change ${option('retrain.length')}; the paper uses 256.`,
    );
  }
  if (!(heldOut >= 0) || (heldOut >= 1 && !Number.isSafeInteger(heldOut))) {
    throw new UserError(
      `Cannot hold out ${heldOut} of the data`,
      'it is neither a number of records nor a fraction below 1',
      'Give an integer such as 2000, a fraction such as 0.05, or 0 for none.',
    );
  }
}

/** The number of `records` to hold out, whether or not any is left. */
export const heldOutOf = (records: number, heldOut = defaultHeldOut(records)): number =>
  heldOut > 0 && heldOut < 1 ? Math.max(1, Math.round(heldOut * records)) : heldOut;

/**
 * The number of `records` to hold out.
 * @throws UserError when nothing would be left to train on
 */
export function heldOutCount(records: number, heldOut?: number): number {
  const count = heldOutOf(records, heldOut);
  if (count < records) return count;
  throw new UserError(
    `Cannot hold out ${count} of ${records} records`,
    'no record would remain for training',
    'Hold out less (0 for none), or give more data.',
  );
}
