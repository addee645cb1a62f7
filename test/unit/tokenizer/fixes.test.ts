/** Each fix against what the original tokenizers library (0.23, run once from Python) does with the same input. */
import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import assert from 'node:assert/strict';
import {
  fixedDecode,
  fixedEncode,
  fixPostProcessor,
  fixPreTokenizer,
  fixReplace,
  fixStages,
} from '../../../src/engine/tokenizer/fixes';
import { sentencePieceToy, type SentencePieceToy } from './toy';

function library(parts: Record<string, unknown>): LibraryTokenizer {
  const description: SentencePieceToy = { ...sentencePieceToy(), normalizer: null, ...parts };
  const tokenizer = new LibraryTokenizer(
    {
      ...description,
      normalizer: fixReplace(description.normalizer),
      pre_tokenizer: fixPreTokenizer(description.pre_tokenizer),
      post_processor: fixPostProcessor(description.post_processor),
      decoder: fixReplace(description.decoder),
    },
    {},
  );
  fixStages(tokenizer);
  return tokenizer;
}

const pieces = (stage: unknown, text: string): string[] =>
  library({ pre_tokenizer: stage }).pre_tokenizer!.pre_tokenize(text);

/** Joins the tokens by the toy's decoder without its Replace and Strip. */
function decoded(tokens: string[]): string {
  const decoder = { type: 'Sequence', decoders: [{ type: 'ByteFallback' }, { type: 'Fuse' }] };
  return library({ decoder }).decoder!.decode(tokens);
}

