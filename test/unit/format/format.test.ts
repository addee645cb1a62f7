/** Numbers, durations and words as text. */
import assert from 'node:assert/strict';
import { median, upperMedian } from '../../../src/engine/median';
import { formatClock, formatSeconds } from '../../../src/format/durations';
import { formatFactor, formatPercent, formatShare, shortCount, shortNumber } from '../../../src/format/numbers';
import { capitalized, counted, escapeHtml, formatCounted } from '../../../src/format/words';

describe('formats', () => {
  it('write shares with a decimal below ten percent', () => {
    assert.deepEqual([0, 0.0494, 0.0994, 0.0996, 0.5, 1].map(formatPercent), [
      '0 %',
      '4.9 %',
      '9.9 %',
      '10 %',
      '50 %',
      '100 %',
    ]);
    assert.equal(formatPercent(-0.02), '-2.0 %');
    assert.equal(formatShare(1, 8), '13 %');
    assert.equal(formatShare(0, 0), '0 %');
  });

  it('write factors and counts in few digits', () => {
    assert.deepEqual([1, 1.2, 1.244, 12.345, Infinity].map(formatFactor), ['1×', '1.2×', '1.24×', '12.3×', '∞×']);
    assert.deepEqual([999, 999_950, 134_515_008].map(shortCount), ['999', '1.0M', '134.5M']);
    assert.deepEqual(
      [-0.5, -Infinity, NaN, 1e-9].map((value) => shortNumber(value)),
      ['−0.5', '−∞', '–', '1e−9'],
    );
  });

  it('write estimated and measured times', () => {
    assert.deepEqual([6.6, 59.6, 280.2, 3725].map(formatClock), ['0:07', '1:00', '4:40', '1:02:05']);
    assert.deepEqual([NaN, Infinity].map(formatSeconds), ['?', '?']);
  });

  it('write counts with their noun', () => {
    assert.deepEqual([counted(1, 'token'), counted(1270, 'token')], ['1 token', '1270 tokens']);
    assert.deepEqual([formatCounted(1, 'token'), formatCounted(1270, 'token')], ['1 token', '1,270 tokens']);
  });

  it('keep text of others from becoming markup', () => {
    assert.equal(escapeHtml(`<a href="x">&'`), '&#60;a href=&#34;x&#34;&#62;&#38;&#39;');
    assert.equal(capitalized('model'), 'Model');
    assert.equal(capitalized(''), '');
  });
});

describe('medians', () => {
  it('of an even number of values differ by their meaning', () => {
    assert.equal(median([4, 1, 3]), 3);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.equal(upperMedian([4, 1, 2, 3]), 3);
    assert.equal(upperMedian([]), undefined);
  });
});
