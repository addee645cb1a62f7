/** The forecast of speculative decoding: against the reference, against loops that speculate, and against the definition. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  bestDrafting,
  forecast,
  forecastAll,
  perfectDraft,
  speedupOf,
  timeOfRows,
} from '../../../src/engine/draft/forecast';
import { assertClose } from '../../support/close';
import { describeShared, shared } from '../../support/shared';

interface Golden {
  readonly tokens: number;
  readonly drafts: readonly {
    readonly agreement: readonly string[];
    readonly confidence: readonly (readonly number[])[];
    readonly wRejection: readonly (readonly number[])[];
    readonly forecast: readonly {
      readonly length: number;
      readonly threshold: number;
      readonly rounds: readonly number[];
      readonly drafted: readonly number[];
      readonly passes: readonly number[];
      readonly tokensPerRound: number;
      readonly roundsRejection: number;
    }[];
  }[];
}

describeShared('forecast of drafts, beside the reference', () => {
  const { drafts, tokens } = JSON.parse(readFileSync(shared('golden/drafts/drafts.json'), 'utf8')) as Golden;

  it('has its rounds, drafted tokens and passes for every draft, length and threshold', () => {
    let count = 0;
    for (const { agreement, confidence, wRejection, forecast: wanted } of drafts) {
      const texts = agreement.map((digits, i) => ({ taken: Array.from(digits, Number), confidence: confidence[i] }));
      const sampled = wRejection.map((taken, i) => ({ taken, confidence: confidence[i] }));
      for (const { length, threshold, ...each } of wanted) {
        const found = texts.map((text) => forecast(text, { length, threshold }));
        assert.deepEqual(
          [found.map((one) => one.rounds), found.map((one) => one.drafted), found.map((one) => one.passes)],
          [each.rounds, each.drafted, each.passes],
        );
        const all = forecastAll(texts, { length, threshold });
        assert.ok(Math.abs(all.tokens / all.rounds - each.tokensPerRound) < 1e-12);
        assert.equal(all.tokens, tokens * texts.length);
        const rounds = forecastAll(sampled, { length, threshold }).rounds / sampled.length;
        assert.ok(Math.abs(rounds / each.roundsRejection - 1) < 1e-5, `${rounds}, ${each.roundsRejection}`);
        count++;
      }
    }
    assert.equal(count, 96);
  });
});

describe('forecast of drafts: what it costs', () => {
  const costs = { draft: 0.3, rows: [1, 2, 4, 8], times: [1, 1.2, 1.6, 3] };

  it('reads the time of rows between those that were measured, and beyond the last as between the last two', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 6, 8, 12].map((rows) => Number(timeOfRows(costs, rows).toFixed(12))),
      [1, 1.2, 1.4, 1.6, 2.3, 3, 4.4],
    );
    assert.equal(timeOfRows({ rows: [1], times: [1] }, 3), 3);
  });

  it('finds the best length and threshold by trying all, as the definition does', () => {
    const text = {
      taken: [1, 1, 0, 1, 0, 0, 1, 1, 1, 0],
      confidence: [0.9, 0.8, 0.3, 0.9, 0.1, 0.5, 0.7, 0.9, 0.6, 0.2],
    };
    const best = bestDrafting([text], costs);
    for (let length = 1; length <= 16; length++) {
      for (const threshold of [0, 0.2, 0.4, 0.6, 0.8]) {
        const found = forecast(text, { length, threshold });
        const speedup = speedupOf(found, costs);
        const time =
          found.passes * 0.3 + [...found.rows].reduce((sum, n, k) => sum + (n > 0 ? n * timeOfRows(costs, k) : 0), 0);
        assertClose(speedup, 10 / time, { relative: 1e-12 }, 'the speed-up');
        assert.ok(speedup <= best.speedup);
      }
    }
    assert.ok(best.threshold > 0, 'a threshold pays where misses are the unsure ones');
  });

  it('a draft that is always right gains what the formula says', () => {
    const taken = Array<number>(1000).fill(1);
    const { length, speedup } = perfectDraft(costs, [1, 2, 3, 4]);
    assertClose(speedup, (length + 1) / (timeOfRows(costs, length + 1) + length * 0.3), { relative: 1e-12 }, 'perfect');
    const found = bestDrafting([{ taken, confidence: taken }], costs, { lengths: [length], thresholds: [0] });
    assertClose(found.speedup, speedup, { relative: 0.01 }, 'the forecast of a long text');
  });
});
