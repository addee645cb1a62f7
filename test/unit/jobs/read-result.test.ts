/** Results of records are read leniently: what another version wrote in another way is left out, and the rest stays. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { JOBS } from '../../../src/jobs/definitions';
import { digestRecord } from '../../../src/jobs/digest/digest';
import type { Kind } from '../../../src/jobs/kinds';
import { readResult } from '../../../src/jobs/read-result';
import type { Field } from '../../../src/jobs/result';
import { resultSchemaOf } from '../../../src/jobs/schema';
import { newRecord, type RunRecord } from '../../../src/engine/records/record';

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
        assert.equal(shown(kind, results).kind, kind);
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

  it('of a training keeps losses that are not finite', () => {
    const { training } = shown('retrain', {
      trace: [{ step: 1, loss: 'NaN', lr: 0.1, tokensPerSecond: 'Infinity' }],
      evaluations: [{ step: 1, loss: 800, ppl: 'Infinity' }],
      unpruned: { loss: 900, ppl: 'Infinity' },
      likeness: { before: { kl: 'Infinity', top1: 0 }, after: { kl: 'NaN', top1: 'NaN' } },
    });
    assert.deepEqual(training, {
      steps: [{ step: 1, loss: 'NaN', learningRate: 0.1, tokensPerSecond: 0 }],
      evaluations: [{ step: 1, ppl: 'Infinity' }],
      unpruned: 'Infinity',
      likeness: { before: { kl: 'Infinity', top1: 0 }, after: { kl: 'NaN', top1: 'NaN' } },
    });
  });

  for (const kind of ['retrain', 'speeds'] as const) {
    it(`of ${kind} with numbers that are none is as it is declared`, () => {
      const file = join(import.meta.dirname, '../records/earlier', `${kind}.json`);
      const { record } = JSON.parse(readFileSync(file, 'utf8')) as { readonly record: RunRecord };
      const check = new Ajv2020({ allowUnionTypes: true }).compile(resultSchemaOf(JOBS[kind]));
      assert.ok(check(record.results), JSON.stringify(check.errors));
    });
  }

  it('does not take a share of a text that it does not know for another one', () => {
    const textOf = (share: string) => shown('score', { calibration: { source: 'prose.txt', share } }).score?.text;
    assert.deepEqual(['choose', 'later'].map(textOf), ['prose.txt, the first 70 %', 'prose.txt']);
  });
});

const shown = (kind: Kind, results: object) =>
  digestRecord(newRecord({ kind, inputs: [], settings: {}, results, started: new Date(0) }));
