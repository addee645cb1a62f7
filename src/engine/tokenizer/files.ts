/**
 * A checkpoint's tokenizer files. The process that opens the checkpoint reads their texts. The tokenizer's process
 * parses and checks them before the library uses them.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UserError } from '../errors';
import { isObject, type JsonObject } from '../../format/json';
import { readTextFile } from '../files/text-file';
import { structureFault } from './structure';

const MiB = 2 ** 20;
/** Gemma 3 has the largest known tokenizer.json, 33 MB for 262 144 tokens. */
const TOKENIZER_CAP = 128 * MiB;
const TOKENIZER_CAP_REASON = 'The largest known tokenizer.json has 33 MB; download the file again.';
/** Gemma 3 has 1.2 MB, with a description of each reserved token. */
const SETTINGS_CAP = 16 * MiB;
const SETTINGS_CAP_REASON = 'Files of this kind have 1 MB at most; download the file again.';
/** Ids index an array in the library; Gemma 3 has 262 144, and no known model has a million. */
const ID_CAP = 2 ** 22;

/** The texts of the files, to send to another process. */
export interface TokenizerTexts {
  readonly folder: string;
  /** tokenizer.json */
  readonly tokenizer: string;
  /** tokenizer_config.json */
  readonly settings?: string;
  /** chat_template.jinja, otherwise chat_template.json. Newer checkpoints have one beside the settings. */
  readonly template?: { readonly name: 'chat_template.jinja' | 'chat_template.json'; readonly text: string };
}

/** A chat template and its location: a file, or a file and a field. */
export interface TemplateSource {
  readonly place: string;
  readonly text: string;
}

export interface TokenizerFiles {
  /** Checked content of tokenizer.json; optional sections are null or empty. */
  readonly description: TokenizerDescription;
  /** tokenizer_config.json, or {} if it does not exist. */
  readonly settings: JsonObject;
  readonly chatTemplate?: TemplateSource;
}

export interface TokenizerDescription extends JsonObject {
  readonly model: ModelDescription;
  readonly added_tokens: readonly JsonObject[];
  readonly pre_tokenizer: unknown;
}

export interface ModelDescription extends JsonObject {
  readonly type: 'BPE' | 'Unigram' | 'WordPiece';
}

/** Reads the tokenizer files of a checkpoint's folder. Throws `UserError` when one is missing or cannot be read. */
export async function readTokenizerTexts(folder: string): Promise<TokenizerTexts> {
  const names = new Set(await readdir(folder).catch(() => []));
  if (!names.has('tokenizer.json')) throw missingTokenizer(folder, names);
  const { text: tokenizer } = await readTextFile(join(folder, 'tokenizer.json'), TOKENIZER_CAP, TOKENIZER_CAP_REASON);
  return { folder, tokenizer, ...(await readTemplateTexts(folder, names)) };
}

/** Whether the checkpoint of `folder` has a chat template; false if its files are unreadable. Needs no tokenizer. */
export async function hasChatTemplate(folder: string): Promise<boolean> {
  try {
    const texts = await readTemplateTexts(folder, new Set(await readdir(folder)));
    return templateSource(texts, folder, settingsOf(texts, folder)) !== undefined;
  } catch {
    return false;
  }
}

async function readTemplateTexts(
  folder: string,
  names: ReadonlySet<string>,
): Promise<Pick<TokenizerTexts, 'settings' | 'template'>> {
  const read = async (name: string): Promise<string> =>
    (await readTextFile(join(folder, name), SETTINGS_CAP, SETTINGS_CAP_REASON)).text;
  const template = (['chat_template.jinja', 'chat_template.json'] as const).find((name) => names.has(name));
  return {
    ...(names.has('tokenizer_config.json') && { settings: await read('tokenizer_config.json') }),
    ...(template && { template: { name: template, text: await read(template) } }),
  };
}

/** Parses the texts. Throws `UserError` with file, field and what to do. */
export function parseTokenizerFiles(texts: TokenizerTexts): TokenizerFiles {
  const file = join(texts.folder, 'tokenizer.json');
  const settings = settingsOf(texts, texts.folder);
  return {
    description: describe(parseJson(texts.tokenizer, file), file),
    settings,
    chatTemplate: templateSource(texts, texts.folder, settings),
  };
}

function settingsOf({ settings }: Pick<TokenizerTexts, 'settings'>, folder: string): JsonObject {
  return settings === undefined ? {} : parseJson(settings, join(folder, 'tokenizer_config.json'));
}

/** A separate template file takes precedence over the settings. */
function templateSource(
  { template }: Pick<TokenizerTexts, 'template'>,
  folder: string,
  settings: JsonObject,
): TemplateSource | undefined {
  if (template === undefined) {
    const text = templateOf(settings.chat_template);
    return text === undefined ? undefined : { place: 'tokenizer_config.json, "chat_template"', text };
  }
  if (template.name === 'chat_template.jinja') return { place: template.name, text: template.text };
  const file = join(folder, template.name);
  const { chat_template: text } = parseJson(template.text, file);
  if (typeof text !== 'string') throw malformed(file, '"chat_template" is not a string');
  return { place: `${template.name}, "chat_template"`, text };
}

