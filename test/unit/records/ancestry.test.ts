/** Where a retrained checkpoint comes from, in the words of its card. */
import assert from 'node:assert/strict';
import { pruningWords, trainingLines } from '../../../src/engine/records/ancestry';
import { newRecord, type RunRecord } from '../../../src/engine/records/record';

const record = (kind: string, settings: object, results: object): RunRecord =>
  newRecord({
    kind,
    settings: { ...settings },
    results,
    started: new Date(0),
    inputs: [{ role: 'model', name: 'org/whole', identity: 'id' }],
  });

describe('the ancestry of a retrained model', () => {
  it('names what was removed from which parent, and why', () => {
    const results = { removed: [4, 13] };
    const by = { chosen: 'by criterion', criterion: 'ppl' };
    assert.equal(
      pruningWords('mine', record('prune', by, results)),
      '`mine` itself is `org/whole` without blocks 4, 13, chosen by criterion (ppl).',
    );
    assert.equal(
      pruningWords('mine', record('prune', {}, { removed: [4] })),
      '`mine` itself is `org/whole` without block 4.',
    );
    assert.equal(pruningWords('mine', record('merge', {}, { removed: [] })), undefined);
    assert.equal(pruningWords('mine', undefined), undefined);
  });

  it('names data, steps and held-out perplexities as far as the record knows them', () => {
    const results = {
      steps: 100,
      data: { files: [{ file: 'alpaca.json', kind: 'alpaca' }], train: { examples: 1234 }, heldOut: { examples: 99 } },
      evaluations: [
        { step: 0, ppl: 57.5712 },
        { step: 100, ppl: 46.1665 },
      ],
      best: { step: 100, ppl: 46.1665 },
    };
    assert.deepEqual(trainingLines(record('retrain', { batch: 16, learningRate: 0.001 }, results)), [
      'data: `alpaca.json` (alpaca); 1,234 examples, 99 held out',
      'training: 100 steps of 16 rows, learning rate 0.001',
      'perplexity of the part of these data that was held out: 57.57 before, 46.17 after',
    ]);
    assert.deepEqual(trainingLines(record('retrain', {}, { steps: 3, best: null })), ['training: 3 steps']);
    assert.deepEqual(trainingLines(record('score', {}, results)), []);
    assert.deepEqual(trainingLines(undefined), []);
  });

  it('reads names as names', () => {
    const results = { data: { files: [{ file: '<img src=x>`', kind: 'text' }] } };
    assert.deepEqual(trainingLines(record('retrain', {}, results)), ['data: `` <img src=x>` `` (text)']);
  });
});
