/** Sizes and words of trimmed vocabularies. */
import assert from 'node:assert/strict';
import { bytesWith, lowerWords } from '../../../src/format/vocabularies';

const OF = { bytes: { before: 1000, after: 400 }, parameters: { before: 900, after: 300 } };

describe('trimmed vocabularies', () => {
  it('have sizes on the line from the original to what was counted', () => {
    assert.deepEqual(
      [900, 600, 300, 150].map((parameters) => bytesWith(parameters, OF)),
      [1000, 700, 400, 250],
    );
    assert.equal(bytesWith(5, { ...OF, parameters: { before: 300, after: 300 } }), 400);
  });

  it('explain fewer bits per byte', () => {
    assert.equal(lowerWords(0.02), '');
    assert.match(lowerWords(-0.02), /not because it reads better/);
  });
});