/** One template, or the one named "default" of a list `[{name, template}]`. */
function templateOf(field: unknown): string | undefined {
  if (typeof field === 'string') return field;
  if (!Array.isArray(field)) return undefined;
  const entry: unknown = field.find((candidate) => isObject(candidate) && candidate.name === 'default');
  return isObject(entry) && typeof entry.template === 'string' ? entry.template : undefined;
}

function missingTokenizer(folder: string, names: ReadonlySet<string>): UserError {
  const what = `Cannot load the tokenizer of ${folder}`;
  const other = ['tokenizer.model', 'tekken.json', 'vocab.json', 'spiece.model'].find((name) => names.has(name));
  if (other === undefined) {
    return new UserError(what, 'it has no tokenizer.json', 'Copy tokenizer.json from the original model into it.');
  }
  return new UserError(
    what,
    `it has ${other} but no tokenizer.json, the only format that Coppice reads`,
    'Copy tokenizer.json from the model’s page or a conversion of it, or write one with transformers: ' +
      'AutoTokenizer.from_pretrained(folder).save_pretrained(folder).',
  );
}

function parseJson(text: string, file: string): JsonObject {
  if (text.startsWith('version https://git-lfs.github.com/spec/')) {
    throw new UserError(`Cannot read ${file}`, 'it is a Git LFS pointer, not the file', 'Run `git lfs pull` there.');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw malformed(file, `it is not JSON (${messageOf(error)})`, error);
  }
  if (!isObject(value)) throw malformed(file, 'it is not a JSON object');
  return value;
}

/** Checks what the library does not check. Otherwise it would fail later without naming the file, or give wrong ids. */
function describe(json: JsonObject, file: string): TokenizerDescription {
  const { model, added_tokens: added = [] } = json;
  if (!isObject(model)) throw malformed(file, '"model" is not an object');
  // Files from before the "type" field are BPE if they have merges.
  const type = model.type ?? (model.merges === undefined ? undefined : 'BPE');
  if (type !== 'BPE' && type !== 'Unigram' && type !== 'WordPiece') {
    throw malformed(file, `"model.type" is ${JSON.stringify(type)}, not BPE, Unigram or WordPiece`);
  }
  if (type === 'Unigram') checkScoredVocabulary(model.vocab, file);
  else checkVocabulary(model.vocab, file);
  if (type === 'BPE') checkMerges(model.merges, file);
  if (!Array.isArray(added)) throw malformed(file, '"added_tokens" is not a list');
  added.forEach((token: unknown, i) => {
    if (!isObject(token) || typeof token.content !== 'string' || token.content === '' || !isId(token.id)) {
      throw malformed(file, `"added_tokens[${i}]" is not a token with content and id`);
    }
  });
  const description = {
    normalizer: null,
    post_processor: null,
    decoder: null,
    ...json,
    pre_tokenizer: json.pre_tokenizer ?? null,
    added_tokens: added as JsonObject[],
    model: { ...model, type } as const,
  };
  const fault = structureFault(description);
  if (fault !== undefined) throw malformed(file, fault);
  return description;
}

function checkVocabulary(vocabulary: unknown, file: string): void {
  if (!isObject(vocabulary)) throw malformed(file, '"model.vocab" is not an object');
  for (const [token, id] of Object.entries(vocabulary)) {
    if (!isId(id)) throw malformed(file, `"model.vocab" gives ${JSON.stringify(token)} the id ${JSON.stringify(id)}`);
  }
}

function checkScoredVocabulary(vocabulary: unknown, file: string): void {
  const scored = (entry: unknown) =>
    Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'number';
  if (!Array.isArray(vocabulary) || vocabulary.length === 0 || !vocabulary.every(scored)) {
    throw malformed(file, '"model.vocab" is not a list of [token, score]');
  }
}

function checkMerges(merges: unknown, file: string): void {
  if (!Array.isArray(merges)) throw malformed(file, '"model.merges" is not a list');
  const bad = merges.findIndex((merge: unknown) => {
    const parts: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
    return !(
      Array.isArray(parts) &&
      parts.length === 2 &&
      parts.every((part) => typeof part === 'string' && part !== '')
    );
  });
  if (bad >= 0) throw malformed(file, `"model.merges[${bad}]" is not a pair of tokens`);
}

/** The error for wrong content of a tokenizer file. */
function malformed(file: string, why: string, cause?: unknown): UserError {
  return new UserError(`Cannot use ${file}`, why, 'Download the file again.', { cause });
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < ID_CAP;
}
