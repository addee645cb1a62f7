/**
 * A checkpoint's tokenizer files: those of its folder, or the same made from the metadata of a GGUF file. The process
 * that opens the checkpoint reads their texts. The tokenizer's process parses and checks them before the library uses
 * them.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UserError } from '../errors';
import { isObject, type JsonObject } from '../../format/json';
import { readTextFile } from '../files/text-file';
import { isGguf } from '../formats/gguf/file';
import { hasGgufTokenizer, readGgufTemplate, readGgufTexts } from './gguf/texts';
import { ID_CAP, SETTINGS_CAP, TOKENIZER_CAP } from './limits';
import { structureFault } from './structure';

const TOKENIZER_CAP_REASON = 'The largest known tokenizer.json has 33 MB; download the file again.';
/** Newer checkpoints have their chat template in a file of this name. */
const JINJA = 'chat_template.jinja';
const SETTINGS_CAP_REASON = 'Files of this kind have 1 MB at most; download the file again.';

/** The texts of the files, to send to another process. */
export interface TokenizerTexts {
  /** The checkpoint's folder, or its GGUF file. */
  readonly folder: string;
  /** The texts were made from the metadata of the GGUF file `folder`. */
  readonly gguf?: true;
  /** tokenizer.json */
  readonly tokenizer: string;
  /** tokenizer_config.json */
  readonly settings?: string;
  /** chat_template.jinja, otherwise chat_template.json. Newer checkpoints have one beside the settings. */
  readonly template?: { readonly name: 'chat_template.jinja' | 'chat_template.json'; readonly text: string };
  /** What the user should know of the tokenizer. */
  readonly notes?: readonly string[];
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

/**
 * Reads the tokenizer files of a checkpoint.
 * @param place its folder, or its GGUF file (the first one of several)
 * @throws UserError when one is missing or cannot be read
 */
export async function readTokenizerTexts(place: string): Promise<TokenizerTexts> {
  if (await isGgufFile(place)) {
    const { template, ...texts } = await readGgufTexts(place);
    return { folder: place, gguf: true, ...texts, ...(template && { template: { name: JINJA, text: template } }) };
  }
  const names = await namesIn(place);
  if (!names.has('tokenizer.json')) throw missingTokenizer(place, names);
  const { text: tokenizer } = await readTextFile(join(place, 'tokenizer.json'), TOKENIZER_CAP, TOKENIZER_CAP_REASON);
  return { folder: place, tokenizer, ...(await readTemplateTexts(place, names)) };
}

/** The tokenizer files to write beside a model: those that transformers and transformers.js read. */
export async function tokenizerFilesOf(place: string): Promise<readonly { name: string; text: string }[]> {
  const { tokenizer, settings, template } = await readTokenizerTexts(place);
  return [
    { name: 'tokenizer.json', text: tokenizer },
    ...(settings === undefined ? [] : [{ name: 'tokenizer_config.json', text: settings }]),
    ...(template === undefined ? [] : [{ name: template.name, text: template.text }]),
  ];
}

/**
 * Whether there is a tokenizer, broken or not. A GGUF file without one names "none" as its kind.
 * @throws UserError for a GGUF file whose header cannot be read
 */
export async function hasTokenizer(place: string): Promise<boolean> {
  if (await isGgufFile(place)) return hasGgufTokenizer(place);
  return (await namesIn(place)).has('tokenizer.json');
}

/** A chat template, and the settings beside it. */
export interface TemplateFiles {
  /** Undefined if there is none. */
  readonly text: string | undefined;
  /** tokenizer_config.json; empty if it does not exist, and for a GGUF file. */
  readonly settings: JsonObject;
}

/** The chat template of the checkpoint at `place`; none if its files are unreadable. Needs no tokenizer. */
export async function readTemplate(place: string): Promise<TemplateFiles> {
  try {
    if (await isGgufFile(place)) return { text: await readGgufTemplate(place), settings: {} };
    const texts = { folder: place, ...(await readTemplateTexts(place, new Set(await readdir(place)))) };
    const settings = settingsOf(texts);
    return { text: templateSource(texts, settings)?.text, settings };
  } catch {
    return { text: undefined, settings: {} };
  }
}

/** The place of tokenizer.json in messages. */
export const tokenizerPlace = ({ folder, gguf }: Pick<TokenizerTexts, 'folder' | 'gguf'>): string =>
  gguf ? folder : join(folder, 'tokenizer.json');

/** A folder may have any name. */
async function isGgufFile(place: string): Promise<boolean> {
  const isFolder = await stat(place).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return !isFolder && (await isGguf(place));
}

const namesIn = async (folder: string): Promise<ReadonlySet<string>> => new Set(await readdir(folder).catch(() => []));

async function readTemplateTexts(
  folder: string,
  names: ReadonlySet<string>,
): Promise<Pick<TokenizerTexts, 'settings' | 'template'>> {
  const read = async (name: string): Promise<string> =>
    (await readTextFile(join(folder, name), SETTINGS_CAP, SETTINGS_CAP_REASON)).text;
  const template = ([JINJA, 'chat_template.json'] as const).find((name) => names.has(name));
  return {
    ...(names.has('tokenizer_config.json') && { settings: await read('tokenizer_config.json') }),
    ...(template && { template: { name: template, text: await read(template) } }),
  };
}

/** Parses the texts. Throws `UserError` with file, field and what to do. */
export function parseTokenizerFiles(texts: TokenizerTexts): TokenizerFiles {
  const file = tokenizerPlace(texts);
  const settings = settingsOf(texts);
  return {
    description: describe(parseJson(texts.tokenizer, file), file),
    settings,
    chatTemplate: templateSource(texts, settings),
  };
}

type TemplateTexts = Omit<TokenizerTexts, 'tokenizer' | 'notes'>;

function settingsOf({ settings, folder, gguf }: TemplateTexts): JsonObject {
  return settings === undefined ? {} : parseJson(settings, gguf ? folder : join(folder, 'tokenizer_config.json'));
}

/** A separate template file takes precedence over the settings. */
function templateSource({ template, folder, gguf }: TemplateTexts, settings: JsonObject): TemplateSource | undefined {
  if (template === undefined) {
    const text = templateOf(settings.chat_template);
    return text === undefined ? undefined : { place: 'tokenizer_config.json, "chat_template"', text };
  }
  if (gguf) return { place: 'metadata "tokenizer.chat_template"', text: template.text };
  if (template.name === JINJA) return { place: template.name, text: template.text };
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
