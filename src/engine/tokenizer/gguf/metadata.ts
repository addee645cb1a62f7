/**
 * The metadata of a tokenizer in a GGUF file, from the checkpoint's tokenizer.json: the reverse of texts.ts. llama.cpp has a fixed program for each kind of
 * tokenizer, and a file names the kind and has its tables. A tokenizer that none of them follows is refused, because
 * llama.cpp would cut texts otherwise without saying so.
 */
import type { Architecture } from '../../checkpoint/architecture';
import { UserError } from '../../errors';
import { parseTokenizerFiles, readTokenizerTexts, type TokenizerFiles, tokenizerPlace } from '../files';
import type { GgufField } from '../../formats/gguf/layout';
import { byteLevelFields, isByteLevel } from './byte-level';
import { text, texts } from '../../formats/gguf/values';
import { KEYS } from './fields';
import { isPieces, pieceFields } from './pieces';
import { Refusal } from './refusal';
import { specialFields } from './specials';
import { TOKEN_TYPES } from './token-types';
import { writtenTokens } from './vocabulary';

export interface TokenizerMetadata {
  readonly fields: readonly GgufField[];
  /** Differences that remain, for the user. */
  readonly notes: readonly string[];
}

/** The newest one: a list of types plans the same model in each of them. */
let last: { readonly key: string; readonly made: TokenizerMetadata } | undefined;

/**
 * The fields `tokenizer.…` for the checkpoint at `place`, a folder or a GGUF file.
 * @throws UserError without a tokenizer.json, and for one that llama.cpp cannot follow or that does not fit the model
 */
export async function tokenizerMetadata(place: string, architecture: Architecture): Promise<TokenizerMetadata> {
  const sources = await readTokenizerTexts(place);
  const key = JSON.stringify([sources, { ...architecture, layers: [] }]);
  if (last?.key === key) return last.made;
  const files = parseTokenizerFiles(sources);
  try {
    const { fields, notes } = fieldsOf(files, architecture, sources.tokenizer);
    fields.forEach(requireCharacters);
    last = { key, made: { fields, notes: [...(sources.notes ?? []), ...notes] } };
    return last.made;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new UserError(`${tokenizerPlace(sources)} cannot be written as GGUF`, error.message, error.action, {
      cause: error,
    });
  }
}

function fieldsOf(files: TokenizerFiles, architecture: Architecture, json: string): TokenizerMetadata {
  const { description, chatTemplate } = files;
  const kind = kindOf(files);
  const tokens = writtenTokens(files, architecture.vocabulary, kind === 'pieces');
  const table = kind === 'pieces' ? pieceFields(description, tokens) : byteLevelFields(description);
  return {
    fields: [
      ...table.fields,
      [KEYS.tokens, texts(tokens.map((token) => token.text))],
      [KEYS.types, { type: 'array', of: 'i32', values: tokens.map((token) => TOKEN_TYPES[token.kind]) }],
      ...specialFields(files, architecture, tokens),
      ...(chatTemplate ? [[KEYS.template, text(chatTemplate.text)] as const] : []),
      // llama.cpp ignores it; with it the original can be written again as it was.
      [KEYS.stored, text(json)],
    ],
    notes: table.notes,
  };
}

/** JSON can spell halves of characters, which UTF-8 has no bytes for. */
function requireCharacters([key, field]: GgufField): void {
  const found =
    field.type === 'string' ? [field.value] : field.type === 'array' && field.of === 'string' ? field.values : [];
  const bad = found.findIndex((each) => /\p{Surrogate}/u.test(each));
  if (bad >= 0) throw new Refusal(`entry ${bad} of ${key} would have half of a character`);
}

function kindOf({ description }: TokenizerFiles): 'bytes' | 'pieces' {
  const { type } = description.model;
  if (type !== 'BPE') throw new Refusal(`its model is ${type}, and Coppice writes BPE only`);
  if (isByteLevel(description)) return 'bytes';
  if (isPieces(description)) return 'pieces';
  throw new Refusal('it neither works on bytes (ByteLevel) nor falls back to them (byte_fallback)');
}
