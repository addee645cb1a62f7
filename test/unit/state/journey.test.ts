/** The one step that comes next, and the verdict, from facts. */
import assert from 'node:assert/strict';
import { draftOf } from '../../../src/jobs/digest/draft';
import type { DraftResult } from '../../../src/jobs/results/draft';
import type { ShipGoal } from '../../../src/protocol/journey';
import type { RunDigest } from '../../../src/protocol/panel';
import { type JourneyFacts, journeyOf } from '../../../src/state/journey';
import { exportedBytes, fasterOf } from '../../../src/state/journey-facts';
import { verdictWords } from '../../../src/state/words/verdict-words';
import { draftResult, REFUSED } from '../../support/draft-results';

const NOTHING: JourneyFacts = { derived: false, scored: false, planned: false, compared: false, skipped: [] };
const MADE: JourneyFacts = { ...NOTHING, derived: true, kind: 'prune' };
const GOAL: ShipGoal = { format: 'gguf', type: 'q8_0', maxBytes: 120e6, maxRatio: 1.3 };
const member = { path: '/models/short', name: 'short' };

const nextOf = (facts: Partial<JourneyFacts>, from = NOTHING) => journeyOf({ ...from, ...facts }).next;
const states = (facts: Partial<JourneyFacts>, from = NOTHING): string =>
  journeyOf({ ...from, ...facts })
    .steps.map(({ state }) => state)
    .join(' ');

describe('the way of an original model', () => {
  it('goes from scores over a plan to a shorter model, and on with that', () => {
    assert.deepEqual(nextOf({}), { action: 'score' });
    assert.deepEqual(nextOf({ scored: true }), { action: 'suggest' });
    assert.deepEqual(nextOf({ scored: true, planned: true }), { action: 'prune' });
    const open = { action: 'open', ...member };
    assert.deepEqual(nextOf({ scored: true, planned: true, written: member }), open);
  });

  it('needs no scores for a plan that was made by hand', () => {
    assert.deepEqual(nextOf({ planned: true }), { action: 'prune' });
  });

  it('merges what was trained on the plan, which prunes in one go', () => {
    const trained = { scored: true, planned: true, adapter: '/a' };
    assert.deepEqual(nextOf(trained), { action: 'merge', adapter: '/a' });
    assert.equal(states(trained), 'done done unneeded next later later');
    assert.deepEqual(nextOf({ ...trained, written: member }), { action: 'open', ...member });
  });

  it('says which steps are done', () => {
    assert.equal(states({}), 'next later later later later later');
    assert.equal(states({ scored: true }), 'done next later later later later');
    assert.equal(states({ scored: true, planned: true }), 'done done next later later later');
    assert.equal(states({ scored: true, planned: true, written: member }), 'done done done next later later');
  });
});

describe('the goal of the same text, faster', () => {
  const run = (identity: string, changes: Partial<DraftResult> = {}, c?: number | null) => {
    const draft = draftOf(JSON.parse(JSON.stringify(draftResult(changes, c))));
    return { id: `${identity}.json`, digest: { model: { name: 'm', identity }, draft } as unknown as RunDigest };
  };

  it('removes nothing: its one step is a forecast', () => {
    const faster = fasterOf([run('other')], 'own');
    assert.deepEqual(faster, { state: 'unknown', speedup: null, program: '' });
    const journey = journeyOf({ ...NOTHING, scored: true, planned: true, faster });
    assert.deepEqual(journey.next, { action: 'draft' });
    assert.deepEqual([...new Set(journey.steps.map(({ state }) => state))], ['unneeded']);
    assert.equal(journey.goal, null);
  });

  it('is answered by the newest forecast of the model', () => {
    const pays = fasterOf([run('other'), run('own'), run('own', REFUSED)], 'own');
    assert.deepEqual([pays.state, pays.program, pays.run], ['pays', 'onnxruntime-genai', 'own.json']);
    assert.equal(pays.speedup, draftResult().chosen!.speedup);
    assert.equal(fasterOf([run('own', REFUSED), run('own')], 'own').state, 'refused');
    assert.equal(fasterOf([run('own', { verdict: 'written' }, null)], 'own').speedup, null);
  });
});

