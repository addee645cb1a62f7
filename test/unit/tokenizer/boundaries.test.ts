/** Cutting at places that no merge can cross changes no id: against the library without the cut, over random merges. */
import { BPE, Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import assert from 'node:assert/strict';
import { Random } from '../../../src/engine/random';
import { MergeBoundaryPreTokenizer } from '../../../src/engine/tokenizer/boundaries';
import { loadLocalTokenizer } from '../../../src/engine/tokenizer/local';
import { folderWith, sentencePieceToy } from './toy';

const LETTERS = ['a', 'b', 'c', '▁', '𝔸', '🙂'];

/** A BPE of random merges: each joins two tokens that exist by then. */
function randomBpe(random: Random): Record<string, unknown> {
  const tokens = [...LETTERS];
  const merges: [string, string][] = [];
  for (let i = 0; i < 12; i++) {
    const pair: [string, string] = [tokens[random.below(tokens.length)], tokens[random.below(tokens.length)]];
    if (tokens.includes(pair.join(''))) continue;
    merges.push(pair);
    tokens.push(pair.join(''));
  }
  const vocab = Object.fromEntries(['<unk>', ...tokens].map((token, id) => [token, id]));
  return { type: 'BPE', unk_token: '<unk>', fuse_unk: true, vocab, merges };
}

describe('tokenizer/boundaries', () => {
  it('gives the ids of the uncut text', () => {
    const random = new Random(3);
    let cuts = 0;
    for (let round = 0; round < 200; round++) {
      const description = {
        model: randomBpe(random),
        added_tokens: [],
        normalizer: null,
        pre_tokenizer: null,
        post_processor: null,
        decoder: null,
      };
      const plain = new LibraryTokenizer(description, {});
      const cut = new LibraryTokenizer(description, {});
      cut.pre_tokenizer = new MergeBoundaryPreTokenizer((cut.model as BPE).merges, null);
      for (let i = 0; i < 10; i++) {
        const text = Array.from({ length: 1 + random.below(30) }, () =>
          random.below(12) === 0 ? '?' : LETTERS[random.below(LETTERS.length)],
        ).join('');
        const parts: string[] = cut.pre_tokenizer.pre_tokenize(text);
        assert.equal(parts.join(''), text);
        cuts += parts.length - 1;
        assert.deepEqual(cut.encode(text).ids, plain.encode(text).ids, text);
      }
    }
    assert.ok(cuts > 1000, `${cuts} cuts`);
  });

  it('cuts a SentencePiece text into words', async () => {
    const toy = sentencePieceToy();
    const text = 'the  there and   anding ? thenthe ';
    const plain = new LibraryTokenizer(toy, {}).encode(text).ids;
    const tokenizer = await loadLocalTokenizer(folderWith({ 'tokenizer.json': toy }));
    assert.deepEqual(tokenizer.encode(text, { addSpecialTokens: true }), plain);
    const merges = (new LibraryTokenizer(toy, {}).model as BPE).merges;
    const parts = new MergeBoundaryPreTokenizer(merges, null).pre_tokenize('▁the▁▁and▁there');
    assert.deepEqual(parts, ['▁the', '▁▁and', '▁there']);
  });
});
