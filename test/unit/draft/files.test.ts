/** Files of prompts and of costs: what they may say, and what is refused by name. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { costsOf, readCosts } from '../../../src/engine/draft/costs';
import { readPromptsOfDraft, requireRows } from '../../../src/engine/draft/rows-file';
import { UserError } from '../../../src/engine/errors';
import { temporaryFolder } from '../../support/temporary';

function file(name: string, contents: unknown): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, typeof contents === 'string' ? contents : JSON.stringify(contents));
  return path;
}

const refused = (run: () => Promise<unknown>, message: RegExp): Promise<void> =>
  assert.rejects(run, (error: unknown) => error instanceof UserError && message.test(error.message));

describe('draft: files', () => {
  it('takes prompts as lines, JSON and JSON lines, and rows with the model’s own text', async () => {
    const texts = ['Once upon a time', 'The sea'];
    for (const path of [
      file('a.txt', texts.join('\n')),
      file('a.json', texts),
      file('b.json', { prompts: texts }),
      file('a.jsonl', texts.map((prompt) => JSON.stringify({ prompt })).join('\n')),
    ]) {
      assert.deepEqual((await readPromptsOfDraft(path)).texts, texts);
    }
    const rows = [{ prompt: [1, 2], ids: [3, 4, 5] }];
    assert.deepEqual((await readPromptsOfDraft(file('rows.json', { rows }))).rows, rows);
  });

  it('names the row and the field that it cannot use', async () => {
    for (const [rows, message] of [
      [[], /rows is not a list with something in it/],
      ['a', /rows is not a list/],
      [[{ prompt: [1] }], /rows\[0\]\.ids is not a list of ids/],
      [[{ prompt: [], ids: [1] }], /rows\[0\]\.prompt is not a list of ids/],
      [[{ prompt: [1], ids: [1, -2] }], /rows\[0\]\.ids\[1\] is not a token id/],
      [[{ prompt: [1], ids: [1.5] }], /rows\[0\]\.ids\[0\] is not a token id/],
      [[{ prompt: [1], ids: ['2'] }], /rows\[0\]\.ids\[0\] is not a token id/],
      [[null], /rows\[0\]\.prompt is not a list of ids/],
    ] as const) {
      await refused(() => readPromptsOfDraft(file('rows.json', { rows })), message);
    }
    assert.throws(
      () => requireRows([{ prompt: [1], ids: [512] }], 'p', 512, 100),
      /rows\[0\]\.ids\[0\] is 512; the model has 512/,
    );
    assert.throws(
      () => requireRows([{ prompt: [1, 2], ids: [3, 4] }], 'p', 512, 3),
      /rows\[0\] has 4 tokens; the model reads 3/,
    );
  });

  it('reads costs, over the time for one row', async () => {
    const { rows, v, c, runs } = await readCosts(file('costs.json', { rows: [1, 2, 4], v: [2, 3, 4], c: 0.5 }));
    assert.deepEqual([rows, v.map(({ value }) => value), c[0].value, runs], [[1, 2, 4], [1, 1.5, 2], 0.25, 0]);
  });

  it('names what is wrong with costs', async () => {
    const good = { rows: [1, 2], v: [1, 1.2], c: 0.5 };
    for (const [costs, message] of [
      ['{', /it is not JSON/],
      [[], /it is not an object/],
      [{ ...good, rows: [2, 4] }, /"rows" does not begin with 1/],
      [{ ...good, rows: [1, 1] }, /"rows" are not whole numbers that ascend/],
      [{ ...good, rows: [1, 2, 4] }, /"rows" has 3 numbers, and "v" has 2/],
      [{ ...good, v: [1, 0] }, /"v" has something that is not a number above 0/],
      [{ ...good, v: 1 }, /"v" is not a list of numbers/],
      [{ rows: [1], v: [1] }, /"c" is not a number above 0/],
      [{ ...good, c: 1e9 }, /"c" is not a number above 0/],
      [{ ...good, rows: Array.from({ length: 65 }, (_, i) => i + 1) }, /more than 64 numbers/],
    ] as const) {
      await refused(() => readCosts(file('costs.json', costs)), message);
    }
  });

  it('takes medians of ratios within a round, so that a slow round does not count', () => {
    const found = costsOf({
      rows: [1, 2],
      target: [
        [1, 10, 1],
        [1.2, 12, 1.4],
      ],
      drafts: [[0.5, 5, 0.4]],
    });
    assert.deepEqual(
      found.v.map(({ value }) => value),
      [1, 1.2],
    );
    assert.deepEqual([found.c[0].value, found.runs], [0.5, 3]);
    assert.ok(found.v[1].low <= 1.2 && found.v[1].high >= 1.2);
  });
});
