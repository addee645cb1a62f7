/** Choosing the next token: the distribution that is drawn from, its limits, and repeatability. */
import assert from 'node:assert/strict';
import { argMax, probabilities, sample, type Sampling } from '../../../src/engine/evaluate/sample';
import { Random } from '../../../src/engine/random';

const DRAWS = 20_000;
const LOGITS = Float32Array.from([0.5, 0.1, 0.25, 0.15], Math.log);

/** Share of each token among many draws. */
function shares(options: Sampling, logits = LOGITS): number[] {
  const random = new Random(1);
  const counts = new Array<number>(logits.length).fill(0);
  for (let i = 0; i < DRAWS; i++) counts[sample(logits, options, random)]++;
  return counts.map((count) => count / DRAWS);
}

function assertShares(actual: number[], expected: number[]): void {
  expected.forEach((share, id) => {
    const deviation = Math.sqrt((share * (1 - share)) / DRAWS);
    assert.ok(Math.abs(actual[id] - share) <= 5 * deviation, `token ${id}: ${actual[id]}, expected ${share}`);
  });
}

describe('evaluate/sample', () => {
  it('the likeliest, the first of equals', () => {
    assert.equal(argMax(Float32Array.of(-3, 2, 2, 1)), 1);
    assert.equal(argMax(Float32Array.of(-Infinity, -5)), 1);
  });

  it('none where the logits are not finite, rather than the first', () => {
    const broken = { name: 'UserError', message: /logits are not finite/ };
    for (const logits of [
      Float32Array.of(NaN, NaN),
      Float32Array.of(-Infinity, -Infinity),
      Float32Array.of(1, Infinity),
    ]) {
      assert.throws(() => argMax(logits), broken);
      assert.throws(() => sample(logits, { topK: 2 }, new Random(1)), broken);
    }
  });

  it('draws as the softmax says', () => assertShares(shares({}), [0.5, 0.1, 0.25, 0.15]));

  it('temperature sharpens or flattens', () => {
    const squared = [0.25, 0.01, 0.0625, 0.0225];
    const sum = squared.reduce((a, b) => a + b);
    assertShares(
      shares({ temperature: 0.5 }),
      squared.map((s) => s / sum),
    );
    assertShares(shares({ temperature: 1e6 }), [0.25, 0.25, 0.25, 0.25]);
  });

  it('top-k keeps the k likeliest, and shares out anew', () => {
    assertShares(shares({ topK: 2 }), [2 / 3, 0, 1 / 3, 0]);
    assertShares(shares({ topK: 1 }), [1, 0, 0, 0]);
    assertShares(shares({ topK: 100 }), [0.5, 0.1, 0.25, 0.15]);
  });

  it('top-p keeps the fewest that together hold p', () => {
    assertShares(shares({ topP: 0.7 }), [2 / 3, 0, 1 / 3, 0]);
    assertShares(shares({ topP: 0.8 }), [0.5 / 0.9, 0, 0.25 / 0.9, 0.15 / 0.9]);
    assertShares(shares({ topP: 1e-9 }), [1, 0, 0, 0]);
    assertShares(shares({ topP: 1 }), [0.5, 0.1, 0.25, 0.15]);
  });

  it('top-p is of what top-k left', () => assertShares(shares({ topK: 2, topP: 0.6 }), [1, 0, 0, 0]));

  it('the probabilities by themselves are those that are drawn with', () => {
    const close = (options: Sampling, expected: readonly number[], logits = LOGITS): void => {
      const found = probabilities(logits, options);
      expected.forEach((share, id) =>
        assert.ok(Math.abs(found[id] - share) < 1e-6, `token ${id}: ${found[id]}, ${share}`),
      );
    };
    close({}, [0.5, 0.1, 0.25, 0.15]);
    close({ temperature: 0.5 }, [0.25 / 0.345, 0.01 / 0.345, 0.0625 / 0.345, 0.0225 / 0.345]);
    close({ topK: 2 }, [2 / 3, 0, 1 / 3, 0]);
    close({ topK: 9, topP: 1 }, [0.5, 0.1, 0.25, 0.15]);
    close({ topP: 0.8 }, [0.5 / 0.9, 0, 0.25 / 0.9, 0.15 / 0.9]);
    close({ topK: 2, topP: 0.6 }, [1, 0, 0, 0]);
    close({ topK: 2 }, [0.5, 0.5, 0], Float32Array.of(1000, 1000, -Infinity));
    assert.throws(() => probabilities(LOGITS, { temperature: 0 }), RangeError);
  });

  it('large logits do not overflow, impossible tokens are never drawn', () => {
    assertShares(shares({}, Float32Array.of(1000, 1000, -Infinity)), [0.5, 0.5, 0]);
  });

  it('the same seed draws the same tokens', () => {
    const draw = (seed: number): number[] => {
      const random = new Random(seed);
      return Array.from({ length: 50 }, () => sample(LOGITS, { temperature: 2 }, random));
    };
    assert.deepEqual(draw(3), draw(3));
    assert.notDeepEqual(draw(3), draw(4));
  });
});
