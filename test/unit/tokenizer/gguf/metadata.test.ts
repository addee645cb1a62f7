/** The tokenizer of a GGUF file: what each kind becomes, and what no program of llama.cpp would follow. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Architecture, PLAIN_STYLE } from '../../../../src/engine/checkpoint/architecture';
import { UserError } from '../../../../src/engine/errors';
import type { GgufField } from '../../../../src/engine/formats/gguf/layout';
import { tokenizerMetadata, type TokenizerMetadata } from '../../../../src/engine/tokenizer/gguf/metadata';
import { temporaryFolder } from '../../../support/temporary';
import { writeTinyTokenizer } from '../../../support/tiny-tokenizer';

type Json = Record<string, unknown>;
interface Parts {
  tokenizer: Json & { model: Json; added_tokens: Json[] };
  settings: Json;
}

const architecture = (vocabulary: number, eos = 2): Architecture => {
  const sizes = { hidden: 8, context: 64, rmsNormEps: 1e-5, tied: true };
  return { style: PLAIN_STYLE, family: 'llama', layers: [], vocabulary, bosTokenId: 1, eosTokenIds: [eos], ...sizes };
};

async function metadata(
  folder: string,
  vocabulary = 288,
): Promise<Map<string, unknown> & { notes: readonly string[] }> {
  const { fields, notes }: TokenizerMetadata = await tokenizerMetadata(folder, architecture(vocabulary));
  const plain = fields.map(([key, field]: GgufField) => [
    key.replace(/^tokenizer\.(ggml\.)?/, ''),
    field.type === 'array' ? Array.from<unknown>(field.values) : 'value' in field && field.value,
  ]) as [string, unknown][];
  return Object.assign(new Map(plain), { notes });
}

/** A folder with the tiny byte-level tokenizer (271 tokens), changed. */
function bytes(change: (parts: Parts) => void = () => undefined): string {
  const folder = temporaryFolder();
  writeTinyTokenizer(folder);
  const read = (name: string): Json => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Json;
  return written(
    folder,
    { tokenizer: read('tokenizer.json') as Parts['tokenizer'], settings: read('tokenizer_config.json') },
    change,
  );
}

/** A folder with a tiny tokenizer of pieces (266 tokens), changed. */
function pieces(change: (parts: Parts) => void = () => undefined): string {
  const byteTokens = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const words = ['<unk>', '<s>', '</s>', ...byteTokens, '▁', 'a', 'b', 'ab', '▁a', '▁ab', '<x▁y>'];
  const tokenizer = {
    added_tokens: [
      ...['<unk>', '<s>', '</s>'].map((content, id) => ({ id, content, special: true })),
      { id: 265, content: '<x▁y>', special: false },
    ],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      byte_fallback: true,
      fuse_unk: true,
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
      merges: ['▁ a', 'a b', '▁ ab', '▁a b'],
    },
  };
  return written(temporaryFolder(), { tokenizer, settings: { bos_token: { content: '<s>' } } }, change);
}

function written(folder: string, parts: Parts, change: (parts: Parts) => void): string {
  change(parts);
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(parts.tokenizer));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(parts.settings));
  return folder;
}

const refused = (folder: string, why: RegExp, vocabulary?: number): Promise<void> =>
  assert.rejects(metadata(folder, vocabulary), (error: unknown) => {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.message, /tokenizer/);
    assert.match(error.why, why);
    return true;
  });

const split = (regex: string): Json => ({
  type: 'Split',
  pattern: { Regex: regex },
  behavior: 'Isolated',
  invert: false,
});
const byteLevel = { type: 'ByteLevel', add_prefix_space: false, use_regex: false };
const words = (...stages: Json[]): Json => ({ type: 'Sequence', pretokenizers: stages });
const LLAMA3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

