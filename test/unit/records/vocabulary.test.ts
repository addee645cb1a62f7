/** A trimmed vocabulary in records: what panel, comparison and the page of before and after read of it. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAfter } from '../../../src/engine/records/before-after/before-after';
import { compareRuns, runTitle } from '../../../src/engine/records/compare';
import type { RunDigest } from '../../../src/engine/records/digest-types';
import { newRecord, RECORD_NAME, recordText } from '../../../src/engine/records/record';
import { digestRecord } from '../../../src/jobs/digest/digest';
import { vocabularyOf } from '../../../src/jobs/digest/vocabulary';
import { Origins } from '../../../src/state/origins';
import { temporaryFolder } from '../../support/temporary';

const RESULT = {
  kind: 'bpe-bytes',
  size: 2048,
  kept: 1408,
  min: 1,
  parameters: { before: 2_624_640, after: 2_542_720 },
  bytes: { before: 5_360_646, after: 5_130_677 },
  texts: { files: 2, tokens: 7495 },
  heldOut: {
    file: null,
    pieces: 4,
    covered: 0,
    coverage: 0.96,
    growth: 1.05,
    bitsPerByte: { before: 1.5, after: 1.6, growth: 0.067, tokens: 635 },
    outsideMass: 0.09,
  },
  examples: [{ text: 'teddy', before: 1, after: 3, count: 2 }, { text: 'no numbers' }],
  counts: [{ from: 1, to: 1, tokens: 235 }],
  table: [
    { min: 2, kept: 1152, parameters: 2_509_952, coverage: 0.92 },
    { min: 1, kept: 1408, parameters: 2_542_720, coverage: 0.96, growth: 1.05 },
  ],
  advice: null,
  written: null,
};

const recordOf = (changes: object = {}) =>
  newRecord({
    kind: 'vocabulary',
    inputs: [{ role: 'model', name: 'stories', identity: 'id-whole' }],
    settings: { min: 1 },
    results: { ...RESULT, ...changes },
    device: { provider: 'cpu' },
    started: new Date('2026-11-30T12:00:00Z'),
  });
const report = (changes: object = {}): RunDigest => digestRecord(recordOf(changes));
const written = (changes: object = {}): RunDigest =>
  report({ written: '/models/stories-fewer', table: [], ...changes });

describe('a vocabulary in a record', () => {
  it('is read with its rows in order, and without what has no numbers', () => {
    const { vocabulary } = report();
    assert.deepEqual(
      vocabulary!.rows.map(({ min, growth }) => [min, growth]),
      [
        [1, 1.05],
        [2, null],
      ],
    );
    assert.deepEqual(vocabulary!.words, [{ text: 'teddy', before: 1, after: 3, count: 2 }]);
    assert.deepEqual(vocabulary!.heldOut, {
      ...{ pieces: 4, covered: 0, coverage: 0.96, growth: 1.05 },
      ...{ bits: { before: 1.5, after: 1.6, growth: 0.067 }, tokens: 635, outsideMass: 0.09 },
    });
    assert.ok(!('advice' in vocabulary!) && !('written' in vocabulary!));
  });

  it('is nothing without its main numbers, and takes numbers that are not finite', () => {
    for (const broken of [{}, 'text', { ...RESULT, size: '2048' }, { ...RESULT, bytes: null }])
      assert.equal(vocabularyOf(broken), undefined);
    const heldOut = { ...RESULT.heldOut, bitsPerByte: { before: 1.5, after: 'Infinity' } };
    assert.equal(vocabularyOf({ ...RESULT, heldOut })!.heldOut.bits!.after, 'Infinity');
    assert.deepEqual(vocabularyOf({ ...RESULT, heldOut: undefined, table: [{}] })!.heldOut.coverage, null);
  });

  it('has sizes of the original and the trimmed model once that was written', () => {
    assert.equal(report().cost, undefined);
    assert.deepEqual(
      written().cost!.map(({ label, parameters, bytes }) => [label, parameters, bytes]),
      [
        ['stories', 2_624_640, 5_360_646],
        ['stories-fewer', 2_542_720, 5_130_677],
      ],
    );
  });

  it('has a title that tells a report from a model, and results to compare', () => {
    assert.deepEqual([runTitle(report()), runTitle(written())], ['vocabulary', 'vocabulary · stories-fewer']);
    const rows = new Map(
      compareRuns([report(), written({ kept: 1152 })]).rows.map(({ name, values }) => [name, values]),
    );
    assert.deepEqual(rows.get('tokens that stay'), ['1,408 of 2,048', '1,152 of 2,048']);
    assert.deepEqual(rows.get('bits per byte of the held-out text'), ['1.5 → 1.6', '1.5 → 1.6']);
  });
});

describe('before and after of a trimmed vocabulary', () => {
  const row = (runs: readonly RunDigest[], measure: string) =>
    beforeAfter(runs)!.rows.find((each) => each.measure === measure);

  it('has its tokens, parameters and bits per byte, and no perplexity', () => {
    const { models, rows, otherVocabularies } = beforeAfter([written()])!;
    assert.deepEqual(models, ['stories', 'stories-fewer']);
    assert.equal(otherVocabularies, true);
    const cells = (measure: string) =>
      rows.find((each) => each.measure === measure)?.cells.map((cell) => [cell?.text, cell?.change]);
    assert.deepEqual(cells('vocabulary'), [
      ['2,048', ''],
      ['1,408', '−31 %'],
    ]);
    assert.deepEqual(cells('parameters'), [
      ['2,624,640', ''],
      ['2,542,720', '−3.1 %'],
    ]);
    assert.deepEqual(cells('bits'), [
      ['1.5', ''],
      ['1.6', '1.07×'],
    ]);
    assert.equal(cells('ppl'), undefined);
    assert.match(row([written()], 'bits')!.of, /^pieces of the texts that were held out; float32 on cpu/);
  });

  it('says why bits per byte are lower where they are, and names the text', () => {
    const heldOut = { ...RESULT.heldOut, file: 'held.txt', bitsPerByte: { before: 1.5, after: 1.4 } };
    assert.match(row([written({ heldOut })], 'bits')!.of, /^held\.txt; .*; it is lower because the model cannot say/);
  });

  it('has nothing of a report, which wrote no model', () => assert.equal(beforeAfter([report()]), undefined));

  it('has no line of the vocabulary where both are of one size', () => {
    assert.equal(row([written({ kept: 2048 })], 'vocabulary'), undefined);
  });
});

describe('the origin of a trimmed model', () => {
  it('tells how many tokens its base model had', async () => {
    const folder = join(temporaryFolder(), 'fewer');
    mkdirSync(folder);
    writeFileSync(join(folder, RECORD_NAME), recordText(recordOf()));
    const origin = await new Origins().of(folder);
    assert.deepEqual([origin?.kind, origin?.trimmedFrom, origin?.name], ['vocabulary', 2048, 'stories']);
  });
});
