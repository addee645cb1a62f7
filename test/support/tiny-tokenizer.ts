/** A byte-level BPE tokenizer small enough for a toy checkpoint: three specials, the 256 bytes and a handful of merges. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const TINY_SPECIALS = { pad: 0, bos: 1, eos: 2 } as const;

/** "Ġ" is how byte-level BPE writes a space. */
const MERGES = ['Ġ t', 'h e', 'Ġt he', 'i n', 'Ġ a', 'e r', 'o n', 'r e', 'Ġ s', 'n d', 'Ġa nd', 'in g'];

/** A special token, as tokenizer.json lists it. */
export const specialToken = (content: string, id: number) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

/** Writes `tokenizer.json` and `tokenizer_config.json` (with a chat template) into a checkpoint's folder. */
export function writeTinyTokenizer(folder: string): void {
  const specials = ['<pad>', '<s>', '</s>'];
  const words = [...specials, ...byteSymbols(), ...MERGES.map((merge) => merge.replace(' ', ''))];
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specials.map(specialToken),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: { '<s>': { id: '<s>', ids: [TINY_SPECIALS.bos], tokens: ['<s>'] } },
    },
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
      merges: MERGES,
    },
  };
  const settings = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: '<s>',
    eos_token: '</s>',
    pad_token: '<pad>',
    clean_up_tokenization_spaces: false,
    chat_template:
      '{% for message in messages %}{{ message.role }}: {{ message.content }}{{ eos_token }}{% endfor %}' +
      '{% if add_generation_prompt %}assistant: {% endif %}',
  };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(settings));
}

/** One visible character a byte, as GPT-2 chose them: printable bytes stand for themselves, the others follow from 256. */
export function byteSymbols(): string[] {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
}
