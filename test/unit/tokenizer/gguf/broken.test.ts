/** Metadata that contradict themselves: refused by the name of the file and of the key, and nothing takes long. */
import assert from 'node:assert/strict';
import { UserError } from '../../../../src/engine/errors';
import type { GgufValue } from '../../../../src/engine/formats/gguf/layout';
import { Random } from '../../../../src/engine/random';
import { loadLocalTokenizer } from '../../../../src/engine/tokenizer/local';
import { full } from '../../../support/shared';
import { bool, byteMetadata, f32s, ggufWith, i32s, type Metadata, pieceMetadata, text, texts, u32 } from './toy';

type Change = (metadata: Metadata) => unknown;
const set =
  (key: string, value: GgufValue): Change =>
  (metadata) =>
    metadata.set(key, value);
const remove =
  (key: string): Change =>
  (metadata) =>
    metadata.delete(key);

/** The items of a list, to be changed. */
function items<T>(metadata: Metadata, key: string): T[] {
  const value = metadata.get(key)!;
  assert.equal(value.type, 'array');
  return Array.from<unknown>((value as { values: Iterable<unknown> }).values) as T[];
}
const item =
  (key: string, at: number, value: string | number): Change =>
  (metadata) => {
    const list = items<unknown>(metadata, key);
    list[at] = value;
    const { of } = metadata.get(key) as { of: 'string' };
    metadata.set(key, { type: 'array', of, values: list as string[] });
  };

const TOKENS = 'tokenizer.ggml.tokens';
const TYPES = 'tokenizer.ggml.token_type';
const SCORES = 'tokenizer.ggml.scores';
const MERGES = 'tokenizer.ggml.merges';

const BYTES: readonly (readonly [change: Change, key: string, why: RegExp])[] = [
  [remove(TOKENS), TOKENS, /it is missing/],
  [set(TOKENS, text('a')), TOKENS, /of type string, not a list/],
  [set(TOKENS, i32s([1])), TOKENS, /a list of i32, not of texts/],
  [set(TOKENS, texts([])), TOKENS, /it is empty/],
  [set(TOKENS, texts(new Array<string>(273).fill(''))), TOKENS, /273 of its 273 items are empty/],
  [item(TOKENS, 5, '<s>'), TOKENS, /its items 1 and 5 are both "<s>"/],
  [remove(TYPES), TYPES, /it is missing/],
  [set(TYPES, i32s([1, 2])), TYPES, /it has 2 items, and there are 273 tokens/],
  [set(TYPES, texts(new Array<string>(273).fill('1'))), TYPES, /its item 0 is "1", not a number/],
  [set(TYPES, u32(1)), TYPES, /of type u32, not a list/],
  [item(TYPES, 7, 0), TYPES, /its item 7 is 0, not a type from 1 to 6/],
  [item(TYPES, 7, 99), TYPES, /its item 7 is 99/],
  [remove(MERGES), MERGES, /it is missing/],
  [set(MERGES, bool(true)), MERGES, /of type bool, not a list/],
  [item(MERGES, 2, 'ab'), MERGES, /its item 2 is "ab", not two tokens/],
  [item(MERGES, 2, ' a'), MERGES, /its item 2 is " a", not two tokens/],
  [item(MERGES, 2, 'a x'), MERGES, /its item 2 is "a x", but "ax" is no token/],
  [item(MERGES, 2, 'a xyz'), MERGES, /"xyz" is no token/],
  [item(MERGES, 2, 'a b c'), MERGES, /"b c" is no token/],
  [item(MERGES, 2, 'a '), MERGES, /its item 2 is "a ", but "" is no token/],
  [set('tokenizer.ggml.model', u32(1)), 'tokenizer.ggml.model', /of type u32, not a text/],
  [set('tokenizer.ggml.pre', bool(true)), 'tokenizer.ggml.pre', /of type bool, not a text/],
  [set('tokenizer.ggml.bos_token_id', u32(273)), 'tokenizer.ggml.bos_token_id', /it is 273, but there are 273 tokens/],
  [set('tokenizer.ggml.eos_token_id', text('2')), 'tokenizer.ggml.eos_token_id', /of type string, not a whole number/],
  [set('tokenizer.ggml.eos_token_id', { type: 'i32', value: -1 }), 'tokenizer.ggml.eos_token_id', /it is -1/],
  [
    set('tokenizer.ggml.unknown_token_id', { type: 'f32', value: 0.5 }),
    'tokenizer.ggml.unknown_token_id',
    /it is 0\.5/,
  ],
  [set('tokenizer.ggml.add_bos_token', u32(1)), 'tokenizer.ggml.add_bos_token', /of type u32, not true or false/],
  [set('tokenizer.chat_template', u32(1)), 'tokenizer.chat_template', /of type u32, not a text/],
  [set('tokenizer.huggingface.json', u32(1)), 'tokenizer.huggingface.json', /of type u32, not a text/],
  [
    (metadata) => {
      metadata.delete('tokenizer.ggml.bos_token_id');
      metadata.set('tokenizer.ggml.add_bos_token', bool(true));
    },
    'tokenizer.ggml.bos_token_id',
    /it is missing, although every text begins with this token/,
  ],
];

