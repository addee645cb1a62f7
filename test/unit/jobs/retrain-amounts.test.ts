/** Presets of a retraining: steps from seconds, never more than the data are worth, and memory from settings. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { stepsOfPasses, trainedRows, usualBatch } from '../../../src/engine/retrain/amounts';
import { loadTrainingData } from '../../../src/engine/retrain/data/load';
import { trainOptions } from '../../../src/engine/retrain/settings';
import { loadTokenizer } from '../../../src/engine/tokenizer/tokenizer';
import {
  fewSteps,
  LEAST_STEPS,
  MOST_PASSES,
  passesOfSteps,
  type Preset,
  presetsOf,
  rateFor,
  type Schedule,
  stepsWithin,
  usualPreset,
} from '../../../src/jobs/retrain-amounts';
import { type TrainingMemory, trainingBytes } from '../../../src/estimates/training-memory';
import { dataAmount, ownTextAmount } from '../../../src/jobs/training-data';
import { temporaryFolder } from '../../support/temporary';

const sample = resolve(import.meta.dirname, '../../../media/sample');
const GIB = 2 ** 30;

/** Presets for so many rows of 256 tokens. @param perRow seconds of a row of 256 tokens @param start seconds before the first step */
function presetsFor(rows: number, perRow: number, start = 0): { presets: Preset[]; usual?: Preset['name'] } {
  const secondsOf = ({ steps, batch, length }: Schedule): number => start + (steps * batch * length * perRow) / 256;
  const presets = presetsOf({ rowsOf: (length) => Math.round((rows * 256) / length), length: 256, secondsOf });
  return { presets, usual: usualPreset(presets, secondsOf)?.name };
}

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
    assert.equal(passesOfSteps(stepsOfPasses(2, 11, 4), 11, 4), 2);
  });

  it('presets end where more passes would teach little, and longer ones that are the same are left out', () => {
    const quick = presetsFor(1000, 1e-3).presets;
    assert.deepEqual(
      quick.map(({ name, steps, limited }) => [name, steps, limited]),
      [
        ['minutes', stepsOfPasses(MOST_PASSES, 1000, 20), true],
        ['passes', 100, false],
      ],
    );
    const slow = presetsFor(100_000, 5 / 64).presets;
    assert.deepEqual(
      slow.map(({ name, steps, batch }) => [name, steps, batch]),
      [
        ['minutes', 60, 64],
        ['halfHour', 360, 64],
        ['overnight', 5760, 64],
        ['passes', 3124, 64],
      ],
    );
    assert.ok(slow.every(({ limited, few }) => !limited && few === undefined));
  });

  it('where time has too few steps, the batch is smaller, then rows are shorter, and then it says so', () => {
    // A step of 19 rows takes four minutes, as of a model of 135 million parameters on two cores.
    const { presets, usual } = presetsFor(990, 228 / 19);
    assert.deepEqual(
      presets.map(({ name, steps, batch, length, few }) => [name, steps, batch, length, few]),
      [
        ['minutes', 100, 1, 64, undefined],
        ['halfHour', 75, 2, 256, undefined],
        ['overnight', 126, 19, 256, undefined],
        ['passes', 104, 19, 256, undefined],
      ],
    );
    assert.equal(usual, 'halfHour');
    const slower = presetsFor(990, 20).presets.find(({ name }) => name === 'halfHour')!;
    assert.deepEqual([slower.steps, slower.batch, slower.length], [90, 1, 256]);
    for (const perRow of [0.1, 1, 3, 10, 20]) {
      const half = presetsFor(50_000, perRow).presets.find(({ name }) => name === 'halfHour')!;
      assert.ok(half.steps >= LEAST_STEPS, `${perRow} s: ${half.steps}`);
    }
  });

  it('Enter takes nothing that this machine is too slow for, also where it was taken last', () => {
    const slow = presetsFor(990, 500);
    assert.equal(slow.presets[1].few, 'time');
    assert.equal(slow.usual, 'overnight');
    const never = presetsFor(990, 2000);
    assert.ok(never.presets.slice(0, 3).every(({ few }) => few === 'time'));
    assert.equal(never.usual, undefined);
    const last = usualPreset(slow.presets, ({ steps, batch }) => 500 * steps * batch, 'halfHour');
    assert.equal(last?.name, 'overnight');
  });

  it('few steps of little data are no fault of the machine', () => {
    const { presets, usual } = presetsFor(11, 1e-3);
    assert.deepEqual(
      presets.map(({ name, steps, few }) => [name, steps, few]),
      [
        ['minutes', 8, 'data'],
        ['passes', 4, 'data'],
      ],
    );
    assert.equal(usual, 'passes');
  });

  it('a short training learns twice as fast as a long one, and never more slowly than usual', () => {
    assert.deepEqual([1, 520, 1000, 2080, 100_000].map(rateFor), [0.002, 0.002, 0.0014, 0.001, 0.001]);
  });

  it('steps of one’s own are too few below sixty, unless the data have no more', () => {
    assert.equal(fewSteps({ steps: LEAST_STEPS, passes: 0.1 }), undefined);
    assert.equal(fewSteps({ steps: LEAST_STEPS - 1, passes: 0.1 }), 'asked');
    assert.equal(fewSteps({ steps: 12, passes: MOST_PASSES }), 'data');
  });

  it('steps that are said before are those of the run: held-out rows are no part of them', async () => {
    const tokenizer = await loadTokenizer(sample);
    const folder = temporaryFolder();
    for (const count of [12, 43, 130, 420]) {
      for (const heldOut of [undefined, 0, 0.1, 5]) {
        const file = join(folder, `${count}.jsonl`);
        const records = Array.from({ length: count }, (_, n) => ({ instruction: `Say ${n}.`, output: 'Yes.' }));
        writeFileSync(file, records.map((record) => JSON.stringify(record)).join('\n'));
        const amount = dataAmount([file], 256)!;
        assert.ok(amount.exact);
        const rows = trainedRows(amount.examples, heldOut);
        const said = stepsOfPasses(2, rows, usualBatch(rows));
        const data = await loadTrainingData(
          file,
          { length: 256, seed: 1, heldOut, beginning: { mode: 'none' } },
          tokenizer,
        );
        const run = trainOptions({ method: { kind: 'lora' }, out: '', data: [file], heldOut }, data);
        assert.deepEqual([rows, usualBatch(rows), said], [data.train.length, run.batch, run.steps]);
      }
    }
  });

  it('documents are joined and cut like a text, so their rows are near those of the run', async () => {
    const file = join(sample, 'retrain.jsonl');
    const amount = dataAmount([file], 256)!;
    const data = await loadTrainingData(
      file,
      { length: 256, seed: 1, beginning: { mode: 'none' } },
      await loadTokenizer(sample),
    );
    const ratio = trainedRows(amount.examples) / data.train.length;
    assert.ok(ratio > 0.8 && ratio < 1.15, `${ratio}`); // 80 of 70 when records were counted
    assert.equal(amount.exact, false);
  });

  it('Enter takes two passes if they are done within half an hour, otherwise half an hour', () => {
    assert.equal(presetsFor(1000, 0.5).usual, 'passes');
    assert.equal(presetsFor(1000, 2).usual, 'halfHour');
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
    assert.deepEqual(text, { examples: 7, length: 256, exact: false });
    assert.equal(dataAmount([lines, join(folder, 'c.txt')], 256)!.examples, 17);
    assert.equal(dataAmount([join(folder, 'none.txt')], 256), undefined);
    // A folder has an application's text, of which about a third trains; folders in it count too.
    const app = join(folder, 'app');
    mkdirSync(join(app, 'may'), { recursive: true });
    file('app/a.txt', 'x'.repeat(4 * 256 * 10));
    file('app/may/b.txt', 'x'.repeat(4 * 256 * 10));
    assert.deepEqual(dataAmount([app], 256), { examples: 7, length: 256, exact: false });
    assert.equal(dataAmount([join(folder, 'none')], 256), undefined);
    // A file that grew is looked at again.
    file('a.jsonl', `${JSON.stringify(records[0])}\n`.repeat(20));
    assert.equal(dataAmount([lines], 256)!.examples, 20);
    assert.deepEqual(ownTextAmount(256, 2560), { examples: 10, length: 256, exact: true });
    assert.equal(dataAmount([file('d.json', '{"batches": []}')], 256)!.given, true);
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
    const head = 4 * architecture!.vocabulary * architecture!.hidden;
    assert.ok(Math.abs(bytes({ quantized: true }) - plain - 1.25 * 3.5 * head) < 1, 'a head that is dequantized');
    assert.equal(bytes({ quantized: true, full: true }), bytes({ full: true }));
    assert.ok(bytes({ free: 4 * 2 ** 20 }) < plain); // keeps less, and is slower
  });

  it('is near what was measured: 399 MiB for the sample model, 433 with a teacher', async () => {
    const { architecture } = await openCheckpoint(sample);
    const mib = (changes: Partial<TrainingMemory>): number =>
      trainingBytes(architecture!, { ...usual, ...changes, batch: 4 }) / 2 ** 20;
    for (const [measured, changes] of [
      [399, {}],
      [433, { teacher: architecture! }],
      [598, { teacher: architecture!, full: true }],
    ] as const) {
      const ratio = mib(changes) / measured;
      assert.ok(ratio > 0.95 && ratio < 1.4, `${ratio}`);
    }
  });
});
