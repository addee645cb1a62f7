/**
 * BPE on characters that falls back to bytes (SentencePiece: LLaMA 1 and 2, Mistral, TinyLlama): llama.cpp's model
 * "llama". It merges the two neighbours whose joined text has the greatest score, where tokenizer.json lists the pairs
 * that may be merged, in order. Both do the same if every pair is listed whose joined text is a token.
 */
import { isObject, type JsonObject } from '../../../format/json';
import type { TokenizerDescription } from '../../tokenizer/files';
import type { GgufField } from '../../formats/gguf/layout';
import { bool, text } from './metadata';
import { Refusal } from './refusal';
import type { Token } from './tokens';

const MARK = '\u2581';
const BYTES = 256;

/** Whether characters that are no token become bytes. */
export const isPieces = ({ model }: TokenizerDescription): boolean => model.byte_fallback === true;

/** @throws Refusal for a tokenizer that scores cannot express */
export function pieceFields(
  description: TokenizerDescription,
  tokens: readonly Token[],
): { fields: GgufField[]; notes: string[] } {
  const { model } = description;
  if (model.ignore_merges === true) throw new Refusal('it ignores merges (ignore_merges)');
  const bytes = tokens.filter(({ kind }) => kind === 'byte').length;
  if (bytes !== BYTES) throw new Refusal(`it has ${bytes} tokens for single bytes, not ${BYTES}`);
  return {
    fields: [
      ['tokenizer.ggml.model', text('llama')],
      ['tokenizer.ggml.pre', text('default')],
      [
        'tokenizer.ggml.scores',
        { type: 'array', of: 'f32', values: scoresOf(model.merges as readonly unknown[], tokens) },
      ],
      ['tokenizer.ggml.add_space_prefix', bool(addsSpace(description))],
    ],
    notes: [],
  };
}

/** A token's score is minus the rank of the first merge that makes it: exact in float32 up to 2 ** 24 merges. */
function scoresOf(merges: readonly unknown[], tokens: readonly Token[]): Float32Array {
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

/** Whether a text begins with a space. llama.cpp has no other changes to texts of this kind. */
function addsSpace({ normalizer, pre_tokenizer: words }: TokenizerDescription): boolean {
  const changes = listOf(normalizer, 'normalizers').map(changeName);
  const cuts = listOf(words, 'pretokenizers');
  const metaspace = cuts.length === 1 && cuts[0].type === 'Metaspace' ? cuts[0] : undefined;
  if (metaspace && changes.length === 0 && (metaspace.replacement ?? MARK) === MARK) {
    return (metaspace.prepend_scheme ?? 'always') !== 'never';
  }
  if (cuts.length === 0 && changes.join() === 'prepend,replace') return true;
  if (cuts.length === 0 && changes.join() === 'replace') return false;
  throw new Refusal('its normalizer and pre-tokenizer do more than writing spaces as ▁');
}

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
