/**
 * BPE on bytes (GPT-2, LLaMA 3, Qwen, SmolLM): llama.cpp's model "gpt2". It has the regular expressions that cut a text
 * into words in its own code, under names; tokenizer.json has the expressions themselves.
 */
import { isObject, type JsonObject } from '../../../format/json';
import type { GgufField } from '../../formats/gguf/layout';
import { text, texts } from '../../formats/gguf/values';
import type { TokenizerDescription } from '../files';
import { MERGE_TEXT_CAP } from '../limits';
import { KEYS, shown, type TokenizerFields } from './fields';
import { Refusal } from './refusal';
import type { Vocabulary } from './vocabulary';
import { DIGITS_STAGE, GPT2_STAGE, KNOWN_WORDS, type Words } from './words';

/**
 * The stages of tokenizer.json that differ by model.
 * @throws UserError for merges that are none of two tokens
 */
export function byteLevelStages(fields: TokenizerFields, vocabulary: Vocabulary, words: Words): JsonObject {
  return {
    normalizer: words.normalizer === undefined ? null : { type: words.normalizer },
    pre_tokenizer: preTokenizer(words),
    decoder: { type: GPT2_STAGE, add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      unk_token: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: words.ignoreMerges,
      merges: readMerges(fields, vocabulary),
    },
  };
}

function preTokenizer({ stages }: Words): JsonObject {
  const described = stages.map(stageOf);
  // The last stage turns words into bytes, whether it cuts or not.
  if (stages.at(-1) !== GPT2_STAGE) described.push(byteLevel(false));
  return described.length === 1 ? described[0] : { type: 'Sequence', pretokenizers: described };
}

/** What cuts by a stage of `Words`; `cutsOf` is its reverse. */
function stageOf(stage: string): JsonObject {
  if (stage === GPT2_STAGE) return byteLevel(true);
  if (stage === DIGITS_STAGE) return { type: DIGITS_STAGE, individual_digits: true };
  return { type: 'Split', pattern: { Regex: stage }, behavior: 'Isolated', invert: false };
}

const byteLevel = (regex: boolean): JsonObject => ({
  type: GPT2_STAGE,
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: regex,
});

/** The merges as pairs: a part may hold a space, at which older files of tokenizer.json would cut. */
function readMerges(fields: TokenizerFields, { ids }: Vocabulary): readonly (readonly [string, string])[] {
  const merges = fields.texts(KEYS.merges, MERGE_TEXT_CAP);
  return merges.map((merge, i) => {
    const space = merge.indexOf(' ', 1); // a first part may begin with one
    const pair = [merge.slice(0, space), merge.slice(space + 1)] as const;
    const unknown = space < 0 ? merge : [...pair, pair.join('')].find((part) => !ids.has(part));
    if (space < 0) throw fields.damaged(KEYS.merges, `its item ${i} is ${shown(merge)}, not two tokens`);
    if (unknown === undefined) return pair;
    throw fields.damaged(KEYS.merges, `its item ${i} is ${shown(merge)}, but ${shown(unknown)} is no token`);
  });
}

/** Whether words become bytes. */
export const isByteLevel = ({ pre_tokenizer: stage }: TokenizerDescription): boolean =>
  stagesOf(stage).some(({ type }) => type === 'ByteLevel');

/** @throws Refusal for words or options that llama.cpp does not have */
export function byteLevelFields(description: TokenizerDescription): { fields: GgufField[]; notes: string[] } {
  const { model, normalizer } = description;
  const stages = stagesOf(description.pre_tokenizer).flatMap(cutsOf);
  const ignoreMerges = model.ignore_merges === true;
  const alike = KNOWN_WORDS.filter(
    (words) => words.ignoreMerges === ignoreMerges && words.stages.join('\n') === stages.join('\n'),
  );
  // llama.cpp does not normalise under either name, but other readers of the file may.
  const known = alike.find((words) => words.normalizer === nameOf(normalizer)) ?? alike.at(0);
  if (!known) {
    const shown = JSON.stringify(stages.join(', then ').slice(0, 160));
    const merges = ignoreMerges ? ' and ignores merges (ignore_merges)' : '';
    throw new Refusal(`it cuts texts into words by the pattern ${shown}${merges}, which llama.cpp has no name for`);
  }
  for (const option of ['end_of_word_suffix', 'continuing_subword_prefix']) {
    if (model[option]) throw new Refusal(`its model has the option ${option}`);
  }
  return {
    fields: [
      [KEYS.model, text('gpt2')],
      [KEYS.pre, text(known.names[0])],
      [KEYS.merges, texts((model.merges as readonly unknown[]).map(mergeText))],
    ],
    notes: normalizerNotes(normalizer),
  };
}

/** Texts are rarely in another form of Unicode, and Qwen's own GGUF files do not normalise either. */
function normalizerNotes(normalizer: unknown): string[] {
  if (normalizer === null || normalizer === undefined) return [];
  if (nameOf(normalizer) === 'NFC') {
    return ['its tokenizer normalizes texts (NFC) and llama.cpp does not: texts in another form get other tokens'];
  }
  throw new Refusal(`its normalizer ${JSON.stringify(nameOf(normalizer) ?? normalizer)} is unknown to llama.cpp`);
}

const nameOf = (stage: unknown): unknown => (isObject(stage) ? stage.type : undefined);

/** A merge with its parts apart by a space. A space within a part is the sign of the byte. */
function mergeText(merge: unknown): string {
  const parts = typeof merge === 'string' ? merge.split(' ') : (merge as readonly string[]);
  return parts.map((part) => part.replaceAll(' ', '\u0120')).join(' ');
}

function stagesOf(stage: unknown): readonly JsonObject[] {
  if (!isObject(stage)) return [];
  return stage.type === 'Sequence' && Array.isArray(stage.pretokenizers)
    ? stage.pretokenizers.filter(isObject)
    : [stage];
}

/** What a stage cuts by; nothing for one that only turns words into bytes. */
function cutsOf(stage: JsonObject): string[] {
  switch (stage.type) {
    case 'ByteLevel':
      if (stage.add_prefix_space !== false) throw new Refusal('it adds a space before every text (add_prefix_space)');
      return stage.use_regex === false ? [] : [GPT2_STAGE];
    case 'Digits':
      if (stage.individual_digits !== true) throw new Refusal('it keeps digits together (individual_digits)');
      return [DIGITS_STAGE];
    case 'Split': {
      const pattern = isObject(stage.pattern) ? (stage.pattern.Regex ?? stage.pattern.String) : undefined;
      if (stage.behavior !== 'Isolated' && stage.invert !== true) {
        throw new Refusal(`it splits words with the behavior ${JSON.stringify(stage.behavior)}`);
      }
      return [String(pattern)];
    }
    default:
      throw new Refusal(`its pre-tokenizer ${JSON.stringify(stage.type)} is unknown to llama.cpp`);
  }
}
