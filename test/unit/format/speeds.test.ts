/** Speeds beside each other: a factor only where repeats are apart. */
import assert from 'node:assert/strict';
import { areApart, formatSpeed, speedChange, speedText } from '../../../src/format/speeds';

describe('speeds', () => {
  it('have three digits and the range of their repeats', () => {
    assert.deepEqual([46.0742, 1971.3, 0.31234, 362].map(formatSpeed), ['46.1', '1,970', '0.312', '362']);
    assert.equal(speedText({ value: 1971.3, range: [1893, 2052] }), '1,970 tokens/s (1,890–2,050)');
    assert.equal(speedText({ value: 46.07, range: [46.06, 46.08] }), '46.1 tokens/s');
    assert.equal(speedText({ value: 46.07 }), '≈ 46.1 tokens/s');
  });

  it('are a factor of another one only where their ranges do not meet', () => {
    const slow = { value: 1970, range: [1500, 2100] } as const;
    const fast = { value: 2600, range: [2200, 2800] } as const;
    const near = { value: 2200, range: [2100, 2300] } as const;
    assert.equal(speedChange(fast, slow), '1.32×');
    assert.equal(speedChange(slow, fast), '0.758×');
    assert.equal(speedChange(near, slow), '≈', 'they meet in one point');
    assert.equal(speedChange({ value: 5000 }, slow), '', 'measured once');
    assert.equal(areApart(slow, { value: 9000 }), false);
  });
});
