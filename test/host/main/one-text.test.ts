/** A workspace with one text: its beginning chooses the blocks, and its rest judges what came of them. */
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Comparison } from '../../../src/commands/compare-with-original';
import type { BeforeAfter } from '../../../src/engine/records/before-after/before-after';
import type { RunRecord } from '../../../src/engine/records/record';
import { inWorkspace, run } from '../support/coppice';
import { type Staged, stageSample, unstage } from '../support/sample';
import { until } from '../../support/until';

describe('a workspace with one text', function () {
  this.timeout(120_000);
  let staged: Staged;

  before(async () => {
    staged = await stageSample();
    cpSync(join(staged.checkpoint, 'calibration.txt'), inWorkspace('prose.txt'));
    for (const name of ['calibration.txt', 'evaluation.txt']) rmSync(join(staged.checkpoint, name));
  });
  after(() => unstage(staged));

  const records = (): RunRecord[] =>
    readdirSync(inWorkspace('.coppice/runs'))
      .filter((name) => name.endsWith('.json'))
      .map((name) => JSON.parse(readFileSync(inWorkspace('.coppice/runs', name), 'utf8')) as RunRecord);
  const inputsOf = (kind: string): unknown[] =>
    records()
      .filter((record) => record.kind === kind)
      .flatMap(({ inputs }) => inputs)
      .filter(({ role }) => role === 'text' || role === 'calibration')
      .map(({ role, name, share }) => [role, name, share]);

  it('says in the question that a part of it judges, and scores on the other one', async () => {
    const scoring = vscode.commands.executeCommand('coppice.scoreBlocks', { checkpoint: staged.checkpoint });
    await staged.window.enter('Shortened LLaMA');
    const line = staged.window.page.locator('.quick-input-widget:visible .monaco-list-row', { hasText: 'prose.txt' });
    await line.waitFor();
    assert.match(await line.innerText(), /the only text here: its first 70 % choose the blocks, the rest judges/);
    await staged.window.pick('prose.txt');
    await scoring;
    await until('the record', () => Promise.resolve(inputsOf('score').length > 0));
    assert.deepEqual(inputsOf('score'), [['calibration', 'prose.txt', 'choose']]);
  });

  it('compares on the rest of it, which counts, and tells so', async () => {
    const out = inWorkspace('short');
    await run('pruneCheckpoint', { checkpoint: staged.checkpoint, blocks: [4, 5], out });
    const done = await run<Comparison>('compareWithOriginal', { checkpoint: out, parts: ['perplexity'] });
    assert.equal(done.ran, 2);
    assert.deepEqual(
      inputsOf('eval'),
      Array.from({ length: 2 }, () => ['text', 'prose.txt', 'judge']),
    );
    const page = await run<BeforeAfter>('showBeforeAfter', { checkpoint: out });
    const [row] = page.rows;
    assert.deepEqual([row.measure, row.flatters], ['ppl', undefined]);
    assert.match(row.of, /^prose\.txt, the last 30 %/);
  });

  it('decides nothing on a text that chose, and says so on the page', async () => {
    const out = inWorkspace('shorter');
    await run('pruneCheckpoint', { checkpoint: staged.checkpoint, blocks: [4, 5, 6], out });
    const text = inWorkspace('prose.txt');
    await run('compareWithOriginal', { checkpoint: out, parts: ['perplexity'], text });
    const page = await run<BeforeAfter>('showBeforeAfter', { checkpoint: out });
    assert.equal(page.rows[0].flatters, true);
    assert.ok(page.missing.some(({ what }) => what.includes('on a text that chose nothing')));
  });
});
