/** Intervals that hold for all blocks at once: against simulated models, against their definition, and from old records. */
import assert from 'node:assert/strict';
import {
  jointDivergence,
  jointPerplexity,
  pairedPerplexity,
  summariseRows,
} from '../../../src/engine/importance/losses';
import { jointFromBootstrap, jointHalfWidth } from '../../../src/engine/joint-interval';
import { digestRecord } from '../../../src/jobs/digest/digest';
import type { RunRecord } from '../../../src/engine/records/record';
import { studentQuantile, upperTail } from '../../../src/engine/student';
import { hasNoise, isNoise, moreSamples } from '../../../src/format/noise';
import { assertClose } from '../../support/close';
import { normal } from '../../support/random';

describe('Student’s t', () => {
  it('has the quantiles of tables', () => {
    const known = [
      [0.975, 1, 12.7062],
      [0.975, 9, 2.26216],
      [0.995, 9, 3.24984],
      [0.9995, 9, 4.78091],
      [0.999, 30, 3.38518],
      [0.9999, 5, 9.67757],
      [0.975, 1e6, 1.95997],
    ] as const;
    for (const [p, freedom, t] of known)
      assertClose(studentQuantile(p, freedom), t, { relative: 1e-5 }, `${p}, ${freedom}`);
  });

  it('has the tail that its density has, summed up in small steps', () => {
    for (const freedom of [1, 4, 9, 31]) {
      const density = (t: number): number => (1 + (t * t) / freedom) ** (-(freedom + 1) / 2);
      // Simpson's rule over t = u / (1 − u), u from 0 to 1.
      const area = (from: number): number => {
        const steps = 20_000;
        const width = (1 - from) / steps;
        const at = (u: number): number => (u >= 1 ? 0 : density(u / (1 - u)) / (1 - u) ** 2);
        let sum = at(from) + at(1);
        for (let i = 1; i < steps; i++) sum += (i % 2 === 0 ? 2 : 4) * at(from + i * width);
        return (sum * width) / 3;
      };
      for (const t of [0.5, 2, 5])
        assertClose(upperTail(t, freedom), area(t / (1 + t)) / area(0) / 2, { relative: 1e-3 }, `${t}, ${freedom}`);
    }
  });
});

/** Blocks whose true costs are known: rows differ in difficulty, and a row that is hard for one block is so for others. */
class Simulated {
  private readonly next: () => number;
  constructor(
    private readonly rows: number,
    /** True cost of each block in nats. */
    private readonly costs: readonly number[],
    seed: number,
  ) {
    this.next = normal(seed);
  }

  /** @param skew 0 for normal differences; more has a longer tail above */
  draw(skew: number): { full: number[]; without: number[][] } {
    const off = (): number => {
      const value = this.next();
      // A lognormal value, of mean 0 and deviation 1.
      return skew === 0
        ? value
        : (Math.exp(skew * value) - Math.exp(skew ** 2 / 2)) /
            Math.sqrt((Math.exp(skew ** 2) - 1) * Math.exp(skew ** 2));
    };
    const full = Array.from({ length: this.rows }, () => 3.7 + 0.5 * this.next());
    const shared = full.map(off);
    const without = this.costs.map((cost) =>
      full.map((loss, row) => loss + cost + 0.05 * (0.6 * shared[row] + 0.8 * off())),
    );
    return { full, without };
  }
}

/** In how many of so many texts all intervals have the true cost. @returns those of Bonferroni, and those of the bootstrap */
function coverage(rows: number, skew: number, texts: number): { joint: number; bootstrap: number } {
  const costs = Array.from({ length: 12 }, (_, block) => (block < 4 ? 0 : 0.02 * block));
  const model = new Simulated(rows, costs, 1000 * rows + skew * 10);
  let [joint, bootstrap] = [0, 0];
  for (let text = 0; text < texts; text++) {
    const { full, without } = model.draw(skew);
    const whole = summariseRows(full, 1);
    const true_ = costs.map((cost) => whole.ppl * Math.exp(cost));
    const all = without.map((losses) => summariseRows(losses, 1));
    const holds = all.map((one) => jointPerplexity(one, whole, { parts: costs.length }));
    if (holds.every(({ jointLow: low, jointHigh: high }, block) => isNoise({ low, high }, true_[block]))) joint++;
    if (text % 50 !== 0) continue;
    const single = all.map((one) => pairedPerplexity(one, whole, text));
    if (single.every(({ pairedLow: low, pairedHigh: high }, block) => isNoise({ low, high }, true_[block])))
      bootstrap += 50;
  }
  return { joint: joint / texts, bootstrap: bootstrap / texts };
}

