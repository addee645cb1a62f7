/** Tokenizers from the metadata of GGUF files: what each key does, and what is refused by name. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  hasTokenizer,
  readTemplate,
  readTokenizerTexts,
  tokenizerFilesOf,
} from '../../../../src/engine/tokenizer/files';
import { loadLocalTokenizer, type LocalTokenizer } from '../../../../src/engine/tokenizer/local';
import { optionalTokenizer } from '../../../../src/engine/tokenizer/optional';
import { temporaryFolder } from '../../../support/temporary';
import { bool, byteMetadata, ggufWith, i32s, type Metadata, pieceMetadata, text, texts, u32 } from './toy';

const SPECIALS = { addSpecialTokens: true };
const PLAIN = { addSpecialTokens: false };
const WHOLE = { skipSpecialTokens: false };

const load = (metadata: Metadata): Promise<LocalTokenizer> => loadLocalTokenizer(ggufWith(metadata));
const changed = (metadata: Metadata, changes: Parameters<Metadata['set']>[]): Metadata => {
  changes.forEach(([key, value]) => metadata.set(key, value));
  return metadata;
};
const without = (metadata: Metadata, ...keys: string[]): Metadata => {
  keys.forEach((key) => assert.ok(metadata.delete(key), key));
  return metadata;
};
/** The text of each token. */
const pieces = (tokenizer: LocalTokenizer, given: string): string[] =>
  tokenizer.encode(given, PLAIN).map((id) => tokenizer.decode([id], WHOLE));

describe('tokenizer/gguf on bytes', () => {
  it('has tokens, merges, special and added tokens, and the chat template', async () => {
    const tokenizer = await load(byteMetadata());
    const given = ' ab<s>1234é[tool call]\n';
    assert.deepEqual(pieces(tokenizer, ' ab<s>1234[tool call]\n'), [' ab', '<s>', '1234', '[tool call]', '\n']);
    assert.equal(tokenizer.decode(tokenizer.encode(given, PLAIN), WHOLE), given);
    assert.equal(tokenizer.decode([1, 3 + 0x40], { skipSpecialTokens: true }).length, 1);
    assert.equal(tokenizer.vocabularySize, 3 + 256 + 12 + 1, 'what fills the embedding is no token');
    assert.equal(tokenizer.chat([{ role: 'user', content: 'ab' }], { addGenerationPrompt: false }), '<s>ab</s>');
  });

  it('cuts texts into words as the name of the kind says', async () => {
    const cases: readonly (readonly [given: string, byPre: Record<string, string[]>])[] = [
      [
        '1234',
        {
          ...{ 'gpt-2': ['1234'], 'phi-2': ['1234'], smollm: ['1', '2', '3', '4'], starcoder: ['1', '2', '3', '4'] },
          ...{ 'llama-bpe': ['123', '4'], llama3: ['123', '4'], 'smaug-bpe': ['123', '4'], 'gpt-4o': ['123', '4'] },
          ...{ qwen2: ['1', '2', '3', '4'], 'deepseek-r1-qwen': ['1', '2', '3', '4'], tekken: ['1', '2', '3', '4'] },
          default: ['123', '4'],
        },
      ],
      ["b'S", { 'gpt-2': ['b', "'", 'S'], smollm: ['b', "'", 'S'], 'llama-bpe': ['b', "'S"], tekken: ['b', "'S"] }],
      ['.ab', { 'gpt-2': ['.', 'ab'], 'llama-bpe': ['.ab'], qwen2: ['.ab'], tekken: ['.ab'], default: ['.', 'ab'] }],
      ['!\n', { 'gpt-2': ['!', '\n'], 'llama-bpe': ['!\n'], 'seed-coder': ['!', '\n'], default: ['!', '\n'] }],
      ['..', { 'gpt-2': ['..'], default: ['..'], 'seed-coder': ['..'] }],
    ];
    for (const [given, byPre] of cases) {
      for (const [pre, expected] of Object.entries(byPre)) {
        assert.deepEqual(pieces(await load(byteMetadata(pre)), given), expected, `${pre} of ${given}`);
      }
    }
  });

  it('takes a word that is a token as one where the kind ignores merges', async () => {
    const known = changed(byteMetadata('smaug-bpe'), [['tokenizer.ggml.merges', texts(['1 2'])]]);
    assert.deepEqual(pieces(await load(known), '123'), ['12', '3']);
    const ignored = changed(byteMetadata('llama-bpe'), [['tokenizer.ggml.merges', texts(['1 2'])]]);
    assert.deepEqual(pieces(await load(ignored), '123'), ['123']);
  });

  it('normalises for Qwen, as in training', async () => {
    const decomposed = 'e\u0301';
    const ids = async (pre: string): Promise<string> => {
      const tokenizer = await load(byteMetadata(pre));
      return tokenizer.decode(tokenizer.encode(decomposed, PLAIN), WHOLE);
    };
    assert.equal(await ids('qwen2'), '\u00e9');
    assert.equal(await ids('deepseek-r1-qwen'), decomposed);
  });

  it('is cut as llama.cpp does where the file names no kind, with a note', async () => {
    for (const pre of [undefined, 'default']) {
      const file = ggufWith(pre === undefined ? without(byteMetadata(), 'tokenizer.ggml.pre') : byteMetadata(pre));
      const { notes = [] } = await readTokenizerTexts(file);
      assert.match(
        notes.join(),
        pre ? /has "default" as "tokenizer\.ggml\.pre"/ : /does not have "tokenizer\.ggml\.pre"/,
      );
      assert.deepEqual(pieces(await loadLocalTokenizer(file), '1234.ab'), ['123', '4', '.', 'ab']);
    }
    assert.deepEqual((await readTokenizerTexts(ggufWith(byteMetadata()))).notes, []);
  });

  it('puts BOS and EOS around a text where the file or the kind says so', async () => {
    const ends = async (metadata: Metadata): Promise<number[]> => (await load(metadata)).encode('', SPECIALS);
    assert.deepEqual(await ends(byteMetadata('gpt-2')), []);
    assert.deepEqual(await ends(byteMetadata('llama-bpe')), [1]);
    assert.deepEqual(
      await ends(changed(byteMetadata('llama-bpe'), [['tokenizer.ggml.add_bos_token', bool(false)]])),
      [],
    );
    const both = changed(byteMetadata(), [
      ['tokenizer.ggml.add_bos_token', bool(true)],
      ['tokenizer.ggml.add_eos_token', bool(true)],
    ]);
    assert.deepEqual(await ends(both), [1, 2]);
  });
});

