/** Files that name ids of tokens, once some tokens are gone. */
import assert from 'node:assert/strict';
import { UserError } from '../../../src/engine/errors';
import { parseTokenizerFiles } from '../../../src/engine/tokenizer/files';
import { literalsOf, specialTokens } from '../../../src/engine/vocabulary/specials';
import { alphabetOf, readTokens } from '../../../src/engine/vocabulary/tokens';
import { tokensOfLanguages } from '../../../src/engine/vocabulary/languages';
import { TOKEN_CAP, keptTokens, Paths } from '../../../src/engine/vocabulary/rule';
import { piecesOf } from '../../../src/engine/vocabulary/counts';
import { trimmedConfig } from '../../../src/engine/vocabulary/trimmed-config';
import { newIds, trimmedTokenizer } from '../../../src/engine/vocabulary/trimmed-tokenizer';

/** Of ten tokens, five stay: 0, 2, 3, 7, 9. */
const KEPT = [0, 2, 3, 7, 9];
const ids = newIds(KEPT);

describe('configurations of a trimmed model', () => {
  const trimmed = (config: Record<string, unknown>) => trimmedConfig(config, ids, KEPT.length);

  it('name the same tokens by their ids of now, at the top and in the language model', () => {
    const given = {
      vocab_size: 10,
      bos_token_id: 2,
      eos_token_id: [3, 7],
      hidden_size: 9,
      text_config: { vocab_size: 10, pad_token_id: 0, eoi_token_id: 9 },
    };
    assert.deepEqual(trimmed(given), {
      vocab_size: 5,
      bos_token_id: 1,
      eos_token_id: [2, 3],
      hidden_size: 9,
      text_config: { vocab_size: 5, pad_token_id: 0, eoi_token_id: 4 },
    });
  });

  it('ids that are gone leave their lists, and a word with one of them goes', () => {
    const given = {
      suppress_tokens: [1, 2, 9],
      begin_suppress_tokens: [4],
      bad_words_ids: [[2, 3], [2, 4], [1]],
      forced_bos_token_id: 3,
      forced_decoder_ids: [
        [1, 7],
        [2, 8],
      ],
      pad_token_id: -1,
      eos_token_id: null,
    };
    assert.deepEqual(trimmed(given), {
      suppress_tokens: [1, 4],
      begin_suppress_tokens: [],
      bad_words_ids: [[1, 2]],
      forced_bos_token_id: 2,
      forced_decoder_ids: [[1, 3]],
      pad_token_id: -1,
      eos_token_id: null,
    });
  });

  it('the added tokens of tokenizer_config.json have the keys of now', () => {
    const given = { added_tokens_decoder: { 2: { content: '<s>' }, 4: { content: '<x>' }, 9: { content: '</s>' } } };
    assert.deepEqual(trimmed(given), {
      added_tokens_decoder: { 1: { content: '<s>' }, 4: { content: '</s>' } },
    });
  });
});

interface Change {
  readonly model?: Record<string, unknown>;
  readonly top?: Record<string, unknown>;
}

const description = ({ model = {}, top = {} }: Change = {}) =>
  parseTokenizerFiles({
    folder: 'toy',
    tokenizer: JSON.stringify({
      added_tokens: [
        { id: 0, content: '<unk>', special: true },
        { id: 7, content: '<unused3>', special: true },
        { id: 8, content: '<|user|>', special: false },
        { id: 9, content: '</s>', special: true },
      ],
      post_processor: {
        type: 'TemplateProcessing',
        single: [{ SpecialToken: { id: '</s>', type_id: 0 } }],
        pair: [],
        special_tokens: { '</s>': { id: '</s>', ids: [9], tokens: ['</s>'] } },
      },
      padding: { pad_id: 9, pad_token: '</s>' },
      pre_tokenizer: null,
      normalizer: null,
      decoder: null,
      model: {
        type: 'BPE',
        unk_token: '<unk>',
        byte_fallback: false,
        vocab: { '<unk>': 0, a: 1, b: 2, c: 3, ab: 4, abc: 5, bc: 6 },
        merges: [
          ['a', 'b'],
          ['b', 'c'],
          ['ab', 'c'],
        ],
        ...model,
      },
      ...top,
    }),
  }).description;

