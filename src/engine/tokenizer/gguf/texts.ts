/**
 * A tokenizer from the metadata of a GGUF file, as the texts of the files that a checkpoint's folder has. So everything
 * else is the same for both: the tokenizer's process, its checks, chat, decoding, and what is written beside a model.
 */
import { defined } from '../../../format/defined';
import type { JsonObject } from '../../../format/json';
import { SETTINGS_CAP, TOKENIZER_CAP } from '../limits';
import { byteLevelStages } from './byte-level';
import { KEYS, shown, TokenizerFields, UnsupportedTokenizer } from './fields';
import { pieceStages } from './pieces';
import { postProcessor, readSpecialTokens, type SpecialTokens } from './specials';
import { readStored } from './stored';
import { isPadding, readVocabulary, type Vocabulary } from './vocabulary';
import { DEFAULT_WORDS, type Words, wordsNamed } from './words';

export interface GgufTokenizerTexts {
  /** tokenizer.json */
  readonly tokenizer: string;
  /** tokenizer_config.json */
  readonly settings: string;
  /** The chat template, in Jinja. */
  readonly template?: string;
  /** What the user should know of the tokenizer. */
  readonly notes: readonly string[];
}

/** llama.cpp's models of files that have no tokenizer. */
const NONE = ['none', 'no_vocab'];
/** For one whose meaning is not known. */
const LLAMA_IDS = { bos: 1, eos: 2, unknown: 0 };

/** Whether the file has a tokenizer, of any kind. @throws UserError if the header cannot be read */
export async function hasGgufTokenizer(path: string): Promise<boolean> {
  const model = (await TokenizerFields.read(path, [])).text(KEYS.model);
  return model !== undefined && !NONE.includes(model);
}

/** The chat template; undefined without one. @throws UserError if the header cannot be read */
export async function readGgufTemplate(path: string): Promise<string | undefined> {
  const template = (await TokenizerFields.read(path, [])).text(KEYS.template, SETTINGS_CAP);
  return template === '' ? undefined : template;
}

/**
 * Makes the texts from the file at `path`, the first one of several.
 * @throws UnsupportedTokenizer for one that Coppice does not have, UserError for metadata that contradict themselves
 */
export async function readGgufTexts(path: string): Promise<GgufTokenizerTexts> {
  const fields = await TokenizerFields.read(path);
  const model = requireModel(fields);
  const vocabulary = readVocabulary(fields);
  const stored = readStored(fields, vocabulary);
  const kind = kindOf(fields, model, stored !== undefined);
  const specials = readSpecialTokens(fields, vocabulary, kind.defaults);
  const template = fields.text(KEYS.template, SETTINGS_CAP);
  const tokenizer = stored ?? describe(vocabulary, specials, kind.stages(vocabulary, specials));
  if (tokenizer.length > TOKENIZER_CAP) {
    throw fields.damaged(KEYS.tokens, `its tokenizer.json would have more than ${TOKENIZER_CAP} characters`);
  }
  return {
    tokenizer,
    settings: `${JSON.stringify(settingsOf(specials, contextOf(fields), template), null, 2)}\n`,
    ...(template && { template }),
    notes: stored === undefined ? kind.notes : [],
  };
}

function requireModel(fields: TokenizerFields): string {
  const model = fields.text(KEYS.model);
  if (model !== undefined && !NONE.includes(model)) return model;
  const why = fields.has('split.no')
    ? 'it has none: of a model in several files, the first one has the tokenizer'
    : `it has none ("${KEYS.model}" is ${model === undefined ? 'missing' : shown(model)})`;
  throw new UnsupportedTokenizer(fields.path, why);
}

/** What one of llama.cpp's tokenizers is. */
interface Kind {
  readonly defaults: Parameters<typeof readSpecialTokens>[2];
  readonly stages: (vocabulary: Vocabulary, specials: SpecialTokens) => JsonObject;
  readonly notes: readonly string[];
}

/** @param stored whether the file has its tokenizer.json, so that it need not be made */
function kindOf(fields: TokenizerFields, model: string, stored: boolean): Kind {
  if (model === 'llama') {
    const stages: Kind['stages'] = (vocabulary, { unknown }) => pieceStages(fields, vocabulary, unknown);
    return { defaults: { ...LLAMA_IDS, addBos: true }, stages, notes: [] };
  }
  const words = model === 'gpt2' ? wordsOf(fields) : undefined;
  if (words === undefined && !stored) throw unsupported(fields, model);
  const { addBos } = words ?? DEFAULT_WORDS;
  return {
    defaults: { addBos },
    stages: (vocabulary) => byteLevelStages(fields, vocabulary, words ?? DEFAULT_WORDS),
    notes: words === DEFAULT_WORDS ? [defaultNote(fields)] : [],
  };
}

/** Files from before the key was there are cut as llama.cpp cuts them. */
function wordsOf(fields: TokenizerFields): Words | undefined {
  const pre = fields.text(KEYS.pre);
  return pre === undefined || pre === '' ? DEFAULT_WORDS : wordsNamed(pre);
}

function unsupported(fields: TokenizerFields, model: string): UnsupportedTokenizer {
  const why =
    model === 'gpt2'
      ? `it cuts texts into words as ${shown(fields.text(KEYS.pre) ?? '')} ("${KEYS.pre}"), which Coppice does not know`
      : `its kind is ${shown(model)} ("${KEYS.model}"); Coppice reads "gpt2" and "llama"`;
  return new UnsupportedTokenizer(fields.path, why);
}

const defaultNote = (fields: TokenizerFields): string =>
  `the file ${fields.has(KEYS.pre) ? `has "default" as "${KEYS.pre}"` : `does not have "${KEYS.pre}"`}: ` +
  'texts are cut as llama.cpp then cuts them, probably not as in training';

/** tokenizer.json. Every token is in the vocabulary, because libraries give others the ids that are free. */
function describe({ tokens }: Vocabulary, specials: SpecialTokens, { model, ...stages }: JsonObject): string {
  const numbered = tokens.map((token, id) => ({ ...token, id }));
  const vocabulary = numbered.filter((token) => !isPadding(token, token.id));
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: numbered
      .filter(({ kind }) => kind === 'unknown' || kind === 'control' || kind === 'added')
      .map(({ text, kind, id }) => addedToken(id, text, kind !== 'added')),
    ...stages,
    post_processor: postProcessor(tokens, specials),
    model: {
      type: 'BPE',
      dropout: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      ...(model as JsonObject),
      vocab: Object.fromEntries(vocabulary.map(({ text, id }) => [text, id])),
    },
  });
}

/** Found in the text as it was given, before any stage. */
const addedToken = (id: number, content: string, special: boolean): JsonObject => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special,
});

/** tokenizer_config.json. The class is the one that takes tokenizer.json as it is. */
function settingsOf(specials: SpecialTokens, context: number | undefined, template: string | undefined): JsonObject {
  const { bos, eos, unknown, padding, addBos, addEos } = specials;
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    ...defined({ bos_token: bos, eos_token: eos, unk_token: unknown, pad_token: padding }),
    add_bos_token: addBos,
    add_eos_token: addEos,
    clean_up_tokenization_spaces: false,
    ...(context !== undefined && { model_max_length: context }),
    ...(template && { chat_template: template }),
  };
}

function contextOf(fields: TokenizerFields): number | undefined {
  return fields.count(`${fields.text('general.architecture') ?? ''}.context_length`);
}
