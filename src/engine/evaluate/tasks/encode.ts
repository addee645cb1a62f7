/** The tokens of a question's choices, as lm-evaluation-harness cuts a text into context and continuation. */
import { UserError } from '../../errors';
import type { Beginning } from '../../tokenizer/bos';
import type { Tokenizer } from '../../tokenizer/tokenizer';
import type { ChoiceItem } from './item';

/** A row of tokens, of which the last ones are scored. */
export interface ScoredRow {
  /** What the model reads: context and continuation without the last token. */
  readonly fed: readonly number[];
  /** The continuation: each token follows one of the last fed ones. */
  readonly targets: readonly number[];
}

export interface EncodeSettings {
  /** Most tokens that the model reads: its context. */
  readonly maxLength: number;
  /** How every context begins: only with `window` by a token, because the paper's harness, for `stream`, puts none. */
  readonly beginning: Beginning;
  /** Stands for an empty context, because the first token needs something before it. */
  readonly start?: number;
}

const PLAIN = { addSpecialTokens: false } as const;

/**
 * One row for each choice. White space at the end of a context goes to the continuation, whose tokens are those of the
 * whole text behind the tokens of the context alone. A row that is too long loses its beginning.
 * @throws UserError when a choice has no token, or a context is empty and the tokenizer has no token to begin with
 */
export async function encodeItem(
  tokenizer: Tokenizer,
  { item, choices }: ChoiceItem,
  { maxLength, beginning, start }: EncodeSettings,
): Promise<ScoredRow[]> {
  const bos = beginning.mode === 'window' ? beginning.id : undefined;
  const known = new Map<string, readonly number[]>();
  const idsOf = async (text: string): Promise<readonly number[]> => {
    const found = known.get(text) ?? (await tokenizer.encode(text, PLAIN));
    known.set(text, found);
    return found;
  };
  const rows: ScoredRow[] = [];
  for (const [c, { context, continuation }] of choices.entries()) {
    const before = context.trimEnd();
    const contextIds = await idsOf(before);
    const wholeIds = await idsOf(context + continuation);
    const targets = wholeIds.slice(contextIds.length);
    if (targets.length === 0) throw noToken(item, c);
    const first = bos ?? (contextIds.length === 0 ? (start ?? noStart(item)) : undefined);
    const row = [...(first === undefined ? [] : [first]), ...contextIds, ...targets].slice(-(maxLength + 1));
    rows.push({ fed: row.slice(0, -1), targets: targets.slice(-(row.length - 1)) });
  }
  return rows;
}

const noToken = (item: number, choice: number): UserError =>
  new UserError(
    `Choice ${choice} of item ${item} cannot be scored`,
    'behind its context it has no token of its own',
    'Write the choice with at least one letter.',
  );

function noStart(item: number): never {
  throw new UserError(
    `Item ${item} has an empty context`,
    'the model has neither a token that begins a text nor one that ends it, and a first token needs one before it',
    'Write a context.',
  );
}
