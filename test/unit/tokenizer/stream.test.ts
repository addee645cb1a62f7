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

    it('starts afresh each time', () => {
      const ids = tokenizer.encode('the end', { addSpecialTokens: false });
      assert.equal(streamed(tokenizer, ids).join(''), 'the end');
      assert.equal(streamed(tokenizer, ids).join(''), 'the end');
    });
  });
}
