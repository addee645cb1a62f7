/** Which perplexities can be compared: those on the same rows, however a record says which they were. */
import assert from 'node:assert/strict';
import { digestRecord } from '../../../src/jobs/digest/digest';
import type { RunRecord } from '../../../src/engine/records/record';
import { calibrationKey } from '../../../src/engine/records/rows-key';
import { curveRecord, demoRecord, retrainedRecord, scoreRecord } from '../../support/records';

const CALIBRATION = { source: 'prose.txt', sha256: 'abc', samples: 10, length: 64, seed: 1234 };
const KEY = calibrationKey(CALIBRATION);

const curveOn = (settings: object, text: object = {}): RunRecord => {
  const record = curveRecord();
  const results = { ...record.results, text: { name: 'prose.txt', sha256: 'abc', rows: 10, length: 64, ...text } };
  return { ...record, settings: { ...record.settings, ...settings }, results };
};
const curveKeyOf = (settings: object, text?: object): string | undefined =>
  digestRecord(curveOn(settings, text)).curve?.rowsKey;

const evaluated = (results: object, settings: object = { seed: 1234 }): string | undefined => {
  const record = retrainedRecord();
  const read = digestRecord({
    ...record,
    settings: { ...record.settings, ...settings },
    results: { ...record.results, ...results },
  });
  return read.retrained?.[0].rowsKey;
};

describe('keys of rows', () => {
  it('are one for scores, curve and evaluation on the same rows', () => {
    const record = scoreRecord();
    const scored = digestRecord({ ...record, results: { ...record.results, calibration: CALIBRATION } });
    assert.ok(KEY !== undefined);
    assert.equal(scored.score?.rowsKey, KEY);
    assert.equal(curveKeyOf({ rows: 'calibration', seed: 1234 }), KEY);
    assert.equal(evaluated({ windows: 10 }), KEY);
  });

  it('differ with the bytes of the text, its rows, their length and the seed', () => {
    const calibration = { rows: 'calibration', seed: 1234 };
    const others = [
      curveKeyOf(calibration, { sha256: 'def' }),
      curveKeyOf(calibration, { rows: 9 }),
      curveKeyOf(calibration, { length: 32 }),
      curveKeyOf({ ...calibration, seed: 1 }),
    ];
    assert.equal(new Set([KEY, ...others]).size, 5);
    assert.equal(curveKeyOf(calibration, { name: 'renamed.txt' }), KEY);
  });

  it('tell windows of a text from rows drawn of it', () => {
    const key = curveKeyOf({ rows: 'text', window: 64, limit: 10, bos: 'stream' });
    assert.ok(key !== undefined && key !== KEY);
    assert.notEqual(curveKeyOf({ rows: 'text', window: 64, limit: 10, bos: 'none' }), key);
    // The curve's rows have BOS on top of their windows.
    const begun = curveKeyOf({ rows: 'text', window: 63, bos: 'window' });
    assert.match(begun!, /10×63 bos window$/);
    const record = demoRecord();
    const cut = { windows: 10, window: 64, bos: 'stream' };
    const retrained = { ...(record.results.retrained as object), ...cut };
    const demo = digestRecord({
      ...record,
      inputs: record.inputs.map((input) => (input.role === 'text' ? { ...input, sha256: 'abc' } : input)),
      results: { ...record.results, retrained },
    });
    assert.equal(demo.retrained?.[0].rowsKey, key);
  });

  it('are missing where a record does not tell enough', () => {
    assert.equal(curveKeyOf({ rows: 'calibration' }), undefined);
    assert.equal(digestRecord(curveRecord()).curve?.rowsKey, undefined);
    assert.equal(evaluated({}), undefined);
    assert.equal(calibrationKey(null), undefined);
  });
});