describe('the way of a quantized GGUF file', () => {
  const planned = { scored: true, planned: true, quantized: true };

  it('goes from the plan to a GGUF file with the same types, and not over float32', () => {
    assert.deepEqual(nextOf({ scored: true, quantized: true }), { action: 'suggest' });
    assert.deepEqual(nextOf(planned), { action: 'export', keepsTypes: true });
    assert.equal(states(planned), 'done done unneeded later next later');
    assert.deepEqual(nextOf({ ...planned, goal: GOAL }), { action: 'export' });
    assert.deepEqual(nextOf({ ...planned, goal: { format: 'gguf' } }), { action: 'export', keepsTypes: true });
  });

  it('leads to the question whether to heal it, where the plan alone misses the goal', () => {
    const missed = { ...planned, quantized: 'healable' as const, goal: GOAL, ratio: 2 };
    assert.deepEqual(nextOf(missed), { action: 'prune' });
    assert.equal(states(missed), 'done done next later later later');
    assert.deepEqual(nextOf({ ...missed, quantized: true }), { action: 'export' }, 'it cannot be healed');
    assert.deepEqual(nextOf({ ...missed, ratio: 1.01 }), { action: 'export' }, 'it need not be');
    assert.deepEqual(nextOf({ ...missed, exportedPlan: member }), { action: 'open', ...member });
  });

  it('goes on with the export of this very plan, and with a model that was pruned all the same', () => {
    assert.deepEqual(nextOf({ ...planned, exported: member }), { action: 'export', keepsTypes: true });
    assert.deepEqual(nextOf({ ...planned, exportedPlan: member }), { action: 'open', ...member });
    assert.equal(states({ ...planned, exportedPlan: member }), 'done done unneeded later done next');
    assert.deepEqual(nextOf({ ...planned, written: member }), { action: 'open', ...member });
  });
});

describe('the size of what ships', () => {
  const run = (settings: [string, string][], removed: number[], bytes: number): RunDigest =>
    ({
      kind: 'export',
      model: { name: 'm', identity: 'M' },
      settings,
      removed,
      cost: [{ bytes }],
    }) as unknown as RunDigest;

  it('is that of the export of this plan in the format and the type of the goal, once it is written', () => {
    const gguf: [string, string][] = [
      ['format', 'gguf'],
      ['type', 'q8_0'],
    ];
    const stored: [string, string][] = [['format', 'gguf']];
    const runs = [run(gguf, [1], 70), run(gguf, [], 100), run(stored, [1], 140)];
    assert.equal(exportedBytes(runs, 'M', [1], GOAL), 70);
    assert.equal(exportedBytes(runs, 'M', [], GOAL), 100);
    assert.equal(exportedBytes(runs, 'M', [1], { format: 'gguf' }), 140);
    assert.equal(exportedBytes(runs, 'M', [2], GOAL), undefined);
    assert.equal(exportedBytes(runs, 'other', [1], GOAL), undefined);
  });
});

describe('the way of a model that was made', () => {
  it('goes over retraining and an export to a comparison', () => {
    assert.deepEqual(nextOf({}, MADE), { action: 'retrain' });
    assert.deepEqual(nextOf({ adapter: '/a' }, MADE), { action: 'merge', adapter: '/a' });
    assert.deepEqual(nextOf({ adapter: '/a', merged: member }, MADE), { action: 'open', ...member });
    const merged = { ...MADE, kind: 'merge' };
    assert.deepEqual(nextOf({}, merged), { action: 'export' });
    assert.deepEqual(nextOf({ exported: member }, merged), { action: 'compare' });
    assert.deepEqual(nextOf({ exported: member, compared: true }, merged), { action: 'code' });
    assert.deepEqual(nextOf({}, { ...MADE, kind: 'export' }), { action: 'compare' });
  });

  it('leaves out the retraining where the user skips it, or the goal is met without it', () => {
    const skipped = { skipped: ['retrain'] as const };
    assert.deepEqual(nextOf(skipped, MADE), { action: 'export' });
    assert.equal(states(skipped, MADE), 'done done done skipped next later');
    assert.equal(states({ goal: GOAL, ratio: 1.2 }, MADE), 'done done done unneeded next later');
    assert.deepEqual(nextOf({ goal: GOAL, ratio: 1.2 }, MADE), { action: 'export' });
    assert.deepEqual(nextOf({ goal: GOAL, ratio: 1.4 }, MADE), { action: 'retrain' });
    assert.equal(journeyOf({ ...MADE, goal: GOAL, ratio: 1.4 }).skippable, true);
    assert.equal(journeyOf(NOTHING).skippable, false);
  });

  it('keeps the retraining at hand where it was skipped and the goal is missed', () => {
    const instead = (facts: Partial<JourneyFacts>) => journeyOf({ ...MADE, goal: GOAL, ...facts }).instead;
    const skipped: Partial<JourneyFacts> = { skipped: ['retrain'] };
    assert.equal(instead({ ...skipped, ratio: 1.74 }), 'retrain');
    assert.equal(instead({ ...skipped, ratio: 1.2 }), null);
    assert.equal(instead({ ...skipped, ratio: 1.74, kind: 'merge' }), null); // it was retrained
    assert.equal(instead({ ratio: 1.74 }), null); // it comes next
  });

  it('has no step left once all is done', () => {
    const done = { ...MADE, kind: 'merge', exported: member, compared: true };
    assert.equal(states({}, done), 'done done done done done done');
  });

  it('can be made shorter again by a plan of its own', () => {
    assert.deepEqual(nextOf({ planned: true }, MADE), { action: 'prune' });
  });
});

