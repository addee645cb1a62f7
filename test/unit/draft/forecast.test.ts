/** The forecast of speculative decoding: against the reference, against loops that speculate, and against the definition. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { bestDrafting, forecast, forecastAll, perfectDraft, speedupOf, timeOfRows } from '../../../src/engine/draft/forecast';
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
      const texts = agreement.map((digits, i) => ({ taken: [...digits].map(Number), confidence: confidence[i] }));
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
