/** Presets of a retraining: steps from seconds, never more than the data are worth, and memory from settings. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import {
  MOST_PASSES,
  presetsOf,
  stepsOfPasses,
  stepsWithin,
  usualBatch,
  usualPreset,
} from '../../../src/jobs/retrain-amounts';
import { type TrainingMemory, trainingBytes } from '../../../src/jobs/retrain-memory';
import { dataAmount, ownTextAmount } from '../../../src/jobs/training-data';
import { temporaryFolder } from '../../support/temporary';

const sample = resolve(import.meta.dirname, '../../../media/sample');
const GIB = 2 ** 30;

describe('amounts of a retraining', () => {
  it('as many steps as a time allows, at least one, and never more than the most', () => {
    const timeOf = (steps: number): number => 10 + 2 * steps;
    assert.equal(stepsWithin(110, 1000, timeOf), 50);
    assert.equal(stepsWithin(111.9, 1000, timeOf), 50);
    assert.equal(stepsWithin(112, 1000, timeOf), 51);
    assert.equal(stepsWithin(5, 1000, timeOf), 1);
    assert.equal(stepsWithin(1e9, 1000, timeOf), 1000);
  });

  it('more time never trains less', () => {
    const timeOf = (steps: number): number => 3 * Math.sqrt(steps) + 0.7 * steps;
    let before = 0;
    for (let seconds = 1; seconds < 2000; seconds += 13) {
      const steps = stepsWithin(seconds, 5000, timeOf);
      assert.ok(steps >= before);
      before = steps;
    }
  });

  it('batches are those of the engine, and passes are whole steps', () => {
    assert.deepEqual([2, 10, 300, 800, 100_000].map(usualBatch), [2, 4, 6, 16, 64]);
    assert.equal(stepsOfPasses(2, 1000, 16), 124);
    assert.equal(stepsOfPasses(2, 3, 4), 2);
  });

  it('presets end where more passes would teach little, and longer ones that are the same are left out', () => {
    const quick = presetsOf(1000, 16, (steps) => steps / 100);
    assert.deepEqual(
      quick.map(({ name, steps, limited }) => [name, steps, limited]),
      [
        ['minutes', stepsOfPasses(MOST_PASSES, 1000, 16), true],
        ['passes', 124, false],
      ],
    );
    const slow = presetsOf(100_000, 64, (steps) => 20 * steps);
    assert.deepEqual(
      slow.map(({ name, steps }) => [name, steps]),
      [
        ['minutes', 15],
        ['halfHour', 90],
        ['overnight', 1440],
        ['passes', 3124],
      ],
    );
    assert.ok(slow.every(({ limited }) => !limited));
  });

  it('Enter takes two passes if they are done within half an hour, otherwise half an hour', () => {
    const usual = (timeOf: (steps: number) => number): string => usualPreset(presetsOf(1000, 16, timeOf), timeOf).name;
    assert.equal(
      usual((steps) => steps),
      'passes',
    );
    assert.equal(
      usual((steps) => 60 * steps),
      'halfHour',
    );
  });

  it('counts records of data, and rows of a text', () => {
    const folder = temporaryFolder();
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const records = Array.from({ length: 10 }, (_, n) => ({ instruction: `Say ${n}.`, output: 'Yes. '.repeat(10) }));
    const lines = file('a.jsonl', records.map((record) => `${JSON.stringify(record)}\n\n`).join(''));
    assert.equal(dataAmount([lines], 256)!.examples, 10);
    assert.ok(dataAmount([lines], 256)!.length < 40);
    assert.equal(dataAmount([file('b.json', JSON.stringify(records))], 256)!.examples, 10);
    const text = dataAmount([file('c.txt', 'x'.repeat(4 * 256 * 7))], 256);
    assert.deepEqual(text, { examples: 7, length: 256 });
    assert.equal(dataAmount([lines, join(folder, 'c.txt')], 256)!.examples, 17);
    assert.equal(dataAmount([join(folder, 'none.txt')], 256), undefined);
    assert.equal(dataAmount([folder], 256), undefined);
    // A file that grew is looked at again.
    file('a.jsonl', `${JSON.stringify(records[0])}\n`.repeat(20));
    assert.equal(dataAmount([lines], 256)!.examples, 20);
    assert.deepEqual(ownTextAmount(256, 2560), { examples: 10, length: 256 });
  });
});

describe('memory of a retraining', () => {
  const usual: TrainingMemory = {
    ...{ full: false, removed: [], length: 256, rank: 8, batch: 16, holdsOut: true, free: 16 * GIB },
  };

  it('grows with rows, rank, teacher and all weights, and shrinks with removed blocks', async () => {
    const { architecture } = await openCheckpoint(sample);
    const bytes = (changes: Partial<TrainingMemory> = {}): number =>
      trainingBytes(architecture!, { ...usual, ...changes });
    const plain = bytes();
    for (const more of [{ length: 1024 }, { rank: 64 }, { teacher: architecture! }, { full: true }]) {
      assert.ok(bytes(more) > plain, JSON.stringify(Object.keys(more)));
    }
    assert.ok(bytes({ removed: [4, 5, 6] }) < plain);
    assert.ok(bytes({ full: true, holdsOut: false }) < bytes({ full: true }));
    assert.equal(bytes({ batch: 64 }), plain); // a step adds up gradients
    assert.ok(bytes({ free: 4 * 2 ** 20 }) < plain); // keeps less, and is slower
  });

  it('is near what was measured: 399 MiB for the sample model, 457 with a teacher', async () => {
    const { architecture } = await openCheckpoint(sample);
    const mib = (changes: Partial<TrainingMemory>): number =>
      trainingBytes(architecture!, { ...usual, ...changes, batch: 4 }) / 2 ** 20;
    for (const [measured, changes] of [
      [399, {}],
      [457, { teacher: architecture! }],
      [598, { teacher: architecture!, full: true }],
    ] as const) {
      const ratio = mib(changes) / measured;
      assert.ok(ratio > 0.95 && ratio < 1.4, `${ratio}`);
    }
  });
});
