/**
 * Where the begin-of-text token (BOS) stands in what a model reads: one definition for calibration rows, windows, training
 * examples, questions and prompts.
 *
 * A model that was trained with BOS before each text predicts badly without it: its first token serves as the place that
 * attention rests on. So a row begins as the checkpoint's own tokenizer begins a text. The modes of Shortened LLaMA's
 * `src/eval_ppl.py` and `src/dataset.py` have names: `stream` is mode A, `window` mode B and `--add_bos_to_every`.
 */
import type { BosChoice, BosMode } from '../../format/bos';
import { UserError } from '../errors';
import { option, set } from '../option-token';
import type { Awaitable } from './tokenizer';

/** The part of a tokenizer that makes token ids. */
export interface Encoder {
  /** The token that the tokenizer puts before a text; undefined if it puts none. */
  readonly beginsWith?: number;
  encode(text: string, options: { readonly addSpecialTokens: boolean }): Awaitable<number[]>;
}

/** How texts begin. The id is there unless the mode is `none`. */
export type Beginning =
  { readonly mode: 'none'; readonly id?: undefined } | { readonly mode: Exclude<BosMode, 'none'>; readonly id: number };

/** What is known of a model's begin-of-text token. */
export interface BosSource {
  /** The checkpoint's tokenizer, if it has one. */
  readonly tokenizer: Pick<Encoder, 'beginsWith'> | undefined;
  /** `bos_token_id` of its config. */
  readonly bosTokenId: number | undefined;
}

/**
 * How texts begin. `auto` is `window` with the tokenizer's own token where the tokenizer puts one before a text, otherwise
 * `none`. So is `stream` for a model without such a token.
 * @throws UserError when a token is asked for before every row and the checkpoint has none
 */
export function beginningOf(choice: BosChoice = 'auto', { tokenizer, bosTokenId }: BosSource): Beginning {
  const own = tokenizer?.beginsWith;
  if (choice === 'auto') return own === undefined ? { mode: 'none' } : { mode: 'window', id: own };
  if (choice === 'none') return { mode: 'none' };
  const id = bosIdOf({ tokenizer, bosTokenId });
  if (id !== undefined) return { mode: choice, id };
  if (choice === 'stream') return { mode: 'none' };
  throw new UserError(
    `Cannot use ${option('bos', choice)}`,
    'the model has no begin-of-text token: its tokenizer puts none before a text, and its config has no "bos_token_id"',
    `${set('bos', 'auto')}.`,
  );
}

/** The begin-of-text token: the tokenizer's own, else that of the config. */
export const bosIdOf = ({ tokenizer, bosTokenId }: BosSource): number | undefined =>
  tokenizer?.beginsWith ?? bosTokenId;

/** Whether a text begins as `auto` has it. */
export const isUsual = ({ mode }: Beginning, tokenizer: BosSource['tokenizer']): boolean =>
  mode === (tokenizer?.beginsWith === undefined ? 'none' : 'window');

/**
 * Whether a text begins as it does where the tokenizer alone decides. That is what versions did which did not have this
 * choice, so what they kept goes on to count.
 */
export const isTokenizersOwn = ({ mode }: Beginning, tokenizer: BosSource['tokenizer']): boolean =>
  mode === 'stream' || (mode === 'none' && tokenizer?.beginsWith === undefined);

/** The ids of a text that stands alone, with its beginning. */
export async function encodeText(encoder: Encoder, text: string, beginning: Beginning): Promise<number[]> {
  const ids = await encoder.encode(text, { addSpecialTokens: beginning.mode === 'stream' });
  return beginning.mode === 'window' ? [beginning.id, ...ids] : ids;
}

/** The tokens that stand before every row; they count among its tokens. */
export const rowPrefix = (beginning: Beginning): readonly number[] =>
  beginning.mode === 'window' ? [beginning.id] : [];
