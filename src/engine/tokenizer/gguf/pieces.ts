/**
 * tokenizer.json for SentencePiece's BPE: llama.cpp's model "llama". It merges the two neighbours whose joined text has
 * the greatest score; tokenizer.json lists the pairs that may be merged, in order. So every way to cut a token into two
 * becomes a merge, and the merges of tokens with greater scores come first.
 */
import type { JsonObject } from '../../../format/json';
import { MERGE_TEXT_CAP, PIECE_CAP } from '../limits';
import { KEYS, type TokenizerFields } from './fields';
import type { Vocabulary } from './vocabulary';

/** What SentencePiece writes for a space. */
const MARK = '\u2581';

/**
 * The stages of tokenizer.json that differ by model.
 * @throws UserError for scores that are missing, and for tokens that are too long to be cut everywhere
 */
export function pieceStages(fields: TokenizerFields, vocabulary: Vocabulary, unknown: string | undefined): JsonObject {
  const prefix = fields.flag('tokenizer.ggml.add_space_prefix') ?? true;
  const marks = { type: 'Replace', pattern: { String: ' ' }, content: MARK };
  const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 };
  return {
    normalizer: prefix
      ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: MARK }, marks] }
      : { type: 'Sequence', normalizers: [marks] },
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: MARK }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefix ? [strip] : []),
      ],
    },
    model: {
      unk_token: unknown ?? null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      merges: mergesOf(fields, vocabulary),
    },
  };
}

interface Merge {
  readonly pair: readonly [left: string, right: string];
  /** Of the joined token. */
  readonly score: number;
}

/** In the order of the tokenizers library's converter: by score; of equal scores by id of the token, then of the parts. */
function mergesOf(fields: TokenizerFields, { tokens, ids }: Vocabulary): readonly Merge['pair'][] {
  const scores = fields.numbers(KEYS.scores, tokens.length);
  const normal = (text: string): number | undefined => {
    const id = ids.get(text);
    return id !== undefined && tokens[id].kind === 'normal' ? id : undefined;
  };
  const merges: Merge[] = [];
  let characters = 0;
  tokens.forEach(({ text, kind }, id) => {
    if (kind !== 'normal') return;
    if (text.length > PIECE_CAP) {
      throw fields.damaged(KEYS.tokens, `its item ${id} has ${text.length} characters, more than ${PIECE_CAP}`);
    }
    for (const pair of splitsOf(text, normal)) {
      merges.push({ pair, score: scores[id] });
      characters += text.length;
    }
    if (characters > MERGE_TEXT_CAP) {
      throw fields.damaged(KEYS.tokens, `the merges of its texts have more than ${MERGE_TEXT_CAP} characters`);
    }
  });
  return merges.sort((a, b) => b.score - a.score).map(({ pair }) => pair);
}

/** The ways to cut `text` into two tokens, by the ids of the parts. */
function splitsOf(text: string, idOf: (text: string) => number | undefined): Merge['pair'][] {
  const found: { pair: Merge['pair']; left: number; right: number }[] = [];
  for (let end = 1; end < text.length; end++) {
    const first = text.slice(0, end);
    const left = idOf(first); // no token ends within a character
    if (left === undefined) continue;
    const second = text.slice(end);
    const right = idOf(second);
    if (right !== undefined) found.push({ pair: [first, second], left, right });
  }
  return found.sort((a, b) => a.left - b.left || a.right - b.right).map(({ pair }) => pair);
}
