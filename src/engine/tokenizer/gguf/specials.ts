/** Special tokens of a GGUF file: which tokens have a part, and which begin and end every text. */
import { isObject, type JsonObject } from '../../../format/json';
import type { Architecture } from '../../checkpoint/architecture';
import type { GgufField } from '../../formats/gguf/layout';
import { bool, u32 } from '../../formats/gguf/values';
import type { TokenizerFiles } from '../files';
import type { TokenizerFields } from './fields';
import { Refusal } from './refusal';
import type { GgufToken, Vocabulary } from './vocabulary';

const ADD_BOS = 'tokenizer.ggml.add_bos_token';
const ADD_EOS = 'tokenizer.ggml.add_eos_token';

const keyOf = (name: string): string => `tokenizer.ggml.${name}_token_id`;

/** Tokens with a part, and what is put around a text. */
export interface SpecialTokens {
  readonly bos?: string;
  readonly eos?: string;
  readonly unknown?: string;
  readonly padding?: string;
  readonly addBos: boolean;
  readonly addEos: boolean;
}

/** What llama.cpp assumes of keys that a file does not have. */
export interface SpecialDefaults {
  readonly bos?: number;
  readonly eos?: number;
  readonly unknown?: number;
  readonly addBos: boolean;
}

/** @throws UserError for ids that no token has, and for a text that would begin or end with a token that is not named */
export function readSpecialTokens(
  fields: TokenizerFields,
  { tokens }: Vocabulary,
  defaults: SpecialDefaults,
): SpecialTokens {
  const token = (name: string, missing?: number): string | undefined => {
    const key = keyOf(name);
    const id = fields.count(key);
    // A default is for LLaMA's own vocabulary; a smaller one may not have it.
    if (id === undefined) return missing === undefined ? undefined : tokens.at(missing)?.text;
    if (id < tokens.length) return tokens[id].text;
    // Old converters wrote −1 or the next free id for "none". Nothing is computed with it.
    if (name === 'padding') return undefined;
    throw fields.damaged(key, `it is ${id}, but there are ${tokens.length} tokens`);
  };
  const specials = {
    bos: token('bos', defaults.bos),
    eos: token('eos', defaults.eos),
    unknown: token('unknown', defaults.unknown),
    padding: token('padding'),
    addBos: fields.flag(ADD_BOS) ?? defaults.addBos,
    addEos: fields.flag(ADD_EOS) ?? false,
  };
  const { bos, eos, addBos, addEos } = specials;
  if (addBos && bos === undefined) throw missingEnd(fields, 'bos', 'begins');
  if (addEos && eos === undefined) throw missingEnd(fields, 'eos', 'ends');
  return specials;
}

const missingEnd = (fields: TokenizerFields, name: string, does: string): Error =>
  fields.damaged(keyOf(name), `it is missing, although every text ${does} with this token`);

/** The stage of tokenizer.json that puts them around a text; `addedAround` is its reverse. */
export function postProcessor(
  tokens: Vocabulary['tokens'],
  { bos, eos, addBos, addEos }: SpecialTokens,
): JsonObject | null {
  const first = addBos ? [bos!] : [];
  const last = addEos ? [eos!] : [];
  if (first.length + last.length === 0) return null;
  const around = (sequence: string, type: number): JsonObject[] => [
    ...first.map((id) => ({ SpecialToken: { id, type_id: type } })),
    { Sequence: { id: sequence, type_id: type } },
    ...last.map((id) => ({ SpecialToken: { id, type_id: type } })),
  ];
  const special = (text: string) => [
    text,
    { id: text, ids: [tokens.findIndex((t) => t.text === text)], tokens: [text] },
  ];
  return {
    type: 'TemplateProcessing',
    single: around('A', 0),
    pair: [...around('A', 0), ...around('B', 1)],
    special_tokens: Object.fromEntries([...first, ...last].map(special)) as JsonObject,
  };
}

/** @throws Refusal for more than one token at an end of a text, and for ids that no token has */
export function specialFields(
  files: TokenizerFiles,
  architecture: Architecture,
  tokens: readonly GgufToken[],
): GgufField[] {
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
    id === undefined ? [] : [[keyOf(name), u32(id)] as const],
  );
  fields.push([ADD_BOS, bool(first !== undefined)]);
  fields.push([ADD_EOS, bool(last !== undefined)]);
  return fields;
}

/** Configs name ids that a smaller vocabulary does not have. */
const inConfig = (id: number | undefined, tokens: readonly GgufToken[]): number | undefined =>
  id !== undefined && id < tokens.length ? id : undefined;

const contentOf = (value: unknown): string | undefined => {
  const content = isObject(value) ? value.content : value;
  return typeof content === 'string' ? content : undefined;
};

function idOfText(wanted: string, tokens: readonly GgufToken[]): number {
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
