/** A tokenizer against the ids and texts of the original library. */
import assert from 'node:assert/strict';
import type { LocalTokenizer } from '../../src/engine/tokenizer/local';
import { streamStart } from '../../src/engine/tokenizer/stream';
import type { GoldenTokens } from './golden';

/** Encoding, decoding, and decoding id by id. */
export function checkTokens(tokenizer: LocalTokenizer, golden: GoldenTokens): void {
  if (golden.text !== null) {
    assert.deepEqual(tokenizer.encode(golden.text, { addSpecialTokens: false }), golden.idsWithoutSpecials);
    assert.deepEqual(tokenizer.encode(golden.text, { addSpecialTokens: true }), golden.idsWithSpecials);
  }
  assert.equal(tokenizer.decode(golden.idsWithoutSpecials, { skipSpecialTokens: false }), golden.decoded);
  assert.equal(tokenizer.decode(golden.idsWithSpecials, { skipSpecialTokens: true }), golden.decodedSkippingSpecials);
  assert.equal(streamed(tokenizer, golden.idsWithSpecials).join(''), golden.decodedSkippingSpecials);
}

/** What comes of each id, and of the end. @param after ids before them */
export function streamed(
  tokenizer: LocalTokenizer,
  ids: readonly number[],
  skipSpecialTokens = true,
  after: readonly number[] = [],
): string[] {
  let state = streamStart(after);
  const step = (some: readonly number[], ends: boolean): string => {
    const { text, state: next } = tokenizer.stream(state, some, { skipSpecialTokens, ends });
    state = next;
    return text;
  };
  return [...ids.map((id) => step([id], false)), step([], true)];
}
