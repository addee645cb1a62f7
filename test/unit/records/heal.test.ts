/** Records of healing, and of runs with healed weights: what panel, comparison and cards make of them. */
import assert from 'node:assert/strict';
import { pruningWords } from '../../../src/engine/records/ancestry';
import { resultsOf, runTitle } from '../../../src/engine/records/compare';
import { digestRecord } from '../../../src/jobs/digest/digest';
import type { RunDigest } from '../../../src/engine/records/digest-types';
import { newRecord, type RunInput } from '../../../src/engine/records/record';

const model: RunInput = { role: 'model', name: 'toy', identity: 'id-1' };
const patch: RunInput = { role: 'patch', name: 'healed.safetensors', sha256: 'f00' };
const likeness = (ppl: number | string, kl: number): object => ({ meanNll: 2, ppl, kl, top1: 0.5, more: 1 });
const STAGES = { rows: 3, before: likeness(20, 0.9), after: likeness(12, 0.4), rounded: likeness(12.5, 0.41) };
const RESULTS = {
  removed: [1, 2],
  method: 'refit',
  ridge: 'auto',
  tokens: 8192,
  weights: 'healed',
  fit: { ...STAGES, after: likeness('Infinity', 0.3) },
  heldOut: STAGES,
  steps: [
    { block: 0, tensor: 'down_proj', removed: [1, 2], errorBefore: 9, errorAfter: 4, ridge: null, weight: { norm: 1 } },
    { block: 3, tensor: 'o_proj', removed: [], s: 1.25 },
    { tensor: 'o_proj' },
  ],
  seconds: 41,
  writingSeconds: 0,
};

const digestOf = (kind: string, results: object, inputs: RunInput[] = [model], settings = {}): RunDigest =>
  digestRecord(newRecord({ kind, inputs, settings, results, started: new Date('2026-04-01T09:00:00Z') }));

describe('records of healing', () => {
  it('keep stages, errors and what was kept', () => {
    const { heal, cost } = digestOf('heal', RESULTS);
    assert.equal(cost, undefined);
    assert.deepEqual(heal, {
      method: 'refit',
      ridge: 'auto',
      tokens: 8192,
      removed: [1, 2],
      weights: 'healed',
      fit: {
        rows: 3,
        before: { ppl: 20, kl: 0.9, top1: 0.5 },
        after: { ppl: 'Infinity', kl: 0.3, top1: 0.5 },
        rounded: { ppl: 12.5, kl: 0.41, top1: 0.5 },
      },
      heldOut: {
        rows: 3,
        before: { ppl: 20, kl: 0.9, top1: 0.5 },
        after: { ppl: 12, kl: 0.4, top1: 0.5 },
        rounded: { ppl: 12.5, kl: 0.41, top1: 0.5 },
      },
      steps: [
        { block: 0, tensor: 'down_proj', removed: [1, 2], errorBefore: 9, errorAfter: 4, ridge: null },
        { block: 3, tensor: 'o_proj', removed: [], factor: 1.25 },
      ],
      seconds: 41,
      writingSeconds: 0,
    });
  });

  it('of pruning have the same, and sizes', () => {
    const sizes = { parametersBefore: 100, parametersAfter: 60, bytesBefore: 200, bytesAfter: 120, out: '/x/short' };
    const { heal, cost } = digestOf('prune', { ...sizes, removed: [1, 2], healing: RESULTS });
    assert.deepEqual(heal, digestOf('heal', RESULTS).heal);
    assert.deepEqual(
      cost?.map(({ label, parameters }) => [label, parameters]),
      [
        ['toy', 100],
        ['short', 60],
      ],
    );
    assert.equal(digestOf('prune', sizes).heal, undefined);
    assert.equal(digestOf('heal', { ...RESULTS, ...sizes }).cost?.length, 2);
  });

  it('of other versions may lack parts', () => {
    assert.equal(digestOf('heal', {}).heal, undefined);
    const { heal } = digestOf('heal', { method: 'fold', ridge: 0.3, weights: 'x', fit: { before: {} }, steps: 'none' });
    const absent = { tokens: null, removed: [], steps: [], seconds: null, writingSeconds: null };
    assert.deepEqual(heal, { method: 'fold', ridge: '0.3', ...absent });
  });

  it('are compared on rows that were not fitted, if there are any', () => {
    const digest = digestOf('heal', RESULTS);
    assert.equal(runTitle(digest), 'heal · refit');
    assert.deepEqual(resultsOf(digest), [
      ['perplexity before healing, on rows held out', '20'],
      ['perplexity after healing, on rows held out', '12'],
      ['KL before healing, on rows held out', '0.9'],
      ['KL after healing, on rows held out', '0.4'],
      ['same next token before healing, on rows held out', '50 %'],
      ['same next token after healing, on rows held out', '50 %'],
    ]);
    const fitted = resultsOf(digestOf('heal', { ...RESULTS, heldOut: null }));
    assert.deepEqual(fitted[1], ['perplexity after healing, on the fitted rows', '∞']);
  });

  it('in a checkpoint tell its history', () => {
    const record = newRecord({ kind: 'heal', inputs: [model], settings: {}, results: RESULTS, started: new Date() });
    const words = '`mine` itself is `toy` without blocks 1, 2';
    assert.equal(pruningWords('mine', record), `${words}, and healed in closed form (refit).`);
    const plain = { ...record, results: { ...RESULTS, weights: 'plain' } };
    assert.equal(pruningWords('mine', plain), `${words}.`);
  });
});

describe('records of runs with healed weights', () => {
  const measured = { ppl: 12, tokens: 100, removed: [1] };

  it('name them, and are points of healed models', () => {
    const { patch: name, adapter, quality, retrained } = digestOf('eval', measured, [model, patch]);
    assert.deepEqual([name, adapter, quality?.[0].label], ['healed.safetensors', undefined, 'healed.safetensors']);
    assert.deepEqual(
      retrained?.map(({ label, healed, ppl }) => [label, healed, ppl]),
      [['healed.safetensors', true, 12]],
    );
  });

  it('with an adapter on top are points of retrained ones', () => {
    const lora: RunInput = { role: 'adapter', name: 'lora', sha256: 'a' };
    const { patch: name, adapter, retrained } = digestOf('eval', measured, [model, patch, lora]);
    assert.deepEqual([name, adapter], ['healed.safetensors', 'lora']);
    assert.deepEqual(
      retrained?.map(({ label, healed }) => [label, healed]),
      [['lora', undefined]],
    );
  });

  it('as columns tell them apart', () => {
    const column = { label: 'healed', model: 'toy', identity: 'id-1', removed: [1], decodeTokensPerSecond: 9 };
    const { cost } = digestOf('speeds', { models: [{ ...column, patch: 'healed.safetensors' }, column] });
    assert.deepEqual(
      cost?.map(({ of }) => of?.patch),
      ['healed.safetensors', undefined],
    );
  });
});
