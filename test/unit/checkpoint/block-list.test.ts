/** Block lists: reading "0-3,28", half-open slices and the sentences made of them. */
import assert from 'node:assert/strict';
import { keptBlocks, parseBlockList } from '../../../src/engine/checkpoint/block-list';
import { slicesOf } from '../../../src/format/ranges';
import { describeReduction, reductionOf } from '../../../src/engine/checkpoint/reduction';

describe('prune/blocklist', () => {
  it('reads numbers and inclusive ranges', () => {
    assert.deepEqual(parseBlockList('0-3,28', 32, '--keep'), [0, 1, 2, 3, 28]);
    assert.deepEqual(parseBlockList(' 7 , 5 - 6,6 ', 8, '--keep'), [5, 6, 7]);
    assert.deepEqual(parseBlockList('31', 32, '--keep'), [31]);
  });

  it('names the option, the item and the remedy when it cannot', () => {
    for (const text of ['', '1,', 'a', '1.5', '-1', '3-', '1 2', '10.attention']) {
      assert.throws(() => parseBlockList(text, 32, '--keep'), { name: 'UserError', what: /^--keep/ });
    }
    assert.throws(() => parseBlockList('5-2', 32, '--keep'), { name: 'UserError', action: /2-5/ });
    assert.throws(() => parseBlockList('32', 32, '--keep'), { name: 'UserError', why: /0 to 31/ });
    assert.throws(() => parseBlockList('0-999999999', 32, '--keep'), { name: 'UserError', why: /0 to 31/ });
  });

  it('makes half-open slices of what is kept', () => {
    assert.deepEqual(slicesOf(keptBlocks(32, [21, 22, 23, 24, 25, 26, 27, 28])), [
      [0, 21],
      [29, 32],
    ]);
    assert.deepEqual(slicesOf([]), []);
    assert.deepEqual(slicesOf([0, 2, 4]), [
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
  });

  it('describes a removal', () => {
    const perBlock = Array.from({ length: 6 }, () => ({ parameters: 1000, bytes: 2000 }));
    const reduction = reductionOf([2, 3], { parameters: 10_000, bytes: 20_000 }, perBlock);
    assert.deepEqual(describeReduction(reduction), [
      'removed     2, 3 (2 of 6 blocks, numbered from 0)',
      'kept        0, 1, 4, 5',
      'slices      [0, 2) [4, 6) (end not included)',
      'parameters  10,000 → 8,000 (−20.00 %)',
      'bytes       20,000 → 16,000 (−20.00 %)',
    ]);
  });
});
