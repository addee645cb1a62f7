/** What a smaller vocabulary is made from: the tokens of a checkpoint's tokenizer, and everything that names their ids. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, type JsonObject } from '../../format/json';
import { counted } from '../../format/words';
import { isGgufCheckpoint } from '../checkpoint/gguf/name';
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { UserError } from '../errors';
import { readTextFile } from '../files/text-file';
import { openGguf } from '../formats/gguf/file';
import {
  parseTokenizerFiles,
  readTokenizerTexts,
  type TokenizerFiles,
  tokenizerPlace,
  type TokenizerTexts,
} from '../tokenizer/files';
import { SETTINGS_CAP } from '../tokenizer/limits';
import { ID_FIELD, specialTokens } from './specials';
import { readTokens, type Tokens } from './tokens';

/** Files of a folder with ids of tokens, besides config.json and those of the tokenizer. */
const ID_FILES = ['generation_config.json', 'special_tokens_map.json'] as const;

export interface VocabularySource {
  /** Of the tokenizer's files. */
  readonly texts: TokenizerTexts;
  readonly files: TokenizerFiles;
  readonly tokens: Tokens;
  /** The chat template; empty where there is none. */
  readonly template: string;
  /** Ids that stay whatever the texts have, ascending. */
  readonly specials: readonly number[];
  /** Content of the folder's other files with ids, by name. */
  readonly others: ReadonlyMap<string, JsonObject>;
}

/** Key of ids in the metadata of a GGUF file. */
export const GGUF_ID = /^tokenizer\.ggml\.\w*token_ids?$/;

/**
 * @throws UserError for a model without a tokenizer that Coppice reads, and for one whose vocabulary cannot be trimmed
 */
export async function readVocabulary(checkpoint: Checkpoint): Promise<VocabularySource> {
  const texts = await readTokenizerTexts(checkpoint.home);
  const files = parseTokenizerFiles(texts);
  const place = tokenizerPlace(texts);
  const tokens = readTokens(files.description, place);
  requireRows(checkpoint, tokens, place);
  const isGguf = isGgufCheckpoint(checkpoint);
  const others = isGguf ? new Map<string, JsonObject>() : await otherFiles(checkpoint.folder);
  const template = files.chatTemplate?.text ?? '';
  const { bosTokenId, eosTokenIds } = requireArchitecture(checkpoint);
  const usual = { bos_token_id: bosTokenId, eos_token_id: eosTokenIds }; // a config may leave them to its family
  const configurations = isGguf ? [await idsInGguf(checkpoint.home)] : [checkpoint.config ?? {}, ...others.values()];
  const settings = JSON.stringify([
    files.settings,
    others.get('special_tokens_map.json') ?? {},
    files.description.post_processor,
  ]);
  return {
    ...{ texts, files, tokens, template, others },
    specials: specialTokens(tokens, { configurations: [...configurations, usual], settings, template }),
  };
}

/** A matrix with a row for each token; rows beyond the tokenizer's are padding. @throws UserError */
function requireRows(checkpoint: Checkpoint, { size }: Tokens, place: string): void {
  const { vocabulary } = requireArchitecture(checkpoint);
  const refused = (why: string, action: string): UserError =>
    new UserError(`The vocabulary of ${checkpoint.path} cannot be trimmed`, why, action);
  if (size > vocabulary) {
    throw refused(
      `${place} has ${counted(size, 'token')}, and the model has ${counted(vocabulary, 'row')} for them`,
      'Use the tokenizer that belongs to the model.',
    );
  }
  const table = [...checkpoint.tensors.keys()].find((name) => PER_LAYER.test(name));
  if (table !== undefined) {
    throw refused(
      `its tensor ${table} has rows for tokens in each block, which Coppice does not cut`,
      'Leave its vocabulary as it is.',
    );
  }
}

/** Tables of tokens for each block (Gemma 3n). */
const PER_LAYER = /embed_tokens_per_layer|per_layer_token_embd/;

async function otherFiles(folder: string): Promise<ReadonlyMap<string, JsonObject>> {
  const names = new Set(await readdir(folder));
  const found = new Map<string, JsonObject>();
  for (const name of ID_FILES.filter((each) => names.has(each))) {
    const path = join(folder, name);
    const { text } = await readTextFile(path, SETTINGS_CAP, 'Files of this kind have some KB; download it again.');
    found.set(name, objectOf(text, path));
  }
  return found;
}

function objectOf(text: string, path: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (isObject(value)) return value;
  throw new UserError(`Cannot read ${path}`, 'it is not a JSON object', 'Download the file again.');
}

/** The ids that the metadata name, by the last part of their keys. */
async function idsInGguf(file: string): Promise<JsonObject> {
  const { metadata } = await openGguf(file, undefined, (key) => GGUF_ID.test(key));
  return Object.fromEntries(
    [...metadata.values()].flatMap(({ key, value }): [string, unknown][] => {
      const name = key.split('.').at(-1)!;
      if (!ID_FIELD.test(name)) return [];
      return [[name, typeof value === 'object' ? value.first.map(Number) : Number(value)]];
    }),
  );
}
