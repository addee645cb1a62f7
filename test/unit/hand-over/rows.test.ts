/** Rows of a hand-over as lines, their order, and what is refused of them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { firstRows, inFirstOrder } from '../../../src/hand-over/order';
import { readRows, rowLines } from '../../../src/hand-over/rows';
import type { Example } from '../../../src/engine/retrain/data/example';
import { exampleOfText, exampleWithTargets } from '../../../src/engine/retrain/data/example';
import { examplesOfStep } from '../../../src/engine/retrain/loop/step-examples';
import { loadTokenizer } from '../../../src/engine/tokenizer/tokenizer';
import { isObject } from '../../../src/format/json';
import { rejects } from '../../support/checkpoint-files';
import { temporaryFolder } from '../../support/temporary';

const row = (first: number, length = 4): Example =>
  exampleOfText(Int32Array.from({ length }, (_, i) => first * 10 + i));

describe('rows of a hand-over', () => {
  it('keeps ids and labels, and gives a text only where it has these ids', async () => {
    const tokenizer = await loadTokenizer(resolve('media/sample'));
    const plain = await tokenizer.encode('Once upon a time', { addSpecialTokens: false });
    // The letters of a word that the tokenizer writes in fewer pieces.
    const letters = await tokenizer.encodeEach(['t', 'i', 'm', 'e'], { addSpecialTokens: false });
    const split = letters.flat();
    assert.notDeepEqual(split, await tokenizer.encode('time', { addSpecialTokens: false }));
    const examples = [
      exampleWithTargets(plain, [{ start: 2, end: plain.length }]),
      exampleOfText(Int32Array.from(split)),
    ];
    const text = await rowLines(examples, 'held-out', tokenizer);
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    assert.ok(lines.every(isObject));
    assert.deepEqual(
      lines.map(({ split: name }) => name),
      ['held-out', 'held-out'],
    );
    assert.deepEqual(
      lines[0].labels,
      plain.map((id, i) => (i < 2 ? -100 : id)),
    );
    assert.equal(lines[0].text, 'Once upon a time');
    assert.equal('text' in lines[1], false);
    assert.deepEqual(lines[1].labels, [-100, ...split.slice(1)], 'the first token is no target');
    const file = join(temporaryFolder(), 'rows.jsonl');
    writeFileSync(file, text);
    const again = await readRows(file, 2048);
    assert.deepEqual(
      again.map(({ ids }) => Array.from(ids)),
      [plain, split],
    );
    assert.deepEqual(Array.from(again[0].labels.slice(2)), plain.slice(2));
  });

  it('refuses rows that are not rows of the model, naming line and field', async () => {
    const file = join(temporaryFolder(), 'rows.jsonl');
    const good = '{"input_ids": [1, 2], "labels": [-100, 2]}';
    for (const [bad, ...words] of [
      ['{', /line 2/, /not JSON/],
      ['[]', /line 2/, /not an object/],
      ['{"input_ids": [1, 9], "labels": [1, 2]}', /line 2/, /input_ids/],
      ['{"input_ids": [1, 2], "labels": [1]}', /line 2/, /labels/],
      ['{"input_ids": [1, 2], "labels": [1, -3]}', /line 2/, /labels/],
    ] as const) {
      writeFileSync(file, `${good}\n${bad}\n`);
      await rejects(() => readRows(file, 9), ...words);
    }
  });

  it('begins with the rows of the first step, and has each row once', () => {
    const train = Array.from({ length: 11 }, (_, i) => row(i));
    const order = { seed: 7, batch: 4 };
    const ordered = inFirstOrder({ train, heldOut: [] }, order);
    assert.deepEqual(ordered.slice(0, 4), examplesOfStep({ train, heldOut: [] }, order, 1));
    assert.deepEqual(ordered.slice(4, 8), examplesOfStep({ train, heldOut: [] }, order, 2));
    assert.equal(new Set(ordered).size, 11);
    assert.deepEqual(inFirstOrder({ train, heldOut: [], batches: [[3], [1, 3]] }, order).slice(0, 3), [
      train[3],
      train[1],
      train[0],
    ]);
  });

  it('compares no more than a step, and no more than some tokens', () => {
    const rows = Array.from({ length: 9 }, (_, i) => row(i, 1000));
    assert.equal(firstRows(rows, 8).length, 2);
    assert.equal(firstRows(rows, 1).length, 1);
    const asked = exampleWithTargets(
      Int32Array.from({ length: 3000 }, () => 1),
      [],
    );
    assert.equal(firstRows([asked, ...rows], 8).length, 2, 'a row with a target is needed');
  });
});
