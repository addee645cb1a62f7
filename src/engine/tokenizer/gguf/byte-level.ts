/** tokenizer.json for BPE on bytes: llama.cpp's model "gpt2". */
import type { JsonObject } from '../../../format/json';
import { MERGE_TEXT_CAP } from '../limits';
import { KEYS, shown, type TokenizerFields } from './fields';
import type { Vocabulary } from './vocabulary';
import { DIGITS_STAGE, GPT2_STAGE, type Words } from './words';

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
  const described = stages.map(describe);
  // The last stage turns words into bytes, whether it cuts or not.
  if (stages.at(-1) !== GPT2_STAGE) described.push(byteLevel(false));
  return described.length === 1 ? described[0] : { type: 'Sequence', pretokenizers: described };
}

function describe(stage: string): JsonObject {
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