const PIECES = ['▁', 'ca', 'ab', 'a', 'b', 'c', 'bc', 'abc', '▁a', '▁ab'];

describe('tokenizer/gguf of pieces', () => {
  it('joins the neighbours of the greatest score first', async () => {
    const tokenizer = await load(pieceMetadata());
    const id = (piece: string): number => 259 + PIECES.indexOf(piece);
    const cases: Record<string, string[]> = {
      abc: ['▁', 'abc'], // bc before ab, then a and bc
      ab: ['▁ab'], // ab before ▁a, then both with ▁
      a: ['▁a'],
      cab: ['▁', 'c', 'ab'], // ab before ca
    };
    for (const [given, expected] of Object.entries(cases)) {
      assert.deepEqual(tokenizer.encode(given, PLAIN), expected.map(id), given);
      assert.equal(tokenizer.decode(expected.map(id), WHOLE), given);
    }
    assert.deepEqual(tokenizer.encode('x', PLAIN), [id('▁'), 3 + 0x78], 'a byte');
    assert.deepEqual(
      tokenizer.encode('a   a', PLAIN),
      [id('▁a'), 259 + PIECES.length, id('▁a')],
      'an added token has spaces',
    );
  });

  it('has merges by score, then by the ids of the parts, as the tokenizers library makes them', async () => {
    const { tokenizer } = await readTokenizerTexts(ggufWith(pieceMetadata()));
    const { model } = JSON.parse(tokenizer) as { model: { merges: string[][] } };
    assert.deepEqual(
      model.merges.map((merge) => merge.join(' ')),
      ['b c', 'ab c', 'a bc', 'a b', '▁ a', '▁ ab', '▁a b', 'c a'],
    );
  });

  it('begins with BOS and a space unless the file says otherwise', async () => {
    assert.deepEqual((await load(pieceMetadata())).encode('a', SPECIALS), [1, 267]);
    const bare = changed(pieceMetadata(), [
      ['tokenizer.ggml.add_bos_token', bool(false)],
      ['tokenizer.ggml.add_space_prefix', bool(false)],
    ]);
    const tokenizer = await load(bare);
    assert.deepEqual(tokenizer.encode('a', SPECIALS), [262]);
    assert.equal(tokenizer.decode(tokenizer.encode(' a', PLAIN), WHOLE), ' a');
  });

  it('takes the special tokens that the file names', async () => {
    const { settings } = await readTokenizerTexts(ggufWith(pieceMetadata()));
    const read = JSON.parse(settings!) as Record<string, unknown>;
    assert.deepEqual(
      [read.bos_token, read.eos_token, read.unk_token, read.pad_token],
      ['<s>', '</s>', '<unk>', undefined],
    );
    const other = changed(pieceMetadata(), [['tokenizer.ggml.bos_token_id', u32(2)]]);
    assert.deepEqual((await load(other)).encode('a', SPECIALS), [2, 267]);
  });
});