describe('tokens that stay', () => {
  const tokens = readTokens(description(), 'toy');
  const naming = { configurations: [], settings: '', template: '' };

  it('special ones that are no reserves, and those of the chat template', () => {
    assert.deepEqual(specialTokens(tokens, naming), [0, 9]);
    assert.deepEqual(specialTokens(tokens, { ...naming, template: "{{ '<|user|>' }}" }), [0, 8, 9]);
    assert.deepEqual(specialTokens(tokens, { ...naming, configurations: [{ bos_token_id: 7 }] }), [0, 7, 9]);
    // Beyond the tokenizer.
    assert.deepEqual(specialTokens(tokens, { ...naming, configurations: [{ eos_token_id: [9, 100] }] }), [0, 9]);
  });

  it('those on the way to a token, and no others', () => {
    const paths = new Paths(tokens);
    const texts = (text: string): (string | undefined)[] => paths.of(text).map((id) => tokens.texts[id]);
    assert.deepEqual(texts('abc'), ['a', 'b', 'c', 'ab', 'abc']);
    assert.deepEqual(texts('bc'), ['b', 'c', 'bc']);
    const kept = keptTokens(tokens, paths, {
      ...{ alphabet: [1, 2, 3], specials: [0, 9], named: [], counts: new Map([[5, 2]]) },
      ...{ min: 2, multiple: 1 },
    });
    assert.deepEqual([kept.ids, kept.closure], [[0, 1, 2, 3, 4, 5, 9], 1]);
  });

  it('a multiple is filled with real tokens whose ways are there, the most frequent first', () => {
    const always = { alphabet: [1, 2, 3], specials: [0, 9], named: [], min: 5, multiple: 6 };
    const kept = (counts: [number, number][]): readonly number[] =>
      keptTokens(tokens, new Paths(tokens), { ...always, counts: new Map(counts) }).ids;
    assert.deepEqual(kept([]), [0, 1, 2, 3, 4, 9]);
    assert.deepEqual(kept([[6, 4]]), [0, 1, 2, 3, 6, 9]);
    assert.deepEqual(kept([[5, 4]]), [0, 1, 2, 3, 4, 9]); // "abc" needs "ab", which is not there
  });

  it('in tokenizer.json, in order, with merges whose three texts stay', () => {
    const now = trimmedTokenizer(description(), tokens, [0, 1, 2, 3, 6, 9]);
    assert.deepEqual(now.model.vocab, { '<unk>': 0, a: 1, b: 2, c: 3, bc: 4 });
    assert.deepEqual(now.model.merges, [['b', 'c']]);
    assert.deepEqual(
      now.added_tokens.map(({ id, content }) => [id, content]),
      [
        [0, '<unk>'],
        [5, '</s>'],
      ],
    );
    const post = now.post_processor as { special_tokens: Record<string, { ids: number[] }> };
    assert.deepEqual(post.special_tokens['</s>'].ids, [5]);
    assert.deepEqual((now.padding as { pad_id: number }).pad_id, 5);
  });

  it('the texts in quotes of a chat template', () => {
    assert.deepEqual(literalsOf(`{{ 'a\\n' + "b'c" }}{% if x == 'it\\'s' %}`), ['a\n', "b'c", "it's"]);
  });

  it('of languages, by their letters', () => {
    const some = readTokens(
      description({ model: { vocab: { '<unk>': 0, the: 1, für: 2, мир: 3, '12.': 4, 日: 5 }, merges: [] } }),
      'toy',
    );
    const kept = (...languages: ('en' | 'de' | 'ru' | 'ja')[]): (string | undefined)[] =>
      tokensOfLanguages(some, languages).map((id) => some.texts[id]);
    assert.deepEqual(kept('en'), ['<unk>', 'the', '12.']);
    assert.deepEqual(kept('de'), ['<unk>', 'the', 'für', '12.']);
    assert.deepEqual(kept('ru', 'ja'), ['мир', '12.', '日']);
  });
});

describe('vocabularies that are not trimmed', () => {
  const refused = (
    why: RegExp,
    change: Change,
    run: (read: ReturnType<typeof readTokens>) => unknown = () => undefined,
  ): void => {
    assert.throws(
      () => run(readTokens(description(change), 'toy/tokenizer.json')),
      (error: unknown) => error instanceof UserError && why.test(`${error.what} ${error.why}`) && error.action !== '',
    );
  };

  it('WordPiece', () =>
    refused(/toy\/tokenizer\.json.*WordPiece/, { model: { type: 'WordPiece', unk_token: '<unk>' } }));
  it('prefixes of parts', () => refused(/continuing_subword_prefix/, { model: { continuing_subword_prefix: '##' } }));
  it('ends of words', () => refused(/end_of_word_suffix/, { model: { end_of_word_suffix: '</w>' } }));
  it('dropout', () => refused(/dropout/, { model: { dropout: 0.1 } }));
  it('a token longer than any word', () => {
    const long = 'a'.repeat(TOKEN_CAP + 1);
    refused(/4097 characters/, { model: { vocab: { '<unk>': 0, a: 1, [long]: 2 }, merges: [] } }, (tokens) =>
      new Paths(tokens).of(long),
    );
  });
  it('ids beyond all known vocabularies', () => {
    assert.throws(
      () => description({ model: { vocab: { '<unk>': 0, a: 10_000_000 }, merges: [] } }),
      (error: unknown) => error instanceof UserError && error.why.includes('10000000'),
    );
  });
  it('bytes that are missing are not sayable before or after', () => {
    const tokens = readTokens(
      description({
        model: { byte_fallback: true, vocab: { '<unk>': 0, '<0x61>': 1, '<0x62>': 2, a: 3 }, merges: [] },
      }),
      'toy',
    );
    assert.deepEqual([tokens.kind, alphabetOf(tokens)], ['bpe-fallback', [1, 2]]);
  });
  it('merges in a circle end', () => {
    const merges = [
      ['a', 'b'],
      ['ab', 'a'],
      ['b', 'ab'],
      ['a', 'ba'],
    ];
    const tokens = readTokens(
      description({ model: { vocab: { '<unk>': 0, a: 1, b: 2, ab: 3, aba: 4, ba: 5 }, merges } }),
      'toy',
    );
    // "aba" is met on the way a b → ab, ab a → aba; "ba" has no way.
    assert.deepEqual(new Paths(tokens).of('aba'), [1, 2, 3, 4]);
    assert.deepEqual(new Paths(tokens).of('ba'), []);
  });
});

describe('pieces of a text', () => {
  it('end after a run of line breaks', () => {
    assert.deepEqual(piecesOf('a\n\nb\nc'), ['a\n\n', 'b\n', 'c']);
    assert.deepEqual(piecesOf(''), []);
  });
  it('a line without an end is cut at blanks, and no character is cut', () => {
    const text = `${'word '.repeat(5000)}${'🙂'.repeat(11_000)}`;
    const pieces = piecesOf(text);
    assert.equal(pieces.join(''), text);
    assert.ok(pieces.every((piece) => piece.length <= 10_000));
    assert.ok(pieces.every((piece) => !/[\ud800-\udbff]$/.test(piece)));
  });
});
