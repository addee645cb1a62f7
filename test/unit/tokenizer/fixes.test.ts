/** Each fix against what the original tokenizers library (0.23, run once from Python) does with the same input. */
import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import assert from 'node:assert/strict';
import { fixedDecode, fixPreTokenizer, fixStages } from '../../../src/engine/tokenizer/fixes';
import { sentencePieceToy, type SentencePieceToy } from './toy';

function library(parts: Record<string, unknown>): LibraryTokenizer {
  const description: SentencePieceToy = { ...sentencePieceToy(), normalizer: null, ...parts };
  const tokenizer = new LibraryTokenizer(
    { ...description, pre_tokenizer: fixPreTokenizer(description.pre_tokenizer) },
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

  it('an inverted Isolated Split keeps the gaps; behaviors that the library lacks are refused', () => {
    const stage = { type: 'Split', pattern: { Regex: '[a-z]+' }, invert: true };
    assert.deepEqual(pieces({ ...stage, behavior: 'Isolated' }, 'ab-cd!'), ['ab', '-', 'cd', '!']);
    assert.deepEqual(pieces({ ...stage, behavior: 'Removed' }, 'ab-cd!'), ['ab', 'cd']);
    assert.throws(() => pieces({ ...stage, behavior: 'MergedWithPrevious' }, ''), /MergedWithPrevious/);
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
