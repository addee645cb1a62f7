/** Iterative pruning without a model: limits, recovery, the state on the disk, options, and the estimate. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { crossedLimit } from '../../../src/engine/iterate/goal';
import { roundsWork, totalWork } from '../../../src/engine/iterate/estimate';
import { recoveryOf } from '../../../src/engine/iterate/result';
import { loadIterateState, NOTHING_YET, saveIterateState } from '../../../src/engine/iterate/state';
import { stepData } from '../../../src/engine/iterate/trainer';
import { exampleOfText } from '../../../src/engine/retrain/data/example';
import { batchIndices } from '../../../src/engine/retrain/data/order';
import { completeOptions } from '../../../src/jobs/complete';
import { JOBS } from '../../../src/jobs/definitions';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

describe('iterative pruning, its parts', () => {
  it('a limit is crossed by a worse number, and by one that is not finite', () => {
    const healed = { ppl: 20, kl: 0.5 };
    assert.equal(crossedLimit({ ppl: 20, kl: 0.5 }, { healed }), undefined);
    assert.match(crossedLimit({ ppl: 19 }, { healed })!, /perplexity is 20/);
    assert.match(crossedLimit({ kl: 0.4 }, { healed })!, /divergence is 0.5/);
    assert.match(crossedLimit({ kl: 0.4 }, { healed: { ppl: 20, kl: NaN } })!, /divergence is NaN/);
    assert.match(crossedLimit({ accuracy: 0.6 }, { healed, accuracy: 0.55 })!, /accuracy is 0.55/);
    assert.equal(crossedLimit({ accuracy: 0.6 }, { healed, accuracy: 0.6 }), undefined);
    assert.match(
      crossedLimit({ probeLoss: 0.1 }, { healed, probeLoss: 0.143 })!,
      /loses 0.143 of its score in a probe/,
    );
    assert.equal(crossedLimit({ probeLoss: 0.1 }, { healed, probeLoss: 0.1 }), undefined);
  });

  it('recovery is in nats and as a share of what was missing, each for a second of training', () => {
    assert.deepEqual(recoveryOf(2, 4, 3, 10), { nll: 1, share: 0.5, nllPerSecond: 0.1, sharePerSecond: 0.05 });
    assert.deepEqual(recoveryOf(2, 2, 2, 0), { nll: 0, share: null, nllPerSecond: null, sharePerSecond: null });
  });

  it('the order of the data goes on from round to round', () => {
    const train = Array.from({ length: 10 }, (_, i) => exampleOfText(Int32Array.of(i, i)));
    const data = { train, heldOut: [] };
    const second = stepData(data, { seed: 7, batch: 3 }, 4, 4).batches!;
    assert.deepEqual(
      second,
      [4, 5, 6, 7].map((step) => batchIndices(7, 10, 3, step)),
    );
    const fixed = {
      ...data,
      batches: [
        [0, 1],
        [2, 3],
        [4, 5],
      ],
    };
    assert.deepEqual(stepData(fixed, { seed: 7, batch: 2 }, 2, 3).batches, [
      [4, 5],
      [0, 1],
      [2, 3],
    ]);
  });

  it('the state is read as it was saved; damage and another run are refused', async () => {
    const file = join(temporaryFolder(), 'rounds.json');
    const pruned = { meanNll: Infinity, ppl: Infinity, kl: 1, top1: 0 };
    const open = { block: 3, score: 1, scores: [{ block: 3, score: 1 }], pruned, seconds: 2 };
    await saveIterateState(file, { method: 'lora' }, { ...NOTHING_YET, open });
    assert.deepEqual(await loadIterateState(file, { method: 'lora' }), { ...NOTHING_YET, open });
    await assert.rejects(loadIterateState(file, { method: 'full' }), /method \(lora there, full here\)/);
    writeFileSync(file, readFileSync(file, 'utf8').replace('\\"block\\":3', '\\"block\\":2'));
    await assert.rejects(loadIterateState(file, { method: 'lora' }), /it is damaged/);
  });

  it('options that mean nothing together are refused, by name', () => {
    const given = { checkpoint: 'm', out: 'o', calibration: 'c.txt' };
    const refused = (more: object, words: RegExp): void => {
      assert.throws(() => completeOptions(JOBS.iterate, { ...given, ...more }), words);
    };
    refused({}, /not clear how much to remove/);
    refused({ count: 2, method: 'refit', steps: 3 }, /method refit has no use for --steps/);
    refused({ count: 2, method: 'full', rank: 3 }, /has no use for .*rank/);
    refused({ count: 2, method: 'lora', ridge: 1 }, /has no use for .*ridge/);
    refused({ count: 2, ratio: 0.1 }, /count.* cannot be used with .*ratio|ratio.* cannot be used with .*count/);
    refused({ count: 2, calibration: undefined }, /needs a calibration text/);
    refused({ count: 2, criterion: 'deepest', calibration: undefined }, /nothing to measure on/i);
    refused({ minAccuracy: 0.5 }, /needs questions/);
    refused({ count: 2, taskData: 'tasks' }, /Tasks need/);
    refused({ count: 2, method: 'fold', heldOut: 3 }, /cannot hold out 3 records/);
    assert.equal(completeOptions(JOBS.iterate, { ...given, maxKl: 0.5 }).method, 'lora');
    const prune = { ...given, criterion: 'ppl', count: 2 };
    assert.throws(() => completeOptions(JOBS.prune, { ...prune, method: 'lora' }), /one of refit, fold, scalar/);
  });

  it('each round takes less time than the one before, training included', async () => {
    const architecture = requireArchitecture(await openCheckpoint(tinyCheckpoint('llama-gqa-tied')));
    const shape = { rows: 8, length: 32 };
    const healing = { kind: 'trained', full: false, shape: { rows: 64, length: 32 } } as const;
    const work = { criterion: 'ppl', kept: new Set<number>(), scored: shape, measured: shape, healing } as const;
    const [first, second, third] = roundsWork(architecture, work, 3).map(totalWork);
    assert.ok(first > second && second > third && third > 0);
    const [measured] = roundsWork(architecture, { ...work, healing: { ...healing, evaluated: 3 * 64 } }, 1);
    const [plain] = roundsWork(architecture, work, 1);
    assert.ok(Math.abs(measured.healing / plain.healing - 2) < 1e-9);
    // A trained weight has three products for each token, a frozen one two.
    const [full] = roundsWork(architecture, { ...work, healing: { ...healing, full: true } }, 1);
    assert.ok(Math.abs(full.healing / plain.healing - 3 / 2) < 1e-9);
    const [untrained] = roundsWork(architecture, { ...work, healing: { kind: 'none' } }, 1);
    assert.equal(untrained.healing, 0);
  });
});