describe('gguf/tokenizer on bytes', () => {
  it('has tokens by id, filled up to the rows of the embedding, merges and special tokens', async () => {
    const folder = bytes(({ tokenizer }) =>
      tokenizer.added_tokens.push({ id: 271, content: '[tool]', special: false }),
    );
    const fields = await metadata(folder);
    const tokens = fields.get('tokens') as string[];
    assert.equal(tokens.length, 288);
    assert.deepEqual(tokens.slice(0, 4), ['<pad>', '<s>', '</s>', 'Ā']);
    assert.deepEqual(tokens.slice(270, 274), ['ing', '[tool]', '[PAD272]', '[PAD273]']);
    assert.deepEqual(
      (fields.get('token_type') as number[]).filter((_, i) => i < 4 || i > 269).slice(0, 7),
      [3, 3, 3, 1, 1, 4, 5],
    );
    assert.deepEqual([fields.get('model'), fields.get('pre')], ['gpt2', 'gpt-2']);
    assert.deepEqual((fields.get('merges') as string[]).slice(0, 3), ['Ġ t', 'h e', 'Ġt he']);
    const ids = ['bos', 'eos', 'unknown', 'padding'].map((name) => fields.get(`${name}_token_id`));
    assert.deepEqual(ids, [1, 2, undefined, 0]);
    assert.deepEqual([fields.get('add_bos_token'), fields.get('add_eos_token')], [true, false]);
    assert.match(fields.get('chat_template') as string, /^\{% for/);
    assert.equal(fields.get('huggingface.json'), readFileSync(join(folder, 'tokenizer.json'), 'utf8'));
    assert.deepEqual(fields.notes, []);
  });

  it('is named by what cuts texts into words', async () => {
    const digits = { type: 'Digits', individual_digits: true };
    const gpt2 = { ...byteLevel, use_regex: true };
    const cases: readonly (readonly [name: string, stages: Json[], ignoreMerges: boolean])[] = [
      ['smollm', [digits, gpt2], false],
      ['llama-bpe', [split(LLAMA3), byteLevel], true],
      ['smaug-bpe', [split(LLAMA3), byteLevel], false],
      ['deepseek-r1-qwen', [split(LLAMA3.replace('{1,3}', '')), byteLevel], false],
    ];
    for (const [name, stages, ignoreMerges] of cases) {
      const folder = bytes(({ tokenizer }) => {
        tokenizer.pre_tokenizer = words(...stages);
        tokenizer.model.ignore_merges = ignoreMerges;
      });
      assert.equal((await metadata(folder)).get('pre'), name);
    }
    const normalised = bytes(({ tokenizer }) => {
      tokenizer.pre_tokenizer = words(split(LLAMA3.replace('{1,3}', '')), byteLevel);
      tokenizer.normalizer = { type: 'NFC' };
    });
    assert.equal((await metadata(normalised)).get('pre'), 'qwen2');
  });

  it('takes the ends of a text from the post-processor, also within a sequence, and none without', async () => {
    const template = (...single: Json[]): Json => ({
      type: 'TemplateProcessing',
      single,
      pair: [],
      special_tokens: {},
    });
    const special = (id: string): Json => ({ SpecialToken: { id, type_id: 0 } });
    const text = { Sequence: { id: 'A', type_id: 0 } };
    const ends = async (post: unknown): Promise<unknown[]> => {
      const fields = await metadata(bytes(({ tokenizer }) => (tokenizer.post_processor = post)));
      return ['add_bos_token', 'add_eos_token', 'bos_token_id', 'eos_token_id'].map((name) => fields.get(name));
    };
    assert.deepEqual(await ends(null), [false, false, 1, 2]);
    assert.deepEqual(await ends({ type: 'Sequence', processors: [byteLevel, template(special('</s>'), text)] }), [
      true,
      false,
      2,
      2,
    ]);
    assert.deepEqual(await ends(template(text, special('<pad>'))), [false, true, 1, 0]);
    const folder = bytes(
      ({ tokenizer }) => (tokenizer.post_processor = template(special('<s>'), special('<s>'), text)),
    );
    await refused(folder, /more than one token/);
    await refused(
      bytes(({ tokenizer }) => (tokenizer.post_processor = template(special('<none>'), text))),
      /"<none>" is not in its vocabulary/,
    );
  });

  it('says that llama.cpp does not normalise', async () => {
    const { notes } = await metadata(bytes(({ tokenizer }) => (tokenizer.normalizer = { type: 'NFC' })));
    assert.match(notes.join(), /NFC/);
  });

  it('refuses what llama.cpp would cut otherwise', async () => {
    const set = (changes: Json, model: Json = {}): string =>
      bytes(({ tokenizer }) => {
        Object.assign(tokenizer, changes);
        Object.assign(tokenizer.model, model);
      });
    await refused(
      set({ pre_tokenizer: words(split('[a-z]+'), byteLevel) }),
      /"\[a-z\]\+", which llama\.cpp has no name for/,
    );
    await refused(set({ pre_tokenizer: words(split(LLAMA3), { ...byteLevel, use_regex: true }) }), /no name for/);
    await refused(set({}, { ignore_merges: true }), /ignores merges/);
    await refused(set({ pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true } }), /add_prefix_space/);
    await refused(set({ pre_tokenizer: words({ type: 'Whitespace' }, byteLevel) }), /"Whitespace" is unknown/);
    await refused(set({ pre_tokenizer: words({ type: 'Digits' }, byteLevel) }), /digits together/);
    await refused(set({ normalizer: { type: 'Lowercase' } }), /"Lowercase"/);
    await refused(set({}, { end_of_word_suffix: '</w>' }), /end_of_word_suffix/);
    await refused(set({ post_processor: { type: 'BertProcessing', sep: ['a', 1], cls: ['b', 2] } }), /BertProcessing/);
    await refused(set({ pre_tokenizer: null }), /neither works on bytes/);
    await refused(set({}, { type: 'WordPiece', unk_token: '<pad>' }), /WordPiece/);
  });

  it('refuses a vocabulary that does not fit the embedding, and tokens that are not distinct', async () => {
    await refused(bytes(), /has the id 269, but the embedding has 269 rows/, 269);
    assert.equal((await metadata(bytes(), 271)).size > 5, true);
    const added = (token: Json): string => bytes(({ tokenizer }) => tokenizer.added_tokens.push(token));
    await refused(
      added({ id: 288, content: 'x', special: true }),
      /"x" has the id 288, but the embedding has 288 rows/,
    );
    await refused(added({ id: 280, content: 'Ġt', special: true }), /tokens 259 and 280 are both "Ġt"/);
    await refused(added({ id: 280, content: '[PAD281]', special: true }), /both "\[PAD281\]"/);
    await refused(added({ id: 280, content: '\ud83c', special: true }), /half of a character/);
  });

  it('refuses a folder without tokenizer.json', () => refused(temporaryFolder(), /no tokenizer\.json/));
});

