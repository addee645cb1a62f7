/**
 * tokenizer.json with a node replaced by something else: it works, or is refused by the name of the file. Nothing comes
 * out of the library as it is, and no id that is none goes on.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../../../src/engine/errors';
import { Random } from '../../../src/engine/random';
import { streamStart } from '../../../src/engine/tokenizer/stream';
import { buildTokenizer } from '../../../src/engine/tokenizer/local';
import { full, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { writeTinyTokenizer } from '../../support/tiny-tokenizer';
import { sentencePieceToy } from './toy';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const REPLACEMENTS: readonly Json[] = [true, null, 0, -1, 1.5, '', 'x', [], [null], {}, { type: 'x' }];
const TEXT = 'the and there, 🙂 naïve <s> 日本 </s>  end\n'.repeat(3);

/** The places of a tree, by their keys; of a list or object with many entries those that come first. */
function placesOf(node: Json, path: readonly string[] = []): string[][] {
  if (typeof node !== 'object' || node === null) return [[...path]];
  const entries = Object.entries(node).slice(0, 40);
  return [[...path], ...entries.flatMap(([key, child]) => placesOf(child, [...path, key]))];
}

/** The tree with one node replaced; what is not on the way to it is shared. */
function replaced(node: Json, [key, ...rest]: readonly string[], by: Json): Json {
  if (key === undefined) return by;
  const child = replaced((node as Record<string, Json>)[key], rest, by);
  if (Array.isArray(node)) return node.map((each, i) => (String(i) === key ? child : each));
  return { ...(node as Record<string, Json>), [key]: child };
}

/** Everything that a tokenizer is asked for. Throws what it throws. */
function use(content: Json): void {
  const tokenizer = buildTokenizer({ folder: '/model', tokenizer: JSON.stringify(content) });
  assert.ok(Number.isInteger(tokenizer.vocabularySize));
  const ids = tokenizer.encode(TEXT, { addSpecialTokens: true });
  assert.ok(ids.every((id) => Number.isInteger(id) && id >= 0));
  for (const skipSpecialTokens of [true, false]) {
    assert.equal(typeof tokenizer.decode(ids, { skipSpecialTokens }), 'string');
    const { text } = tokenizer.stream(streamStart(), ids, { skipSpecialTokens, ends: true });
    assert.equal(typeof text, 'string');
  }
  assert.equal(typeof tokenizer.decode([...ids, 5, 999_999], { skipSpecialTokens: false }), 'string');
}

const byteLevel = (): Json => {
  const folder = temporaryFolder();
  writeTinyTokenizer(folder);
  return JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8')) as Json;
};

const unigram = (): Json => ({
  added_tokens: [{ id: 0, content: '<s>', special: true, lstrip: true, rstrip: true, normalized: true }],
  normalizer: { type: 'Sequence', normalizers: [{ type: 'NFKC' }, { type: 'Lowercase' }, { type: 'StripAccents' }] },
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
  post_processor: { type: 'BertProcessing', sep: ['</s>', 1], cls: ['<s>', 0] },
  decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' },
  model: {
    type: 'Unigram',
    unk_id: 2,
    byte_fallback: false,
    vocab: ['<s>', '</s>', '<unk>', ...Array.from('▁abcdefghijklmnopqrstuvwxyz'), '▁the', '▁and'].map((piece, i) => [
      piece,
      -i,
    ]),
  },
});

const wordPiece = (): Json => ({
  added_tokens: [{ id: 0, content: '[CLS]', special: true }],
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [{ type: 'BertPreTokenizer' }, { type: 'Punctuation', behavior: 'Isolated' }, { type: 'Digits' }],
  },
  post_processor: { type: 'RobertaProcessing', sep: ['[SEP]', 1], cls: ['[CLS]', 0], trim_offsets: true },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(['[CLS]', '[SEP]', '[UNK]', 'the', 'and', '##re', 'end', ','].map((w, i) => [w, i])),
  },
});

const read = (file: string): Json => JSON.parse(readFileSync(file, 'utf8')) as Json;
const sharedFile = shared('data/tokenizers/tokenizer.json');

const SOURCES: readonly { name: string; make: () => Json; count: number; there?: boolean }[] = [
  { name: 'byte-level', make: byteLevel, count: full ? 700 : 200 },
  { name: 'SentencePiece', make: () => sentencePieceToy() as unknown as Json, count: full ? 700 : 200 },
  { name: 'Unigram', make: unigram, count: full ? 700 : 200 },
  { name: 'WordPiece', make: wordPiece, count: full ? 700 : 200 },
  {
    name: 'the sample model’s',
    make: () => read(resolve(import.meta.dirname, '../../../media/sample/tokenizer.json')),
    count: full ? 100 : 30,
  },
  { name: 'a shared one', make: () => read(sharedFile), count: full ? 20 : 8, there: existsSync(sharedFile) },
];

describe('tokenizer/mutations', function () {
  this.timeout(60_000); // thousands of tokenizers are opened

  for (const { name, make, count, there = true } of SOURCES) {
    (there ? it : it.skip)(`${name}: works, or is refused by name, with any node replaced`, () => {
      const whole = make();
      use(whole);
      const places = placesOf(whole);
      const random = new Random(29);
      let refused = 0;
      for (let round = 0; round < count; round++) {
        const place = places[random.below(places.length)];
        const by = REPLACEMENTS[random.below(REPLACEMENTS.length)];
        try {
          use(replaced(whole, place, by));
        } catch (error) {
          const what = `${place.join('.')} = ${JSON.stringify(by)}`;
          assert.ok(
            error instanceof UserError,
            `${what}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`,
          );
          assert.match(error.what, /tokenizer\.json$/, what);
          refused++;
          assert.match(error.why, /"[^"]+"|^Unknown \w+ type|^it is not a JSON object/, what);
        }
      }
      assert.ok(refused > count / 20, `${refused} of ${count}`);
    });
  }
});
