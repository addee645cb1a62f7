/** What names a part: 3/8. */
import assert from 'node:assert/strict';
import { MAX_PARTS, parsePart, partText } from '../../../src/engine/parts/part';

describe('parts/part', () => {
  it('is read as it is written', () => {
    for (const part of [
      { number: 1, of: 1 },
      { number: 3, of: 8 },
      { number: MAX_PARTS, of: MAX_PARTS },
    ]) {
      assert.deepEqual(parsePart(partText(part)), part);
    }
    assert.deepEqual(parsePart(' 3/8\n'), { number: 3, of: 8 });
  });

  it('is nothing else', () => {
    const others = ['', '3', '0/8', '9/8', '-1/8', '3/0', '3/-8', '1.5/8', '3/8/9', '3 / 8', 'a/b', '1e1/20', '0x1/8'];
    for (const text of [...others, `1/${MAX_PARTS + 1}`, '1/9999999']) assert.equal(parsePart(text), undefined, text);
  });
});
