/** Tokenizers of four kinds, trained on a text as their kinds are, small enough for many trials. */
import { byteSymbols, specialToken } from './tiny-tokenizer';

export type TrainedKind = 'byte-level, ignore_merges' | 'byte-level, NFC' | 'byte fallback' | 'unigram';
export const TRAINED_KINDS: readonly TrainedKind[] = [
  'byte-level, ignore_merges',
  'byte-level, NFC',
  'byte fallback',
  'unigram',
];

/** Llama 3's pattern for words. */
const LLAMA3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** The text of a tokenizer.json with about so many tokens. */
export function trainedTokenizer(kind: TrainedKind, text: string, size: number): string {
  return JSON.stringify(kind === 'unigram' ? unigram(text, size) : bpe(kind, text, size));
}

function bpe(kind: Exclude<TrainedKind, 'unigram'>, text: string, size: number): object {
  const isBytes = kind !== 'byte fallback';
  const words = isBytes ? (text.match(/ ?[A-Za-z]+|\s+|[^A-Za-z\s]+/g) ?? []).map(inByteLetters) : textOfPieces(text);
  const letters = isBytes ? byteSymbols() : [...new Set(words.flatMap((word) => Array.from(word)))].sort();
  const specials = ['<unk>', '<s>', '</s>'];
  const bytes = isBytes
    ? []
    : Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const first = [...specials, ...bytes, ...letters];
  const merges = trainedMerges(words, size - first.length);
  const made = merges.map(([a, b]) => a + b);
  const vocabulary = [...new Set([...first, ...made])];
  const known = new Set(vocabulary);
  const rank = new Map(vocabulary.map((token, id) => [token, id]));
  // Every way to a token, by the rank of the token, as converters of SentencePiece models list them.
  const all = made.flatMap((token) =>
    Array.from(token)
      .slice(1)
      .flatMap((_, i): [string, string][] => {
        const [a, b] = [
          Array.from(token)
            .slice(0, i + 1)
            .join(''),
          Array.from(token)
            .slice(i + 1)
            .join(''),
        ];
        return known.has(a) && known.has(b) ? [[a, b]] : [];
      }),
  );
  return {
    version: '1.0',
    added_tokens: specials.map(specialToken),
    normalizer: isBytes
      ? kind === 'byte-level, NFC'
        ? { type: 'NFC' }
        : null
      : { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    pre_tokenizer: isBytes
      ? {
          type: 'Sequence',
          pretokenizers: [
            { type: 'Split', pattern: { Regex: LLAMA3 }, behavior: 'Isolated', invert: false },
            { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
          ],
        }
      : null,
    post_processor: null,
    decoder: isBytes
      ? { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
      : {
          type: 'Sequence',
          decoders: [
            { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
            { type: 'ByteFallback' },
            { type: 'Fuse' },
          ],
        },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: isBytes ? null : '<unk>',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: !isBytes,
      byte_fallback: !isBytes,
      ignore_merges: kind === 'byte-level, ignore_merges',
      vocab: Object.fromEntries(rank),
      merges: isBytes ? merges : all,
    },
  };
}

/** The most frequent substrings of words, with scores of their frequencies. */
function unigram(text: string, size: number): object {
  const words = textOfPieces(text);
  const counts = new Map<string, number>();
  for (const word of words) {
    for (let from = 0; from < word.length; from++) {
      for (let to = from + 1; to <= Math.min(word.length, from + 8); to++) {
        const piece = word.slice(from, to);
        counts.set(piece, (counts.get(piece) ?? 0) + 1);
      }
    }
  }
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const longer = [...counts]
    .filter(([piece]) => piece.length > 1)
    .sort((a, b) => b[1] * b[0].length - a[1] * a[0].length);
  const single = [...counts].filter(([piece]) => piece.length === 1);
  const pieces = [...single, ...longer.slice(0, size - single.length - 1)];
  return {
    version: '1.0',
    added_tokens: [specialToken('<unk>', 0)],
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    post_processor: null,
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    model: {
      type: 'Unigram',
      unk_id: 0,
      vocab: [['<unk>', 0], ...pieces.map(([piece, count]) => [piece, Math.log(count / total)])],
    },
  };
}

const textOfPieces = (text: string): string[] =>
  (text.match(/\s?\S+|\s+/g) ?? []).map((word) => word.replaceAll(/\s/g, '▁'));

const SYMBOLS = byteSymbols();
const inByteLetters = (word: string): string => [...Buffer.from(word)].map((byte) => SYMBOLS[byte]).join('');

/** Byte pair encoding: the most frequent pair becomes a token, again and again. */
function trainedMerges(words: readonly string[], count: number): [string, string][] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const split = [...counts].map(([word, times]) => ({ parts: Array.from(word), times }));
  const merges: [string, string][] = [];
  while (merges.length < count) {
    const pairs = new Map<string, number>();
    for (const { parts, times } of split) {
      for (let i = 0; i + 1 < parts.length; i++) {
        const key = `${parts[i]} ${parts[i + 1]}`;
        pairs.set(key, (pairs.get(key) ?? 0) + times);
      }
    }
    const [best] = [...pairs].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    if (best === undefined || best[1] < 2) break;
    const [a, b] = best[0].split(' ');
    merges.push([a, b]);
    for (const word of split) {
      for (let i = 0; i + 1 < word.parts.length; i++) {
        if (word.parts[i] === a && word.parts[i + 1] === b) word.parts.splice(i, 2, a + b);
      }
    }
  }
  return merges;
}