describe('tokenizer/gguf: tokenizer.json in the file', () => {
  const stored = async (metadata: Metadata, change: (json: Stored) => void): Promise<Metadata> => {
    const json = JSON.parse((await readTokenizerTexts(ggufWith(metadata))).tokenizer) as Stored;
    change(json);
    return metadata.set('tokenizer.huggingface.json', text(JSON.stringify(json)));
  };
  interface Stored {
    model: { vocab: Record<string, number>; merges: unknown[] };
    normalizer: unknown;
    added_tokens: { id: number }[];
  }

  it('is taken as it is, also for kinds that Coppice does not have otherwise', async () => {
    const lower = (json: Stored): void => void (json.normalizer = { type: 'Lowercase' });
    for (const [key, value] of [
      ['tokenizer.ggml.pre', 'gpt-2'],
      ['tokenizer.ggml.pre', 'no-such-kind'],
      ['tokenizer.ggml.model', 't5'],
    ]) {
      const metadata = (await stored(byteMetadata(), lower)).set(key, text(value));
      const file = ggufWith(metadata);
      assert.deepEqual(pieces(await loadLocalTokenizer(file), 'AB'), ['ab'], value);
      const [{ text: written }] = await tokenizerFilesOf(file);
      assert.deepEqual(text(written), metadata.get('tokenizer.huggingface.json'));
    }
  });

  it('is left aside if it is no JSON', async () => {
    for (const broken of ['{', '[]', '{}', '']) {
      const tokenizer = await load(changed(byteMetadata(), [['tokenizer.huggingface.json', text(broken)]]));
      assert.deepEqual(pieces(tokenizer, 'AB'), ['A', 'B']);
    }
  });

  it('is refused if it has other tokens', async () => {
    const cases: readonly (readonly [change: (json: Stored) => void, why: RegExp])[] = [
      [({ model }) => (model.vocab.more = 273), /has the id 273, and there are 273 tokens/],
      [({ model }) => (model.vocab.more = 1.5), /has the id 1\.5/],
      [({ model }) => delete model.vocab.ab, /has no token 263, which is "ab"/],
      [({ model }) => Object.assign(model.vocab, { ab: 264, '.a': 263 }), /its token 263 is "\.a", not "ab"/],
      [({ added_tokens: added }) => (added[0].id = 999), /has the id 999/],
    ];
    for (const [change, why] of cases) {
      await assert.rejects(load(await stored(byteMetadata(), change)), {
        name: 'UserError',
        what: /model\.gguf: metadata "tokenizer\.huggingface\.json"/,
        why,
      });
    }
  });
});