describe('the way of a model whose vocabulary was trimmed', () => {
  const trimmed: JourneyFacts = { ...NOTHING, derived: true, kind: 'vocabulary' };
  const large = { goal: GOAL, bytes: 130e6 };

  it('goes on with blocks where it is still too large: it has all of them', () => {
    assert.deepEqual(nextOf(large, trimmed), { action: 'score' });
    assert.equal(states(large, trimmed), 'next later later later later later');
    assert.deepEqual(nextOf({ ...large, scored: true }, trimmed), { action: 'suggest' });
    assert.deepEqual(nextOf({ ...large, scored: true, planned: true }, trimmed), { action: 'prune' });
    assert.deepEqual(nextOf({ ...large, planned: true, quantized: true }, trimmed), { action: 'export' });
  });

  it('needs no blocks and no training where it is small enough', () => {
    const small = { goal: GOAL, bytes: 100e6 };
    assert.deepEqual(nextOf(small, trimmed), { action: 'export' });
    assert.equal(states(small, trimmed), 'unneeded unneeded unneeded unneeded next later');
    assert.deepEqual(nextOf({ ...small, exported: member }, trimmed), { action: 'compare' });
    assert.deepEqual(nextOf({}, trimmed), { action: 'export' }, 'without a goal too');
  });

  it('is what ships where its GGUF file keeps its types', () => {
    const file = { ...trimmed, quantized: 'healable' as const };
    assert.deepEqual(nextOf({}, file), { action: 'compare' });
    assert.equal(states({}, file), 'unneeded unneeded unneeded unneeded unneeded next');
    assert.deepEqual(nextOf({ compared: true }, file), { action: 'code' });
    assert.deepEqual(nextOf({ goal: GOAL, bytes: 100e6 }, file), { action: 'export' }, 'the goal names another type');
  });

  it('says that its perplexity was found by bits per byte', () => {
    const { verdict } = journeyOf({ ...trimmed, goal: GOAL, bytes: 100e6, ratio: 1.2, byBits: true });
    assert.deepEqual([verdict.byBits, verdict.meets], [true, 'yes']);
    assert.match(verdictWords(verdict), /perplexity 1\.2× of at most 1\.3×/);
  });
});

