/** Which FFN widths are measured around a model's own, and what their rates tell. */
import assert from 'node:assert/strict';
import {
  findingOf,
  multipleOf,
  ROUNDS,
  slowdownOf,
  widthsAround,
} from '../../../../src/engine/evaluate/grid/width-finding';

/** A rate for each width in each round; a load slows a whole round down. */
const ratesOf = (widths: readonly number[], rateOf: (width: number) => number): number[][] =>
  widths.map((width) => Array.from({ length: ROUNDS }, (_, round) => rateOf(width) / (1 + (round % 3))));

describe('rates by FFN width', () => {
  it('measures multiples of 256, 32 and 8, others, and the widths of the model', () => {
    const widths = widthsAround([1152, 1536, 1152]);
    for (const own of [1152, 1536]) assert.ok(widths.includes(own));
    assert.deepEqual(new Set(widths.map(multipleOf)), new Set([256, 32, 8, null]));
    assert.deepEqual(
      widths,
      [...new Set(widths)].sort((a, b) => a - b),
    );
    assert.ok(Math.min(...widthsAround([3])) > 0);
    assert.ok(
      widthsAround(Array.from({ length: 32 }, (_, i) => 7000 + i)).length < 14,
      'not every width of a ragged model',
    );
  });

  it('compares a width with the nearest multiple of 8, whatever size and load do', () => {
    const widths = widthsAround([1536]);
    const slower = slowdownOf(
      widths,
      ratesOf(widths, (width) => width * (multipleOf(width) === null ? 0.8 : 1)),
    );
    assert.ok(slower.low > 0.15 && slower.high < 0.25, JSON.stringify(slower));
    assert.match(findingOf({ tokens: [1], slowdown: [slower] }), /are 2\d % slower for one token on/);
    const faster = slowdownOf(
      widths,
      ratesOf(widths, (width) => (multipleOf(width) === null ? 1.1 : 1)),
    );
    assert.match(findingOf({ tokens: [128], slowdown: [faster] }), /are 10 % faster for 128 tokens at a time/);
  });

  it('says nothing that the rounds do not agree on, or that does not matter', () => {
    const unsure = { share: 0.1, low: -0.1, high: 0.3 };
    const small = { share: 0.01, low: 0.005, high: 0.02 };
    assert.match(findingOf({ tokens: [1, 128], slowdown: [unsure, small] }), /are as fast as others on this device/);
    const slower = { share: 0.2, low: 0.15, high: 0.25 };
    assert.match(
      findingOf({ tokens: [1, 128], slowdown: [small, slower] }),
      /as fast as others for one token, and 20 % slower for 128 tokens at a time on/,
    );
  });
});