const PIECES: typeof BYTES = [
  [remove(SCORES), SCORES, /it is missing/],
  [set(SCORES, f32s([1])), SCORES, /it has 1 items, and there are 270 tokens/],
  [item(SCORES, 4, NaN), SCORES, /its item 4 is NaN, not a number/],
  [set('tokenizer.ggml.add_space_prefix', text('')), 'tokenizer.ggml.add_space_prefix', /not true or false/],
  [item(TOKENS, 260, 'a'.repeat(257)), TOKENS, /its item 260 has 257 characters, more than 256/],
];

async function refuses(metadata: Metadata, key: string, why: RegExp): Promise<void> {
  await assert.rejects(loadLocalTokenizer(ggufWith(metadata)), (error: unknown) => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.what, `model.gguf: metadata "${key}" is not valid`);
    assert.match(error.why, why);
    assert.match(error.action, /convert the model again/);
    return true;
  });
}

describe('tokenizer/gguf: broken metadata', () => {
  for (const [make, cases] of [
    [byteMetadata, BYTES],
    [pieceMetadata, PIECES],
  ] as const) {
    for (const [change, key, why] of cases) {
      it(`${key}: ${why.source.slice(0, 60)}`, async () => {
        const metadata = make();
        change(metadata);
        await refuses(metadata, key, why);
      });
    }
  }

  it('has caps on the number and the length of what is listed', async () => {
    const many = byteMetadata().set(TOKENS, { type: 'array', of: 'i8', values: new Int8Array(2 ** 22 + 1) });
    await refuses(many, TOKENS, /it has 4194305 items, more than 4194304/);
    const long = byteMetadata().set(TOKENS, texts([' '.repeat(2 ** 23 + 1)]));
    await refuses(long, TOKENS, /its 1 texts have 8388609 characters, more than 8388608/);
  });

  /** Runs of the same character up to the longest: every split of each is a merge. */
  const runs = (characters: number): Metadata => {
    const pieces = Array.from({ length: characters }, (_, i) => String.fromCodePoint(0x100 + i)).flatMap((character) =>
      Array.from({ length: 256 }, (_, length) => character.repeat(length + 1)),
    );
    return pieceMetadata()
      .set(TOKENS, texts(pieces))
      .set(TYPES, i32s(pieces.map(() => 1)))
      .set(SCORES, f32s(pieces.map((piece) => piece.length)))
      .set('tokenizer.ggml.add_space_prefix', bool(false));
  };

  it('makes the merges of the longest pieces, and no more than a tokenizer can have', async function () {
    this.timeout(60_000);
    const tokenizer = await loadLocalTokenizer(ggufWith(runs(2)));
    assert.deepEqual(tokenizer.encode('\u0101'.repeat(256), { addSpecialTokens: false }), [511]);
    await refuses(runs(64), TOKENS, /the merges of its texts have more than 33554432 characters/);
  });

  it('a padding token that no token is counts for none', async () => {
    const metadata = byteMetadata().set('tokenizer.ggml.padding_token_id', u32(2 ** 32 - 1));
    assert.ok((await loadLocalTokenizer(ggufWith(metadata))).vocabularySize > 0);
  });

  it('an empty token has the name that llama.cpp gives it', async () => {
    const metadata = byteMetadata();
    item(TOKENS, 4, '')(metadata);
    const tokenizer = await loadLocalTokenizer(ggufWith(metadata));
    assert.equal(tokenizer.vocabularySize, 272);
  });
});