describe('gguf/tokenizer of pieces', () => {
  it('has scores in the order of the merges, and kinds of tokens', async () => {
    const fields = await metadata(pieces(), 268);
    assert.deepEqual(
      [fields.get('model'), fields.get('pre'), fields.get('add_space_prefix')],
      ['llama', 'default', true],
    );
    const types = fields.get('token_type') as number[];
    assert.deepEqual(
      [types.slice(0, 4), types.slice(258)],
      [
        [2, 3, 3, 6],
        [6, 1, 1, 1, 1, 1, 1, 4, 5, 5],
      ],
    );
    assert.equal((fields.get('tokens') as string[])[265], '<x y>', 'found in the text before spaces are rewritten');
    const scores = fields.get('scores') as number[];
    assert.deepEqual(scores.slice(259, 265), [-4, -4, -4, -1, -0, -2]); // ▁ a b ab ▁a ▁ab
    assert.equal(fields.get('unknown_token_id'), 0);
    assert.equal(fields.get('bos_token_id'), 1);
  });

  it('knows the other spellings of the space', async () => {
    const set = (changes: Json): string => pieces(({ tokenizer }) => Object.assign(tokenizer, changes));
    const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false };
    const first = await metadata(set({ normalizer: null, pre_tokenizer: metaspace }), 266);
    assert.equal(first.get('add_space_prefix'), true);
    assert.match(first.notes.join(), /unless it begins with one/);
    const never = { ...metaspace, prepend_scheme: 'never' };
    assert.equal((await metadata(set({ normalizer: null, pre_tokenizer: never }), 266)).get('add_space_prefix'), false);
    const replace = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
    assert.equal((await metadata(set({ normalizer: replace }), 266)).get('add_space_prefix'), false);
    const gemma = { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false };
    const cut = await metadata(set({ normalizer: replace, pre_tokenizer: gemma }), 266);
    assert.equal(cut.get('add_space_prefix'), false);
    assert.deepEqual(cut.notes, []);
    const other = { ...gemma, pattern: { String: 'a' } };
    await refused(set({ normalizer: replace, pre_tokenizer: other }), /more than writing spaces/, 266);
    await refused(set({ normalizer: { type: 'NFKC' } }), /more than writing spaces/, 266);
    await refused(set({ pre_tokenizer: metaspace }), /more than writing spaces/, 266);
  });

  it('refuses what scores cannot express', async () => {
    const set = (merges: string[]): string => pieces(({ tokenizer }) => (tokenizer.model.merges = merges));
    await refused(set(['▁ a', 'a b', '▁ ab']), /does not merge "▁a" and "b"/, 266);
    await refused(
      pieces(({ tokenizer }) => (tokenizer.model.ignore_merges = true)),
      /ignores merges/,
      266,
    );
    const vocabulary = pieces(({ tokenizer: { model } }) => {
      model.vocab = Object.fromEntries(Object.entries(model.vocab as Json).filter(([token]) => token !== '<0x41>'));
    });
    await refused(vocabulary, /255 tokens for single bytes/, 266);
    const joined = pieces(({ tokenizer }) => {
      Object.assign(tokenizer, { normalizer: null, pre_tokenizer: { type: 'Metaspace' } });
      Object.assign(tokenizer.model.vocab as Json, { 'a▁': 266 });
      (tokenizer.model.merges as string[]).push('a ▁');
    });
    await refused(joined, /never joins words/, 267);
  });
});