describe('tokenizer/gguf: files', () => {
  it('can be written beside a model, and read as a folder', async () => {
    const file = ggufWith(byteMetadata());
    const folder = temporaryFolder();
    const files = await tokenizerFilesOf(file);
    assert.deepEqual(
      files.map(({ name }) => name),
      ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'],
    );
    for (const { name, text: content } of files) writeFileSync(join(folder, name), content);
    const [from, to] = [await loadLocalTokenizer(file), await loadLocalTokenizer(folder)];
    const given = ' ab<s>1234é[tool call]\n';
    assert.deepEqual(to.encode(given, SPECIALS), from.encode(given, SPECIALS));
    const messages = [{ role: 'user', content: 'ab' }];
    assert.equal(to.chat(messages, { addGenerationPrompt: false }), '<s>ab</s>');
    assert.deepEqual(
      (await tokenizerFilesOf(folder)).map(({ text: content }) => content),
      files.map(({ text: content }) => content),
    );
    const settings = JSON.parse(files[1].text) as Record<string, unknown>;
    assert.equal(settings.tokenizer_class, 'PreTrainedTokenizerFast');
    assert.deepEqual([settings.add_bos_token, settings.clean_up_tokenization_spaces], [false, false]);
    assert.equal(settings.model_max_length, 64);
  });

  it('are there or not, without reading all of them', async () => {
    const file = ggufWith(byteMetadata());
    assert.deepEqual([await hasTokenizer(file), (await readTemplate(file)).text !== undefined], [true, true]);
    const bare = ggufWith(without(byteMetadata(), 'tokenizer.chat_template'));
    assert.deepEqual([await hasTokenizer(bare), (await readTemplate(bare)).text !== undefined], [true, false]);
    await assert.rejects(
      async () => (await loadLocalTokenizer(bare)).chat([], { addGenerationPrompt: false }),
      /no chat template/,
    );
    const none = ggufWith(changed(byteMetadata(), [['tokenizer.ggml.model', text('none')]]));
    assert.equal(await hasTokenizer(none), false);
    assert.equal(await optionalTokenizer(none), undefined);
    assert.equal(await optionalTokenizer(ggufWith(byteMetadata('no-such-kind'))), undefined);
    assert.ok((await optionalTokenizer(file)) !== undefined);
    const folder = join(temporaryFolder(), 'folder.gguf');
    mkdirSync(folder);
    assert.equal(await hasTokenizer(folder), false);
  });

  it('are recognised by their first bytes', async () => {
    const file = ggufWith(byteMetadata(), 'blob');
    assert.deepEqual(pieces(await loadLocalTokenizer(file), 'ab'), ['ab']);
  });

  it('of a kind that Coppice does not have are refused by name, with what to do', async () => {
    const cases: readonly (readonly [metadata: Metadata, why: RegExp])[] = [
      [byteMetadata('no-such-kind'), /words as "no-such-kind" \("tokenizer\.ggml\.pre"\)/],
      ...['bert', 't5', 'rwkv', 'plamo2', 'gemma4'].map(
        (kind) =>
          [
            changed(byteMetadata(), [['tokenizer.ggml.model', text(kind)]]),
            new RegExp(`"${kind}" \\("tokenizer\\.ggml\\.model"\\)`),
          ] as const,
      ),
      [
        changed(byteMetadata(), [['tokenizer.ggml.model', text('none')]]),
        /it has none \("tokenizer\.ggml\.model" is "none"\)/,
      ],
      [without(byteMetadata(), 'tokenizer.ggml.model'), /is missing/],
      [new Map([['split.no', u32(1)]]), /in several files, the first one has the tokenizer/],
    ];
    for (const [metadata, why] of cases) {
      const action = /original model in safetensors.*or give token ids/;
      await assert.rejects(load(metadata), { name: 'UserError', what: /tokenizer of .*model\.gguf/, why, action });
    }
  });

  it('of the first part of a model in several files are like others', async () => {
    const metadata = changed(byteMetadata(), [['split.no', { type: 'u16', value: 0 }]]);
    const tokenizer = await loadLocalTokenizer(ggufWith(metadata, 'model-00001-of-00002.gguf'));
    assert.deepEqual(pieces(tokenizer, 'ab'), ['ab']);
  });

  it('of a broken tokenizer.json or template name the GGUF file', async () => {
    const template = changed(byteMetadata(), [['tokenizer.chat_template', text('{% if %}')]]);
    const tokenizer = await load(template);
    assert.throws(() => tokenizer.chat([], { addGenerationPrompt: false }), {
      name: 'UserError',
      what: /chat template of .*model\.gguf/,
      why: /^metadata "tokenizer\.chat_template"/,
    });
    const stored = { model: { type: 'BPE', vocab: {}, merges: [] }, added_tokens: {} };
    const few = changed(byteMetadata(), [
      ['tokenizer.ggml.tokens', texts(['[PAD0]'])],
      ['tokenizer.ggml.token_type', i32s([5])],
      ['tokenizer.huggingface.json', text(JSON.stringify(stored))],
      ['tokenizer.ggml.bos_token_id', u32(0)],
      ['tokenizer.ggml.eos_token_id', u32(0)],
    ]);
    await assert.rejects(load(few), { name: 'UserError', what: /^Cannot use .*model\.gguf$/, why: /"added_tokens"/ });
  });
});
