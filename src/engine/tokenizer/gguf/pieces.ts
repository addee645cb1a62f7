/**
 * SentencePiece's BPE, on characters that fall back to bytes (LLaMA 1 and 2, Mistral, TinyLlama): llama.cpp's model "llama".
 * It merges the two neighbours whose joined text has the greatest score; tokenizer.json lists the pairs that may be merged, in
 * order. So every way to cut a token into two is a merge, and the merges of tokens with greater scores come first.
 */
import { isObject, type JsonObject } from '../../../format/json';
import type { GgufField } from '../../formats/gguf/layout';
import { bool, text } from '../../formats/gguf/values';
import type { TokenizerDescription } from '../files';
import { MERGE_TEXT_CAP, PIECE_CAP } from '../limits';
import { KEYS, type TokenizerFields } from './fields';
import { Refusal } from './refusal';
import type { GgufToken, Vocabulary } from './vocabulary';

/** What SentencePiece writes for a space. */
const MARK = '\u2581';
const BYTES = 256;
const SPACE_PREFIX = 'tokenizer.ggml.add_space_prefix';

/**
 * The stages of tokenizer.json that differ by model.
 * @throws UserError for scores that are missing, and for tokens that are too long to be cut everywhere
 */
export function pieceStages(fields: TokenizerFields, vocabulary: Vocabulary, unknown: string | undefined): JsonObject {
  const prefix = fields.flag(SPACE_PREFIX) ?? true;
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

/** Whether characters that are no token become bytes. */
export const isPieces = ({ model }: TokenizerDescription): boolean => model.byte_fallback === true;

/** @throws Refusal for a tokenizer that scores cannot express */
export function pieceFields(
  description: TokenizerDescription,
  tokens: readonly GgufToken[],
): { fields: GgufField[]; notes: readonly string[] } {
  const { model } = description;
  if (model.ignore_merges === true) throw new Refusal('it ignores merges (ignore_merges)');
  const bytes = tokens.filter(({ kind }) => kind === 'byte').length;
  if (bytes !== BYTES) throw new Refusal(`it has ${bytes} tokens for single bytes, not ${BYTES}`);
  const start = startOfText(description, tokens);
  return {
    fields: [
      [KEYS.model, text('llama')],
      [KEYS.pre, text('default')],
      [KEYS.scores, { type: 'array', of: 'f32', values: scoresOf(model.merges as readonly unknown[], tokens) }],
      [SPACE_PREFIX, bool(start.space)],
    ],
    notes: start.notes,
  };
}

/** A token's score is minus the rank of the first merge that makes it: exact in float32 up to 2 ** 24 merges. */
function scoresOf(merges: readonly unknown[], tokens: readonly GgufToken[]): Float32Array {
  const pairs = new Map<string, Set<string>>();
  const ranks = new Map<string, number>();
  merges.forEach((merge, rank) => {
    const [left, right] = typeof merge === 'string' ? merge.split(' ') : (merge as readonly string[]);
    const joined = left + right;
    if (!ranks.has(joined)) ranks.set(joined, rank);
    pairs.set(joined, (pairs.get(joined) ?? new Set()).add(left));
  });
  const normal = new Set(tokens.filter(({ kind }) => kind === 'normal').map((token) => token.text));
  for (const token of normal) requireAllSplits(token, normal, pairs.get(token));
  // Tokens that no merge makes are single characters, and what is found in the text before it is cut.
  return Float32Array.from(tokens, (token) => -(ranks.get(token.text) ?? merges.length));
}

function requireAllSplits(token: string, tokens: ReadonlySet<string>, listed: ReadonlySet<string> | undefined): void {
  const characters = Array.from(token);
  let left = '';
  for (const character of characters.slice(0, -1)) {
    left += character;
    if (!tokens.has(left) || !tokens.has(token.slice(left.length)) || listed?.has(left)) continue;
    const pair = `${JSON.stringify(left)} and ${JSON.stringify(token.slice(left.length))}`;
    throw new Refusal(`it does not merge ${pair} although their joined text is a token, which scores cannot express`);
  }
}

interface StartOfText {
  /** A space is put before a text. llama.cpp makes no other changes to texts of this kind. */
  readonly space: boolean;
  readonly notes: readonly string[];
}

function startOfText(description: TokenizerDescription, tokens: readonly GgufToken[]): StartOfText {
  const changes = listOf(description.normalizer, 'normalizers').map(changeName).join();
  const cuts = listOf(description.pre_tokenizer, 'pretokenizers');
  if (cuts.length === 0 && changes === 'prepend,replace') return { space: true, notes: [] };
  // Gemma's cuts at spaces, but its normalizer has replaced them all.
  if (cuts.every(isCutAtSpaces) && changes === 'replace') return { space: false, notes: [] };
  if (cuts.length !== 1 || cuts[0].type !== 'Metaspace' || changes !== '' || (cuts[0].replacement ?? MARK) !== MARK) {
    throw new Refusal('its normalizer and pre-tokenizer do more than writing spaces as ▁');
  }
  const inside =
    cuts[0].split === false ? undefined : tokens.find((t) => t.kind === 'normal' && t.text.includes(MARK, 1));
  if (inside) throw new Refusal(`it never joins words (split), although ${JSON.stringify(inside.text)} is a token`);
  if (cuts[0].prepend_scheme === 'never') return { space: false, notes: [] };
  const note = 'its tokenizer puts a space before a text unless it begins with one; llama.cpp always does';
  return { space: true, notes: [note] };
}

const isCutAtSpaces = ({ type, pattern }: JsonObject): boolean =>
  type === 'Split' && isObject(pattern) && pattern.String === ' ';

const listOf = (stage: unknown, field: string): readonly JsonObject[] => {
  if (!isObject(stage)) return [];
  const inside = stage[field];
  return Array.isArray(inside) ? inside.filter(isObject) : [stage];
};

function changeName(stage: JsonObject): string {
  if (stage.type === 'Prepend' && stage.prepend === MARK) return 'prepend';
  const pattern = isObject(stage.pattern) ? stage.pattern.String : undefined;
  if (stage.type === 'Replace' && pattern === ' ' && stage.content === MARK) return 'replace';
  return 'other';
}
