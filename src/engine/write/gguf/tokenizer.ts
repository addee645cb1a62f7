/**
 * The tokenizer of a GGUF file, from the checkpoint's tokenizer.json. llama.cpp has a fixed program for each kind of
 * tokenizer, and a file names the kind and has its tables. A tokenizer that none of them follows is refused, because
 * llama.cpp would cut texts otherwise without saying so.
 */
import type { Architecture } from '../../checkpoint/architecture';
import { UserError } from '../../errors';
import { isObject, type JsonObject } from '../../../format/json';
import { parseTokenizerFiles, readTokenizerTexts, type TokenizerFiles, tokenizerPlace } from '../../tokenizer/files';
import { TOKEN_TYPES } from '../../tokenizer/gguf/token-types';
import type { GgufField } from '../../formats/gguf/layout';
import { byteLevelFields, isByteLevel } from './byte-level';
import { bool, text, texts, u32 } from '../../formats/gguf/values';
import { isPieces, pieceFields } from './pieces';
import { Refusal } from './refusal';
import { type Token, tokensOf } from './tokens';

export interface TokenizerMetadata {
  readonly fields: readonly GgufField[];
  /** Differences that remain, for the user. */
  readonly notes: readonly string[];
}

/**
 * The fields `tokenizer.…` for the checkpoint at `place`, a folder or a GGUF file.
 * @throws UserError without a tokenizer.json, and for one that llama.cpp cannot follow or that does not fit the model
 */
export async function tokenizerMetadata(place: string, architecture: Architecture): Promise<TokenizerMetadata> {
  const sources = await readTokenizerTexts(place);
  const files = parseTokenizerFiles(sources);
  try {
    const { fields, notes } = fieldsOf(files, architecture, sources.tokenizer);
    fields.forEach(requireCharacters);
    return { fields, notes: [...(sources.notes ?? []), ...notes] };
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
  const tokens = tokensOf(files, architecture.vocabulary, kind === 'pieces');
  const table = kind === 'pieces' ? pieceFields(description, tokens) : byteLevelFields(description);
  return {
    fields: [
      ...table.fields,
      ['tokenizer.ggml.tokens', texts(tokens.map((token) => token.text))],
      [
        'tokenizer.ggml.token_type',
        { type: 'array', of: 'i32', values: tokens.map((token) => TOKEN_TYPES[token.kind]) },
      ],
      ...specialFields(files, architecture, tokens),
      ...(chatTemplate ? [['tokenizer.chat_template', text(chatTemplate.text)] as const] : []),
      // llama.cpp ignores it; with it the original can be written again as it was.
      ['tokenizer.huggingface.json', text(json)],
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

/** Ids of special tokens, and which of them begin and end a text. */
function specialFields(files: TokenizerFiles, architecture: Architecture, tokens: readonly Token[]): GgufField[] {
  const { settings, description } = files;
  const added = addedAround(description.post_processor);
  const inRange = (name: string, id: number): number => {
    if (id < tokens.length) return id;
    throw new Refusal(`its ${name} has the id ${id}, but the model has ${tokens.length} tokens`);
  };
  const idOf = (name: string): number | undefined => {
    const content = contentOf(settings[name]);
    const found = content === undefined ? undefined : description.added_tokens.find((t) => t.content === content);
    return found === undefined ? undefined : inRange(name, found.id as number);
  };
  const first = added.first === undefined ? undefined : inRange('first token', idOfText(added.first, tokens));
  const last = added.last === undefined ? undefined : inRange('last token', idOfText(added.last, tokens));
  const unknown = description.model.unk_token;
  const ids = {
    bos: first ?? idOf('bos_token') ?? inConfig(architecture.bosTokenId, tokens),
    eos: last ?? idOf('eos_token') ?? inConfig(architecture.eosTokenIds.at(0), tokens),
    unknown: typeof unknown === 'string' ? idOfText(unknown, tokens) : idOf('unk_token'),
    padding: idOf('pad_token'),
  };
  const fields: GgufField[] = Object.entries(ids).flatMap(([name, id]) =>
    id === undefined ? [] : [[`tokenizer.ggml.${name}_token_id`, u32(id)] as const],
  );
  fields.push(['tokenizer.ggml.add_bos_token', bool(first !== undefined)]);
  fields.push(['tokenizer.ggml.add_eos_token', bool(last !== undefined)]);
  return fields;
}

/** Configs name ids that a smaller vocabulary does not have. */
const inConfig = (id: number | undefined, tokens: readonly Token[]): number | undefined =>
  id !== undefined && id < tokens.length ? id : undefined;

const contentOf = (value: unknown): string | undefined => {
  const content = isObject(value) ? value.content : value;
  return typeof content === 'string' ? content : undefined;
};

function idOfText(wanted: string, tokens: readonly Token[]): number {
  const id = tokens.findIndex((token) => token.text === wanted);
  if (id < 0) throw new Refusal(`its special token ${JSON.stringify(wanted)} is not in its vocabulary`);
  return id;
}

/** The special tokens before and after a text. llama.cpp adds one at each end at most. */
function addedAround(processor: unknown): { readonly first?: string; readonly last?: string } {
  if (!isObject(processor) || processor.type === 'ByteLevel') return {};
  if (processor.type === 'Sequence' && Array.isArray(processor.processors)) {
    const all = processor.processors.map(addedAround).filter(({ first, last }) => first ?? last);
    if (all.length > 1) throw new Refusal('several of its post-processors add tokens');
    return all.at(0) ?? {};
  }
  if (processor.type !== 'TemplateProcessing' || !Array.isArray(processor.single)) {
    throw new Refusal(`its post-processor ${JSON.stringify(processor.type)} is not one that llama.cpp has`);
  }
  return aroundSequence(processor.single.filter(isObject), processor.special_tokens);
}

function aroundSequence(items: readonly JsonObject[], specials: unknown): ReturnType<typeof addedAround> {
  const at = items.findIndex((item) => isObject(item.Sequence));
  const [before, after] = [items.slice(0, at), items.slice(at + 1)];
  if (at < 0 || before.length > 1 || after.length > 1) {
    throw new Refusal('its post-processor adds more than one token at an end of the text');
  }
  return { first: specialOf(before.at(0), specials), last: specialOf(after.at(0), specials) };
}

/** The token of a template's item: its own table may give another name. */
function specialOf(item: JsonObject | undefined, specials: unknown): string | undefined {
  const id = isObject(item?.SpecialToken) ? item.SpecialToken.id : undefined;
  if (typeof id !== 'string') return undefined;
  const entry = isObject(specials) ? specials[id] : undefined;
  const tokens = isObject(entry) && Array.isArray(entry.tokens) ? entry.tokens : [id];
  if (tokens.length !== 1) throw new Refusal(`its special token ${JSON.stringify(id)} stands for several`);
  return String(tokens[0]);
}
