/** The file that keeps answers: what a stopped run leaves in it is used, whatever else is there. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answersKey, answersOfPart, KeptAnswers } from '../../../src/engine/evaluate/tasks/kept-answers';
import type { ItemResult } from '../../../src/engine/evaluate/tasks/results';
import { temporaryFolder } from '../../support/temporary';

const choice = (item: number): ItemResult => ({
  item,
  gold: 1,
  choices: [{ loglik: -1.2345678901234567, tokens: 2, characters: 5, greedy: false }],
});
const written: ItemResult = { item: 7, text: 'déjà vu 🐌 \u2028', correct: true };

describe('kept answers', () => {
  it('are there for the next run, to the last digit', async () => {
    const file = join(temporaryFolder(), 'answers.jsonl');
    const first = await KeptAnswers.open(file);
    await first.add([{ key: 'a', result: choice(3) }]);
    await first.add([{ key: 'b', result: written }]);
    const next = await KeptAnswers.open(file);
    assert.equal(next.size, 2);
    assert.deepEqual([next.get('a', 3), next.get('b', 7)], [choice(3), written]);
    assert.deepEqual([next.get('b', 3), next.get('a', 4)], [undefined, undefined], 'of another model or item');
  });

  it('of parts are in files of their own, and those of the file itself are known to all', async () => {
    const file = join(temporaryFolder(), 'answers.jsonl');
    const [one, two] = [1, 2].map((number) => answersOfPart(file, { number, of: 2 }));
    assert.notEqual(one, two);
    await (await KeptAnswers.open(one, [file])).add([{ key: 'a', result: choice(1) }]); // before there is such a file
    await (await KeptAnswers.open(file)).add([{ key: 'a', result: choice(3) }]);
    await (await KeptAnswers.open(two, [file])).add([{ key: 'a', result: choice(2) }]);
    for (const [own, item] of [
      [one, 1],
      [two, 2],
    ] as const) {
      const kept = await KeptAnswers.open(own, [file]);
      assert.deepEqual(
        [1, 2, 3].filter((each) => kept.get('a', each) !== undefined),
        [item, 3],
      );
    }
    assert.equal((await KeptAnswers.open(file)).size, 1);
  });

  it('stay where another process opens the file at the same time', async () => {
    const file = join(temporaryFolder(), 'answers.jsonl');
    const both = await Promise.all([KeptAnswers.open(file), KeptAnswers.open(file)]);
    for (const [i, kept] of both.entries()) await kept.add([{ key: 'a', result: choice(i) }]);
    assert.equal((await KeptAnswers.open(file)).size, 2);
  });

  it('survive a process that was killed in the middle of a line', async () => {
    const file = join(temporaryFolder(), 'answers.jsonl');
    await (await KeptAnswers.open(file)).add([{ key: 'a', result: choice(1) }]);
    const line = JSON.stringify({ key: 'a', result: choice(2) });
    for (const length of [1, 20, line.length - 1]) {
      appendFileSync(file, line.slice(0, length));
      const next = await KeptAnswers.open(file);
      assert.deepEqual([next.get('a', 1), next.get('a', 2)], [choice(1), undefined]);
      await next.add([{ key: 'a', result: choice(10 + length) }]);
      assert.deepEqual((await KeptAnswers.open(file)).get('a', 10 + length), choice(10 + length));
    }
    assert.match(readFileSync(file, 'utf8'), /^[\0-\x7f]*$/); // a line that is cut is still text
  });

  it('are refused where they cannot be, and another file is left as it is', async () => {
    const folder = temporaryFolder();
    const other = join(folder, 'notes.txt');
    writeFileSync(other, 'mine\n');
    await assert.rejects(KeptAnswers.open(other), { what: 'notes.txt does not keep answers' });
    assert.equal(readFileSync(other, 'utf8'), 'mine\n');
    await assert.rejects(KeptAnswers.open(join(folder, 'gone', 'answers.jsonl')), /cannot be written/);
    mkdirSync(join(folder, 'folder'));
    await assert.rejects(KeptAnswers.open(join(folder, 'folder')), { name: 'UserError' });
  });

  it('ignore lines that are no answers', async () => {
    const file = join(temporaryFolder(), 'answers.jsonl');
    await KeptAnswers.open(file);
    for (const value of [
      1,
      null,
      { key: 'a' },
      { key: 'a', result: { item: 1, gold: 0, choices: [{ loglik: '1' }] } },
    ]) {
      appendFileSync(file, `${JSON.stringify(value)}\n`);
    }
    assert.equal((await KeptAnswers.open(file)).size, 0);
  });

  it('belong to everything that they depend on', () => {
    const keys = [
      [1, ['x']],
      [1, ['y']],
      [2, ['x']],
      ['1', ['x']],
    ].map(answersKey);
    assert.equal(new Set(keys).size, keys.length);
  });
});