describe('the verdict', () => {
  const verdict = (facts: Partial<JourneyFacts>) => journeyOf({ ...NOTHING, goal: GOAL, ...facts }).verdict;

  it('is yes where every limit is met, and no where one is not', () => {
    assert.equal(verdict({ bytes: 120e6, ratio: 1.3 }).meets, 'yes');
    assert.equal(verdict({ bytes: 120e6 + 1, ratio: 1.3 }).meets, 'no');
    assert.equal(verdict({ bytes: 100e6, ratio: 1.31 }).meets, 'no');
    assert.equal(verdict({ ratio: 1.31 }).meets, 'no'); // the size does not matter any more
  });

  it('is unknown while a number is missing, and without limits', () => {
    assert.equal(verdict({ bytes: 100e6 }).meets, 'unknown');
    assert.equal(verdict({ goal: { format: 'onnx' }, bytes: 100e6, ratio: 1 }).meets, 'unknown');
    assert.equal(journeyOf({ ...NOTHING, bytes: 1, ratio: 1 }).verdict.meets, 'unknown');
  });

  it('is no for a perplexity that is not finite', () => {
    const { meets, ratio } = verdict({ bytes: 1, ratio: 'Infinity' });
    assert.equal(meets, 'no');
    assert.deepEqual(ratio, { value: 'Infinity', limit: 1.3, met: false });
  });

  it('has the numbers beside their limits', () => {
    assert.deepEqual(verdict({ bytes: 100e6 }).bytes, { value: 100e6, limit: 120e6, met: true });
    assert.deepEqual(verdict({}).ratio, { value: null, limit: 1.3, met: null });
  });

  it('decides nothing by a text that chose the blocks, unless even that misses', () => {
    const doubted = (ratio: number) => verdict({ bytes: 100e6, ratio, flatters: true });
    assert.deepEqual([doubted(1.04).meets, doubted(1.04).flatters, doubted(1.4).meets], ['unknown', true, 'no']);
    const journey = journeyOf({ ...MADE, goal: GOAL, bytes: 1, ratio: 1.04, flatters: true });
    assert.deepEqual([journey.judgeable, journey.next.action], [true, 'export']); // it goes on, and compares at the end
    assert.equal(journeyOf({ ...MADE, goal: GOAL, bytes: 1, ratio: 1.04 }).judgeable, false);
  });

  it('is no for a model that repeats itself or answers otherwise, and waits until that is measured', () => {
    const goal: ShipGoal = { ...GOAL, maxRepetition: 0.1, minSame: 0.8 };
    const made = { ...MADE, goal, bytes: 1, ratio: 1.1 };
    const meets = (facts: Partial<JourneyFacts>) => journeyOf({ ...made, ...facts }).verdict.meets;
    const little = { own: 0.3, original: 0.25 };
    assert.equal(meets({}), 'unknown');
    assert.equal(meets({ repetition: little, same: 0.8 }), 'yes');
    assert.equal(meets({ repetition: { own: 0.5, original: 0.25 }, same: 0.8 }), 'no');
    assert.equal(meets({ repetition: little, same: 0.79 }), 'no');
    const probing = (probeLoss?: number) =>
      meets({ goal: { ...GOAL, maxProbeLoss: 0.1 }, ...(probeLoss !== undefined && { probeLoss }) });
    assert.deepEqual([probing(), probing(0.1), probing(0.2)], ['unknown', 'yes', 'no']);
    // A plan has no texts: its size and its perplexity are judged.
    assert.equal(verdict({ goal, bytes: 1, ratio: 1.1, planned: true }).meets, 'yes');
  });

  it('tells a model that repeats itself also where the goal of an earlier version has no limit for it', () => {
    const told = (own: number) =>
      verdictWords(
        journeyOf({ ...MADE, goal: GOAL, bytes: 1, ratio: 1.1, repetition: { own, original: 0.05 } }).verdict,
      );
    assert.match(told(0.5), /^Meets the goal, but repeats itself: .*, it repeats itself where the original does not$/);
    assert.match(told(0.1), /^Meets the goal: /);
  });

  it('speaks of the plan until something is written, and says what is not measured', () => {
    const goal: ShipGoal = { ...GOAL, maxRepetition: 0.1 };
    const told = (facts: Partial<JourneyFacts>) => verdictWords(journeyOf({ ...NOTHING, goal, ...facts }).verdict);
    const both = { bytes: 116e6, ratio: 1.2 };
    assert.match(
      told({ ...both, planned: true }),
      /^The plan fits the goal: 116\.0 MB of at most 120\.0 MB, perplexity 1\.2×/,
    );
    assert.match(told({ ...both, ratio: 1.4, planned: true }), /^The plan misses the goal: /);
    assert.match(
      told({ ...both, derived: true }),
      /^Not decided: .*, repetition not measured yet, at most \+10 points$/,
    );
    assert.match(
      told({ ...both, derived: true, flatters: true }),
      /^Not decided: .* of at most 1\.3× on a text that chose the blocks or fitted the weights/,
    );
  });
});
