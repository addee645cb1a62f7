/** Bits per byte: the formula, and which tokens and bytes of a text count. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { bitsPerByte, sizeOfRows, sizeOfStart } from '../../../src/engine/evaluate/bits-per-byte';
import { loadTokenizer, type Tokenizer } from '../../../src/engine/tokenizer/tokenizer';
import { assertClose } from '../../support/close';
import { temporaryFolder } from '../../support/temporary';
import { TINY_SPECIALS, writeTinyTokenizer } from '../../support/tiny-tokenizer';

const SAMPLE = resolve(import.meta.dirname, '../../../media/sample');

const toy = (): Promise<Tokenizer> => {
  const folder = temporaryFolder();
  writeTinyTokenizer(folder);
  return loadTokenizer(folder);
};

/** Characters of one to four bytes, a token that is special, and blanks at the ends. */
const TEXT = ' the river ränd 山高月小 🙂🙃</s> and the mill  ';

describe('bits per byte', () => {
  it('are the loss of the whole text in bits, for each of its bytes', () => {
    // 100 tokens of 2 bits in 50 bytes.
    assertClose(bitsPerByte(2 * Math.LN2, { tokens: 100, bytes: 50 }), 4, { absolute: 1e-15 }, 'bits');
    assert.ok(Number.isNaN(bitsPerByte(NaN, { tokens: 100, bytes: 50 })));
  });

  it('are the same where one vocabulary needs twice the tokens at half the loss of each', () => {
    const few = bitsPerByte(3, { tokens: 40, bytes: 160 });
    assert.equal(bitsPerByte(1.5, { tokens: 80, bytes: 160 }), few);
  });

  it('count the bytes of the start of a text, of which a character that is cut is none', async () => {
    for (const tokenizer of [await toy(), await loadTokenizer(SAMPLE)]) {
      const ids = await tokenizer.encode(TEXT, { addSpecialTokens: false });
      const ends = new Set<number>();
      for (let tokens = 1; tokens <= ids.length; tokens++) {
        const size = await sizeOfStart(tokenizer, { text: TEXT, ids }, tokens);
        assert.equal(size.tokens, tokens);
        ends.add(size.bytes);
        // A start of the text, in whole characters.
        const start = Buffer.from(TEXT).subarray(0, size.bytes).toString();
        assert.ok(TEXT.startsWith(start), `${tokens}: ${start}`);
        const again = await tokenizer.encode(start, { addSpecialTokens: false });
        assert.ok(again.length <= tokens, `${start}: ${again.length} of ${tokens}`);
      }
      assert.ok(ends.size > 15 && ends.has(Buffer.byteLength(TEXT)));
    }
  });

  it('count every byte of rows once, without a begin-of-text token', async () => {
    for (const tokenizer of [await toy(), await loadTokenizer(SAMPLE)]) {
      const begin = tokenizer.beginsWith ?? TINY_SPECIALS.bos;
      const text = 'the river ends, and the mill stands where it always stood.';
      const ids = await tokenizer.encode(text, { addSpecialTokens: false });
      const rows = Array.from({ length: Math.floor(ids.length / 4) }, (_, r) => ids.slice(4 * r, 4 * r + 4));
      const all = 4 * rows.length;
      const { bytes } = await sizeOfStart(tokenizer, { text, ids }, all);
      const found = await sizeOfRows(tokenizer, rows, undefined);
      // SentencePiece puts a blank before the text, which the first row then has.
      const blank = (await tokenizer.decode(ids.slice(0, 1), { skipSpecialTokens: false, after: ids })).startsWith(' ');
      assert.deepEqual(found, { tokens: all, bytes: bytes + (blank ? 1 : 0) });
      const begun = rows.map((row) => [begin, ...row]);
      assert.deepEqual(await sizeOfRows(tokenizer, begun, begin), found);
    }
  });

  it('count a byte for each token of one, wherever a row cuts a character', async () => {
    const tokenizer = await toy();
    const ids = await tokenizer.encode('山高🙂', { addSpecialTokens: false });
    assert.equal(ids.length, 10);
    const { bytes } = await sizeOfRows(tokenizer, [ids.slice(1, 4)], undefined);
    assert.equal(bytes, 3, 'two bytes of one character, and one of the next');
  });
});
