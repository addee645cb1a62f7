/** Numbers as text. */
import assert from 'node:assert/strict';
import { numberRanges } from '../../../src/format/ranges';

describe('format/ranges', () => {
  for (const [numbers, text] of [
    [[], ''],
    [[4], '4'],
    [[1, 2], '1-2'],
    [[1, 3], '1, 3'],
    [[3, 5, 6, 7, 8, 11], '3, 5-8, 11'],
    [[0, 1, 2, 9998, 9999, 10000], '0-2, 9998-10000'],
  ] as const) {
    it(`${JSON.stringify(numbers)} is "${text}"`, () => assert.equal(numberRanges(numbers), text));
  }
});
