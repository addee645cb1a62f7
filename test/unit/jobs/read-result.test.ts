/** Results of records are read leniently: what another version wrote in another way is left out, and the rest stays. */
import assert from 'node:assert/strict';
import { JOBS } from '../../../src/jobs/definitions';
import { digestRecord } from '../../../src/jobs/digest/digest';
import type { Kind } from '../../../src/jobs/kinds';
import { readResult } from '../../../src/jobs/read-result';
import type { Field } from '../../../src/jobs/result';
import { newRecord } from '../../../src/engine/records/record';

const KINDS = Object.keys(JOBS) as Kind[];

/** A value of the field's shape with something else in every place. */
function wrong({ kind }: Field): unknown {
  switch (kind.kind) {
    case 'shape':
      return Object.fromEntries(Object.entries(kind.fields).map(([name, field]) => [name, wrong(field)]));
    case 'list':
      return [wrong(kind.of), null, 5];
    case 'either':
      return wrong(kind.of[0]);
    case 'text':
      return 5;
    default:
      return { strange: true };
  }
}

describe('reading results of records', () => {
  for (const kind of KINDS) {
    it(`of ${kind} survives what no version wrote, and shows it`, () => {
      for (const results of [{}, { strange: 1 }, wrong(JOBS[kind].result) as object]) {
        readResult(kind, results);
        const digest = digestRecord(newRecord({ kind, inputs: [], settings: {}, results, started: new Date(0) }));
        assert.equal(digest.kind, kind);
      }
      for (const value of [null, 5, 'x', []]) assert.deepEqual(readResult(kind, value), {});
    });
  }

  it('keeps names of numbers, leaves out items that are none, and takes fields of each shape', () => {
    const read = readResult('heal', {
      tokens: 'many',
      fit: { before: { ppl: 'Infinity', kl: {} } },
      removed: [1, null],
    });
    assert.deepEqual(read, { fit: { before: { ppl: 'Infinity' } }, removed: [1] });
    assert.deepEqual(readResult('bench', { prefillRange: [1, null] }), {});
    assert.deepEqual(readResult('tasks', { average: 0.5, models: [{ average: 0.25 }] }), {
      average: 0.5,
      models: [{ average: 0.25 }],
    });
  });
});
