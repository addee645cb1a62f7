/** A tokenizer against the ids and texts of the original library. */
import assert from 'node:assert/strict';
import type { Tokenizer } from '../../src/engine/tokenizer/tokenizer';
import type { GoldenTokens } from './golden';

/** Encoding, decoding, and decoding id by id. */
export function checkTokens(tokenizer: Tokenizer, golden: GoldenTokens): void {
  if (golden.text !== null) {
    assert.deepEqual(tokenizer.encode(golden.text, { addSpecialTokens: false }), golden.idsWithoutSpecials);
    assert.deepEqual(tokenizer.encode(golden.text, { addSpecialTokens: true }), golden.idsWithSpecials);
  }
  assert.equal(tokenizer.decode(golden.idsWithoutSpecials, { skipSpecialTokens: false }), golden.decoded);
  assert.equal(tokenizer.decode(golden.idsWithSpecials, { skipSpecialTokens: true }), golden.decodedSkippingSpecials);
  const stream = tokenizer.streamDecoder();
  const pieces = golden.idsWithSpecials.map((id) => stream.push(id));
  assert.equal([...pieces, stream.end()].join(''), golden.decodedSkippingSpecials);
}