const SAMPLE = 'ab 123<s> é日本\n...   a[tool call]';

/** One random change. */
function mutate(metadata: Metadata, random: Random): void {
  const keys = [...metadata.keys()].filter((key) => key.startsWith('tokenizer.'));
  const pick = <T>(of: readonly T[]): T => of[random.below(of.length)];
  const key = pick(keys);
  const value = metadata.get(key)!;
  const other = pick([...metadata.values()]);
  if (value.type !== 'array' || random.below(4) === 0) {
    const numbers = [0, 1, 272, 2 ** 31].map(u32);
    const wrong = [text(''), text('x'), texts([]), i32s([]), texts(['a', 'b c']), bool(random.below(2) === 0)];
    metadata.set(key, pick([...numbers, ...wrong, other, { type: 'f32', value: NaN }, { type: 'i32', value: -1 }]));
    if (random.below(3) === 0) metadata.delete(key);
    return;
  }
  const list = items<string | number>(metadata, key);
  if (list.length === 0) return;
  const at = random.below(list.length);
  const replacement =
    value.of === 'string'
      ? pick(['', ' ', 'a b', 'a', '\ufffd', 'ab ab', '__proto__', '<0x0A>', 'x'.repeat(300), String(pick(list))])
      : pick([0, 1, 2, 3, 4, 5, 6, 7, -1, 1e9]);
  const changes = [
    () => (list[at] = replacement),
    () => list.splice(at, 1),
    () => list.splice(at, 0, replacement),
    () => list.reverse(),
  ];
  pick([changes[0], ...changes])();
  metadata.set(key, { ...value, values: list as string[] } as GgufValue);
}

describe('tokenizer/gguf: mutations', function () {
  this.timeout(60_000); // thousands of tokenizers are opened

  for (const [name, make] of [
    ['bytes', byteMetadata],
    ['pieces', pieceMetadata],
  ] as const) {
    it(`${name}: work, or are refused by the name of the file, with any change`, async () => {
      const random = new Random(47);
      let refused = 0;
      const rounds = full ? 400 : 100;
      for (let round = 0; round < rounds; round++) {
        const metadata = make();
        for (let i = 0; i <= random.below(3); i++) mutate(metadata, random);
        try {
          const tokenizer = await loadLocalTokenizer(ggufWith(metadata));
          const ids = tokenizer.encode(SAMPLE, { addSpecialTokens: true });
          assert.ok(ids.every((id) => Number.isInteger(id) && id >= 0 && id < 280));
          assert.equal(typeof tokenizer.decode(ids, { skipSpecialTokens: false }), 'string');
        } catch (error) {
          const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
          assert.ok(error instanceof UserError, `round ${round}: ${stack}`);
          assert.match(error.what, /model\.gguf/);
          assert.match(error.why + error.what, /tokenizer\.|"/);
          refused++;
        }
      }
      assert.ok(refused > 0.2 * rounds && refused < 0.95 * rounds, `${refused} refused`);
    });
  }
});