describe('tokenizer/fixes', () => {
  it('Digits splits every numeric character', () => {
    const text = 'a1½²Ⅷ٣23b';
    const each = ['a', '1', '½', '²', 'Ⅷ', '٣', '2', '3', 'b'];
    assert.deepEqual(pieces({ type: 'Digits', individual_digits: true }, text), each);
    assert.deepEqual(pieces({ type: 'Digits', individual_digits: false }, text), ['a', '1½²Ⅷ٣23', 'b']);
    const nested = { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }] };
    assert.deepEqual(pieces(nested, text), each);
  });

  it('ByteLevel takes White_Space for space: not U+FEFF, but U+0085', () => {
    const stage = { type: 'ByteLevel', add_prefix_space: false, use_regex: true };
    assert.deepEqual(pieces(stage, 'a \ufeff!\u0085b'), ['a', 'Ġï»¿!', 'Âħ', 'b']);
    assert.deepEqual(pieces({ type: 'Sequence', pretokenizers: [stage] }, 'a \ufeff!'), ['a', 'Ġï»¿!']);
  });

  it('Metaspace starts a piece at every ▁ unless split is false', () => {
    const stage = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' };
    assert.deepEqual(pieces(stage, 'a  b c'), ['▁a', '▁', '▁b', '▁c']);
    assert.deepEqual(pieces({ ...stage, split: false }, 'a  b c'), ['▁a▁▁b▁c']);
  });

  it('Split has the five behaviors of the original, inverted or not; another one is refused', () => {
    const split = (behavior: string, invert: boolean): string[] =>
      pieces({ type: 'Split', pattern: { Regex: '[0-9]' }, behavior, invert }, '12a3bc45');
    for (const invert of [false, true]) {
      assert.deepEqual(split('Isolated', invert), ['1', '2', 'a', '3', 'bc', '4', '5']);
      assert.deepEqual(split('Contiguous', invert), ['12', 'a', '3', 'bc', '45']);
    }
    assert.deepEqual(split('Removed', false), ['a', 'bc']);
    assert.deepEqual(split('Removed', true), ['1', '2', '3', '4', '5']);
    assert.deepEqual(split('MergedWithPrevious', false), ['1', '2', 'a3', 'bc4', '5']);
    assert.deepEqual(split('MergedWithPrevious', true), ['1', '2a', '3bc', '4', '5']);
    assert.deepEqual(split('MergedWithNext', false), ['1', '2a', '3bc', '4', '5']);
    assert.deepEqual(split('MergedWithNext', true), ['1', '2', 'a3', 'bc4', '5']);
    assert.throws(() => split('MergedTwice', false), /MergedTwice/);
  });

  it('Split takes a string as it is', () => {
    const stage = { type: 'Split', pattern: { String: '.' }, behavior: 'MergedWithPrevious', invert: false };
    assert.deepEqual(pieces(stage, 'a.b..c'), ['a.', 'b.', '.', 'c']);
    assert.deepEqual(pieces({ ...stage, behavior: 'Removed' }, 'a.b..c'), ['a', 'b', 'c']);
  });

  it('Punctuation follows its behavior', () => {
    const text = 'a!?b.$“c';
    assert.deepEqual(pieces({ type: 'Punctuation' }, text), ['a', '!', '?', 'b', '.', '$', '“', 'c']);
    assert.deepEqual(pieces({ type: 'Punctuation', behavior: 'Contiguous' }, text), ['a', '!?', 'b', '.$“', 'c']);
    assert.deepEqual(pieces({ type: 'Punctuation', behavior: 'Removed' }, text), ['a', 'b', 'c']);
  });

  it('Whitespace and WhitespaceSplit know letters and blanks of all scripts', () => {
    const text = 'é_1 a-b\u0301!\u200d\ufeff?\u0085x';
    assert.deepEqual(pieces({ type: 'Whitespace' }, text), ['é_1', 'a', '-', 'b\u0301', '!', '\u200d', '\ufeff?', 'x']);
    assert.deepEqual(pieces({ type: 'WhitespaceSplit' }, text), ['é_1', 'a-b\u0301!\u200d\ufeff?', 'x']);
  });

  it('a Metaspace decoder leaves out every ▁ of the first token, or none', () => {
    const text = (prepend_scheme: string): string =>
      library({ decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme } }).decoder!.decode(['▁▁a▁', '▁b']);
    assert.equal(text('always'), 'a b');
    assert.equal(text('first'), 'a b');
    assert.equal(text('never'), '  a  b');
  });

  it('"$" in the content of a Replace is a dollar', () => {
    const stage = { type: 'Replace', pattern: { String: 'a' }, content: '$&b$$' };
    assert.equal(library({ normalizer: stage }).normalizer!('cac'), 'c$&b$$c');
    const decoder = { type: 'Sequence', decoders: [stage, { type: 'Fuse' }] };
    assert.equal(library({ decoder }).decoder!.decode(['cac']), 'c$&b$$c');
  });

  it('a name of TemplateProcessing stands for its tokens', () => {
    const special = { id: 'begin', type_id: 0 };
    const single = [{ SpecialToken: special }, { Sequence: { id: 'A', type_id: 0 } }];
    const post_processor = {
      type: 'Sequence',
      processors: [
        {
          type: 'TemplateProcessing',
          single,
          pair: single,
          special_tokens: { begin: { id: 'begin', ids: [1, 2], tokens: ['<s>', '</s>'] } },
        },
      ],
    };
    const tokenizer = library({ post_processor });
    assert.deepEqual(fixedEncode(tokenizer)('t', true), ['<s>', '</s>', 't']);
    assert.deepEqual(fixedEncode(tokenizer)('t', false), ['t']);
  });

  it('unknown characters are joined within a word only', () => {
    const model = { ...sentencePieceToy().model, byte_fallback: false };
    const tokenizer = library({ model, pre_tokenizer: { type: 'WhitespaceSplit' } });
    assert.deepEqual(fixedEncode(tokenizer)('XYt ZWt Z W', false), ['<unk>', 't', '<unk>', 't', '<unk>', '<unk>']);
  });

  it('byte fallback keeps a byte order mark', () => {
    assert.equal(decoded(['a', '<0xEF>', '<0xBB>', '<0xBF>', 'b']), 'a\ufeffb');
  });

  it('byte fallback replaces every byte of a run that is not UTF-8', () => {
    assert.equal(decoded(['<0xE2>', '<0x82>', '<0x41>', 'c']), '\ufffd\ufffd\ufffdc');
    assert.equal(decoded(['<0x41>', '<0xFF>']), '\ufffd\ufffd');
  });

  it('an empty list, and ids without a token, decode to nothing', () => {
    const tokenizer = library({});
    assert.equal(fixedDecode(tokenizer, [], false), '');
    assert.equal(fixedDecode(tokenizer, [999_999], false), '');
    assert.equal(fixedDecode(tokenizer, [1], true), '');
    const [the] = tokenizer.encode('▁the', { add_special_tokens: false }).ids;
    assert.equal(fixedDecode(tokenizer, [the, 999_999, the], false), 'the the');
  });

  it('spaces before punctuation stay', () => {
    const tokenizer = library({});
    const { ids } = tokenizer.encode('▁a▁.▁the▁!', { add_special_tokens: false });
    assert.equal(fixedDecode(tokenizer, ids, false), 'a . the !');
  });
});
