/** Metadata of tokenizers for tests: as GGUF files have them, and changed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Architecture, PLAIN_STYLE } from '../../../../src/engine/checkpoint/architecture';
import { type GgufField, type GgufValue, layOutGguf } from '../../../../src/engine/formats/gguf/layout';
import { temporaryFolder } from '../../../support/temporary';
import { byteSymbols } from '../../../support/tiny-tokenizer';

export type Metadata = Map<string, GgufValue>;

export const text = (value: string): GgufValue => ({ type: 'string', value });
export const texts = (values: readonly string[]): GgufValue => ({ type: 'array', of: 'string', values });
export const i32s = (values: readonly number[]): GgufValue => ({ type: 'array', of: 'i32', values });
export const f32s = (values: readonly number[]): GgufValue => ({ type: 'array', of: 'f32', values });
export const u32 = (value: number): GgufValue => ({ type: 'u32', value });
export const bool = (value: boolean): GgufValue => ({ type: 'bool', value });

/** What words are cut by shows in these: digits, contractions, letters with what is before them, line ends. */
const MERGES = ['1 2', '12 3', '123 4', "' S", 'a b', '. a', '. ab', 'Ġ ab', '! Ċ', 'Ġ Ċ', '. .', 'b c'];

/** BPE on bytes: 3 control tokens, 256 bytes, what merges make, one added token, one that fills the embedding. */
export function byteMetadata(pre: string | undefined = 'gpt-2'): Metadata {
  const made = MERGES.map((merge) => merge.replace(' ', ''));
  const tokens = ['<pad>', '<s>', '</s>', ...byteSymbols(), ...made, '[tool call]'];
  const types = tokens.map((_, id) => (id < 3 ? 3 : id === tokens.length - 1 ? 4 : 1));
  return new Map<string, GgufValue>([
    ['general.architecture', text('llama')],
    ['llama.context_length', u32(64)],
    ['tokenizer.ggml.model', text('gpt2')],
    ...(pre === undefined ? [] : [['tokenizer.ggml.pre', text(pre)] as const]),
    ['tokenizer.ggml.tokens', texts([...tokens, `[PAD${tokens.length}]`])],
    ['tokenizer.ggml.token_type', i32s([...types, 5])],
    ['tokenizer.ggml.merges', texts(MERGES)],
    ['tokenizer.ggml.bos_token_id', u32(1)],
    ['tokenizer.ggml.eos_token_id', u32(2)],
    ['tokenizer.ggml.padding_token_id', u32(0)],
    ['tokenizer.chat_template', text('{{ bos_token }}{{ messages[0].content }}{{ eos_token }}')],
  ]);
}

/** Pieces with scores: 3 special tokens, 256 bytes, characters and what is joined of them, an added one with spaces. */
export function pieceMetadata(): Metadata {
  const byte = (value: number): string => `<0x${value.toString(16).toUpperCase().padStart(2, '0')}>`;
  // In another order than by score.
  const pieces = { '▁': -9, ca: -8, ab: -3, a: -9, b: -9, c: -9, bc: -1, abc: -2, '▁a': -4, '▁ab': -5 };
  const tokens = ['<unk>', '<s>', '</s>', ...Array.from({ length: 256 }, (_, i) => byte(i)), ...Object.keys(pieces)];
  return new Map<string, GgufValue>([
    ['general.architecture', text('llama')],
    ['tokenizer.ggml.model', text('llama')],
    ['tokenizer.ggml.tokens', texts([...tokens, '   '])],
    ['tokenizer.ggml.scores', f32s([...new Array<number>(259).fill(0), ...Object.values(pieces), 0])],
    ['tokenizer.ggml.token_type', i32s([...tokens.map((_, id) => (id === 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1)), 4])],
  ]);
}

/** Writes a file with the metadata and without tensors. */
export function ggufWith(metadata: Iterable<GgufField>, name = 'model.gguf'): string {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, layOutGguf([...metadata], []).header);
  return file;
}

/** An architecture as far as the tokenizer of a GGUF file depends on it. */
export function withVocabulary(vocabulary: number): Architecture {
  const sizes = { hidden: 8, context: 64, rmsNormEps: 1e-5, tied: true };
  return { style: PLAIN_STYLE, family: 'llama', layers: [], vocabulary, bosTokenId: 1, eosTokenIds: [2], ...sizes };
}

const BITS = [
  ..."'s|'S|'re|'LL|don't| |  |\t|\n|\r\n|\n\n|a|b|ab|abc| ab|The| the|HELLO|camelCase|0|12|1234|56789|!|...|$|<=>|^~".split(
    '|',
  ),
  ...[
    'À',
    'ñandú',
    'ß',
    'Ж',
    'привет',
    '日本',
    'ひらカタ',
    '한국',
    'ไทย',
    'हिन्दी',
    'e\u0301',
    'עב',
    '٣',
    '१२',
    '²',
    'Ⅳ',
  ],
  ...['\u00a0', '\u0085', '\u3000', '\ufeff', '\u200b', '«', '“', '—', '😀', '👩‍💻', '▁', 'Ġ', '|', '/', '\\', '_'],
  ...['<s>', '</s>', '<unk>', '<0x41>', '<|im_start|>', '[tool call]', '[PAD272]'],
];

/** Seeded texts of all kinds of characters, every fourth of any code points. */
export function randomTexts(count: number, below: (limit: number) => number): string[] {
  const character = (): string => {
    const code = 1 + below(below(2) === 0 ? 0x2fff : 0x1fffe);
    return code >= 0xd800 && code <= 0xdfff ? 'x' : String.fromCodePoint(code);
  };
  return Array.from({ length: count }, (_, i) => {
    const one = i % 4 === 3 ? character : () => BITS[below(BITS.length)];
    return Array.from({ length: 1 + below(12) }, one).join('');
  });
}
