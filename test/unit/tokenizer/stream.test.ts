/** Streaming decode: whole characters only, and joined the whole decode. */
import assert from 'node:assert/strict';
import { Random } from '../../../src/engine/random';
import { loadLocalTokenizer, type LocalTokenizer } from '../../../src/engine/tokenizer/local';
import { temporaryFolder } from '../../support/temporary';
import { writeTinyTokenizer } from '../../support/tiny-tokenizer';
import { streamed } from '../../support/token-checks';
import { folderWith, sentencePieceToy } from './toy';

const TEXT = 'the and there 🙂 naïve 日本 👩‍👩‍👧 \ufeff end';

const MAKE: Record<string, () => string> = {
  'byte-level': () => {
    const folder = temporaryFolder();
    writeTinyTokenizer(folder);
    return folder;
  },
  SentencePiece: () => folderWith({ 'tokenizer.json': sentencePieceToy() }),
};

for (const [kind, make] of Object.entries(MAKE)) {
  describe(`tokenizer/stream: ${kind}`, () => {
    let tokenizer: LocalTokenizer;
    before(async () => {
      tokenizer = await loadLocalTokenizer(make());
    });

    it('gives a text in whole characters', () => {
      const ids = tokenizer.encode(TEXT, { addSpecialTokens: true });
      const pieces = streamed(tokenizer, ids);
      assert.equal(pieces.join(''), TEXT);
      for (const piece of pieces) assert.ok(!/[\ufffd\p{Surrogate}]/u.test(piece), JSON.stringify(piece));
      assert.ok(pieces.filter((piece) => piece !== '').length > 10, 'text comes while ids do');
    });

    it('equals the whole decode for any ids', () => {
      const random = new Random(11);
      for (let round = 0; round < 2000; round++) {
        const ids = Array.from({ length: random.below(12) }, () => random.below(tokenizer.vocabularySize + 3));
        for (const skipSpecialTokens of [true, false]) {
          const whole = tokenizer.decode(ids, { skipSpecialTokens });
          assert.equal(streamed(tokenizer, ids, skipSpecialTokens).join(''), whole, `ids ${ids.join()}`);
        }
      }
    });

    it('gives what is left of a broken character at the end', () => {
      const ids = tokenizer.encode('a🙂', { addSpecialTokens: false }).slice(0, -1);
      const pieces = streamed(tokenizer, ids);
      assert.equal(pieces.slice(0, -1).join(''), 'a');
      assert.match(pieces.at(-1)!, /^\ufffd+$/);
    });

    it('continues a prompt by what it adds to its text', () => {
      const prompt = tokenizer.encode('the end', { addSpecialTokens: true });
      const whole = tokenizer.encode('the end and 🙂 there', { addSpecialTokens: true });
      assert.deepEqual(whole.slice(0, prompt.length), prompt);
      const ids = whole.slice(prompt.length);
      assert.equal(tokenizer.decode(ids, { skipSpecialTokens: true, after: prompt }), ' and 🙂 there');
      assert.equal(streamed(tokenizer, ids, true, prompt).join(''), ' and 🙂 there');
      // A prompt without text is none.
      assert.equal(tokenizer.decode(whole, { skipSpecialTokens: true, after: [1] }), 'the end and 🙂 there');
      assert.equal(streamed(tokenizer, whole, true, [1]).join(''), 'the end and 🙂 there');
    });

    it('continues a prompt that ends inside a character', () => {
      const ids = tokenizer.encode('a🙂b', { addSpecialTokens: false });
      for (const cut of [2, 3, 4]) {
        const [after, rest] = [ids.slice(0, ids.length - cut), ids.slice(ids.length - cut)];
        assert.equal(tokenizer.decode(rest, { skipSpecialTokens: true, after }), '🙂b');
        assert.equal(streamed(tokenizer, rest, true, after).join(''), '🙂b');
      }
    });

    it('equals the whole decode for any ids after any ids', () => {
      const random = new Random(12);
      const some = (most: number): number[] =>
        Array.from({ length: random.below(most) }, () => random.below(tokenizer.vocabularySize + 3));
      for (let round = 0; round < 2000; round++) {
        const [after, ids] = [some(6), some(9)];
        for (const skipSpecialTokens of [true, false]) {
          const added = tokenizer.decode(ids, { skipSpecialTokens, after });
          assert.ok(tokenizer.decode([...after, ...ids], { skipSpecialTokens }).endsWith(added));
          assert.equal(
            streamed(tokenizer, ids, skipSpecialTokens, after).join(''),
            added,
            `${after.join()} | ${ids.join()}`,
          );
        }
      }
    });

    it('starts afresh each time', () => {
      const ids = tokenizer.encode('the end', { addSpecialTokens: false });
      assert.equal(streamed(tokenizer, ids).join(''), 'the end');
      assert.equal(streamed(tokenizer, ids).join(''), 'the end');
    });
  });
}