describe('intervals for all blocks at once', () => {
  it('hold for all 12 blocks in 95 % of texts, where intervals for single blocks do in few', () => {
    for (const rows of [10, 32]) {
      const { joint, bootstrap } = coverage(rows, 0, 1000);
      assert.ok(joint > 0.935 && joint < 0.99, `${rows} rows: ${joint}`);
      assert.ok(bootstrap < 0.75, `${rows} rows: ${bootstrap}`);
    }
  });

  it('hold nearly as often where differences have a long tail', () => {
    const { joint } = coverage(32, 0.4, 1000);
    assert.ok(joint > 0.9, `${joint}`);
  });

  it('are the mean and the quantile times the standard error, in float64', () => {
    const [full, variant] = [
      [3, 4, 5, 4],
      [3.2, 4.1, 5.4, 4.1],
    ];
    const half = (studentQuantile(1 - 0.05 / 20, 3) * Math.sqrt(((0.0 + 0.01 + 0.04 + 0.01) / 3) * 1)) / 2;
    const found = jointPerplexity(
      { rows: variant, meanNll: 4.2 },
      { rows: full, ppl: Math.exp(4), meanNll: 4 },
      { parts: 10 },
    );
    assertClose(Math.log(found.jointLow), 4.2 - half, { absolute: 1e-9 }, 'low');
    assertClose(Math.log(found.jointHigh), 4.2 + half, { absolute: 1e-9 }, 'high');
    const moved = jointDivergence(variant, full, { parts: 10, margin: 0.5 });
    assertClose(moved.jointLow, 4.2 - half - 0.5, { absolute: 1e-9 }, 'a screen may be off besides');
    const unknown = jointDivergence(variant, full, { parts: 10, margin: Infinity });
    assertClose(unknown.jointHigh, 4.2 + half, { absolute: 1e-9 }, 'nobody knows by how much');
  });

  it('say nothing of one row or of what is no number, and are exact where every row costs the same', () => {
    assert.equal(jointHalfWidth([0.3], 12), Infinity);
    assert.ok(Number.isNaN(jointHalfWidth([0.3, NaN, 1], 12)));
    assert.equal(jointHalfWidth([0.25, 0.25, 0.25], 12), 0);
    const { jointLow, jointHigh } = jointPerplexity(
      { rows: [3], meanNll: 3 },
      { rows: [2], ppl: 9, meanNll: 2 },
      { parts: 4 },
    );
    assert.deepEqual([jointLow, jointHigh], [0, Infinity]);
  });

  it('of a record of before come from the interval for one block, and are nearly the same', () => {
    const model = new Simulated(12, [0, 0.1, 0.3], 7);
    const { full, without } = model.draw(0);
    const whole = summariseRows(full, 1);
    const blocks = without.map((losses, index) => {
      const one = summariseRows(losses, 1);
      return { index, score: one.ppl, ...pairedPerplexity(one, whole, 3) };
    });
    const calibration = {
      source: 'a.txt',
      sha256: 'a'.repeat(64),
      samples: 12,
      length: 8,
      seed: 1,
      method: 'documents',
    };
    const record = {
      ...{ kind: 'score', started: '', finished: '', inputs: [], settings: {}, versions: { coppice: '1' } },
      results: { criterion: 'ppl', full: { ppl: whole.ppl }, blocks, calibration },
    } as unknown as RunRecord;
    const found = digestRecord(record).score!.blocks;
    for (const [index, { jointLow, jointHigh }] of found.entries()) {
      const exact = jointPerplexity(summariseRows(without[index], 1), whole, { parts: 3 });
      const half = Math.log(exact.jointHigh / exact.jointLow) / 2;
      assertClose(Math.log(Number(jointLow)), Math.log(exact.jointLow), { absolute: 0.15 * half }, 'low');
      assertClose(Math.log(Number(jointHigh)), Math.log(exact.jointHigh), { absolute: 0.15 * half }, 'high');
    }
    assert.ok(jointFromBootstrap(1, Infinity, 30) > 0.5, 'of rows whose number is not known');
    assert.equal(jointFromBootstrap(1, 1, 30), Infinity);
  });
});

describe('noise', () => {
  it('is what an interval with the whole model in it is; a divergence from itself has none', () => {
    assert.deepEqual(
      [
        [29, 31],
        [30, 31],
        [30.1, 31],
        [NaN, NaN],
      ].map(([low, high]) => isNoise({ low, high }, 30)),
      [true, true, false, false],
    );
    assert.deepEqual([undefined, 0, 1e-7, 0.3, 30].map(hasNoise), [false, false, false, true, true]);
  });

  it('is less on more samples: on 32, or twice as many', () => {
    assert.deepEqual([6, 10, 32, 64].map(moreSamples), [32, 32, 64, 128]);
  });
});
