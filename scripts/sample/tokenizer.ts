/**
 * The sample model's tokenizer: byte-level BPE of 2 048 tokens, learnt from the training stories, as a `tokenizer.json`
 * that transformers and every other reader of that format loads.
 *
 * Two special tokens: one stands before every story (BOS) and one after it (EOS). Encoding with special tokens puts BOS
 * first, because that is how the model met every story, and because a first position that is always the same is where the
 * attention heads of small models rest. EOS is left to those who end a text; generation stops at it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { wordsNamed } from '../../src/engine/tokenizer/gguf/words';
import { learnMerges } from './bpe';
import { BOS_TOKEN_ID, CONTEXT, VOCABULARY } from './config';

/** Special tokens; their ids are their places. */
const SPECIAL = ['<|begin_of_text|>', '<|end_of_text|>'] as const;
const [BOS, EOS] = SPECIAL;

/**
 * Pieces that merges are learnt within: an English contraction; letters, at most three digits or other marks, each with the blank
 * before them; line breaks with blanks before them, so that the gap between two paragraphs is one piece; other blanks, the
 * last of which goes with what follows. White space is named by its Unicode property, for \s differs between engines.
 */
const PIECES = [
  String.raw`'(?:s|t|re|ve|m|ll|d)`,
  String.raw` ?\p{L}+`,
  String.raw` ?\p{N}{1,3}`,
  String.raw` ?[^\p{White_Space}\p{L}\p{N}]+`,
  String.raw`\p{White_Space}*[\r\n]+`,
  String.raw`\p{White_Space}+(?!\P{White_Space})`,
  String.raw`\p{White_Space}+`,
].join('|');

/**
 * Texts are cut as Llama 3 cuts them, so that a GGUF file can name it: llama.cpp knows no others. No merge crosses the finer pieces
 * that merges are learnt within, so the stories have the same tokens by both, but for a digit after a blank (twice in 475 000).
 */
const WORDS = wordsNamed('llama-bpe')!;

/** Learns the tokenizer from `documents` and writes `tokenizer.json` and `tokenizer_config.json` into `folder`. */
export function writeTokenizer(documents: readonly string[], folder: string): void {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, value: unknown) =>
    writeFileSync(join(folder, name), `${JSON.stringify(value, undefined, 1)}\n`);
  write('tokenizer.json', describeTokenizer(documents));
  write('tokenizer_config.json', {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: BOS,
    eos_token: EOS,
    pad_token: EOS,
    model_max_length: CONTEXT,
    clean_up_tokenization_spaces: false,
  });
}

function describeTokenizer(documents: readonly string[]): Readonly<Record<string, unknown>> {
  const alphabet = [...BYTES].sort(([, a], [, b]) => (a < b ? -1 : 1)).map(([, character]) => character);
  const merges = learnMerges(countWords(documents), alphabet, VOCABULARY - SPECIAL.length);
  const tokens = [...SPECIAL, ...alphabet, ...merges.map(({ left, right }) => left + right)];
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false };
  const bos = { SpecialToken: { id: BOS, type_id: 0 } };
  const text = (id: 'A' | 'B', type_id: number) => ({ Sequence: { id, type_id } });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL.map((content, id) => ({ id, content, ...plain })),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: WORDS.stages[0] }, behavior: 'Isolated', invert: false },
        byteLevel,
      ],
    },
    post_processor: {
      type: 'TemplateProcessing',
      single: [bos, text('A', 0)],
      pair: [bos, text('A', 0), bos, text('B', 1)],
      special_tokens: { [BOS]: { id: BOS, ids: [BOS_TOKEN_ID], tokens: [BOS] } },
    },
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: WORDS.ignoreMerges,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map(({ left, right }) => [left, right]),
    },
  };
}

/** Pieces of all documents with their counts, each byte spelt as its character. */
function countWords(documents: readonly string[]): Map<string, number> {
  const pieces = new RegExp(PIECES, 'gu');
  const counts = new Map<string, number>();
  for (const document of documents) {
    for (const [piece] of document.matchAll(pieces)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  }
  return new Map([...counts].map(([piece, count]) => [spell(piece), count]));
}

function spell(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => BYTES.get(byte)!).join('');
}

/** GPT-2's character for each byte: itself where it prints, else the next character from U+0100 on. */
const BYTES: ReadonlyMap<number, string> = new Map(
  (() => {
    const prints = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    let next = 0x100;
    return Array.from({ length: 256 }, (_, byte) => [byte, String.fromCharCode(prints(byte) ? byte : next++)] as const);
  })(),
);
