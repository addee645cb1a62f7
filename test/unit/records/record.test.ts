/** Run records: written whole, read back the same, refused when they are something else. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import {
  modelInput,
  newRecord,
  readRecord,
  recordText,
  recordTextInModel,
  writeRecord,
} from '../../../src/engine/records/record';
import { temporaryFolder } from '../../support/temporary';

const facts = {
  kind: 'score',
  inputs: [{ role: 'model', name: 'tiny', identity: 'abc' }],
  settings: { criterion: 'ppl', samples: 10 },
  seed: 1234,
  device: { provider: 'cpu' },
  onnxruntime: '1.30.0',
  results: { scores: [1, Infinity, NaN] },
  started: new Date('2026-01-02T03:04:05Z'),
  finished: new Date('2026-01-02T03:05:05Z'),
};

describe('runs/record', () => {
  it('is written atomically and read back, non-finite numbers by name', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'run.json');
    writeFileSync(file, 'an older one');
    const record = newRecord(facts);
    await writeRecord(file, record);
    assert.deepEqual(readdirSync(folder), ['run.json']);
    const read = await readRecord(file);
    assert.deepEqual(read, { ...record, results: { scores: [1, 'Infinity', 'NaN'] } });
    assert.equal(read.schema, 1);
    assert.equal(read.started, '2026-01-02T03:04:05.000Z');
    assert.match(read.versions.coppice, /^\d+\.\d+\.\d+/);
    assert.equal(read.versions.node, process.versions.node);
    assert.equal(read.versions.onnxruntime, '1.30.0');
  });

  it('has one length in the files of a model, whatever was measured', () => {
    const text = (seconds: number, tokensPerSecond: number, peakRssBytes: number, nllPerSecond: number | null) => {
      const results = {
        trace: [{ step: 1, tokensPerSecond }],
        seconds,
        peakRssBytes,
        nllPerSecond,
        note: '"seconds": 5',
      };
      const record = newRecord({ ...facts, results });
      const written = recordTextInModel(record);
      assert.deepEqual(JSON.parse(written), JSON.parse(recordText(record)));
      return written.length;
    };
    assert.equal(text(2.5, 215.6416485144974, 293_474_304, null), text(1234.567890123, 1e-7, 12_345_678_901, -0.25));
  });

  it('names what was not there as null', () => {
    const { seed, device, versions } = newRecord({
      ...facts,
      seed: undefined,
      device: undefined,
      onnxruntime: undefined,
    });
    assert.deepEqual([seed, device, versions.onnxruntime], [null, null, null]);
  });

  it('names a model by repository or folder, never by path', () => {
    const at = (folder: string): string => modelInput({ folder, identity: 'x' } as Checkpoint).name;
    assert.equal(at('/home/me/hub/models--org--name/snapshots/0123abc'), 'org/name');
    assert.equal(at('/home/me/models/tiny/'), 'tiny');
    assert.equal(at('C:\\models\\tiny'), 'tiny');
    assert.equal(at('/'), 'model');
  });

  it('says why a record cannot be written', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const record = newRecord(facts);
    await assert.rejects(writeRecord(join(folder, 'no', 'run.json'), record), {
      name: 'UserError',
      why: /does not exist/,
    });
    await assert.rejects(writeRecord(join(folder, 'file', 'run.json'), record), {
      name: 'UserError',
      why: /is a file/,
    });
    await assert.rejects(writeRecord(folder, record), { name: 'UserError' });
    assert.deepEqual(readdirSync(folder), ['file']);
  });

  it('refuses files that are no record, saying which field', async () => {
    const file = join(temporaryFolder(), 'run.json');
    const cases: [unknown, RegExp][] = [
      [[], /not a JSON object/],
      [{}, /schema is undefined/],
      [{ ...newRecord(facts), schema: 2 }, /schema is 2, this version reads 1/],
      [{ ...newRecord(facts), kind: 7 }, /kind/],
      [{ ...newRecord(facts), results: [] }, /results/],
      [{ ...newRecord(facts), started: 'yesterday' }, /started is not a date/],
      [{ ...newRecord(facts), seed: '7' }, /seed/],
      [{ ...newRecord(facts), inputs: [{ role: 'model' }] }, /inputs\[0\]/],
    ];
    for (const [value, why] of cases) {
      writeFileSync(file, JSON.stringify(value));
      await assert.rejects(readRecord(file), { name: 'UserError', why });
    }
    writeFileSync(file, '{');
    await assert.rejects(readRecord(file), { name: 'UserError', why: /not JSON/ });
    await assert.rejects(readRecord(`${file}.gone`), { name: 'UserError', why: /no such file/ });
  });
});
