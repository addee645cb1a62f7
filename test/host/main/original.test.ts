/**
 * From a pruned model to the decision whether it ships, as a user meets it: one command measures what the page of before and
 * after lacks, the page has every number, and the model card too. Nothing is measured twice.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Comparison } from '../../../src/commands/compare-with-original';
import type { BeforeAfter } from '../../../src/engine/records/before-after/before-after';
import { withoutSection } from '../../../src/engine/records/card-section';
import { coppice, inWorkspace, run } from '../support/coppice';
import { until } from '../../support/until';
import { firstLines, type Staged, stageSample, unstage } from '../support/sample';

describe('the story of a comparison with the original', function () {
  this.timeout(120_000);
  let staged: Staged;
  let pruned: string;
  let card: string;

  before(async () => {
    staged = await stageSample();
    const text = join(staged.checkpoint, 'calibration.txt');
    writeFileSync(text, firstLines(text, 30));
    pruned = inWorkspace('short');
    await run('pruneCheckpoint', { checkpoint: staged.checkpoint, blocks: [4, 5], out: pruned });
    card = readFileSync(join(pruned, 'README.md'), 'utf8');
  });
  after(() => unstage(staged));

  const records = (): string[] => readdirSync(inWorkspace('.coppice/runs')).filter((name) => name.endsWith('.json'));

  const isShown = (): boolean => vscode.window.tabGroups.activeTabGroup.activeTab?.label === 'Before and After: short';

  it('says what it will measure and how long that takes, and Escape starts nothing', async () => {
    const { goals, library } = await coppice();
    const { identity } = await library.load(staged.checkpoint);
    goals.set(identity, { format: 'gguf', maxProbeLoss: 0.1 });
    const before = records().length;
    const running = vscode.commands.executeCommand('coppice.compareWithOriginal', { checkpoint: pruned });
    const box = staged.window.page.locator('.quick-input-widget:visible');
    await box.getByText(/^Compare short with stories: .* in all$/).waitFor();
    const rows = await box.locator('.quick-input-list .monaco-list-row').allInnerTexts();
    assert.deepEqual(
      rows.map((row) => row.replace(/ on .*|(roughly|about|a few) .*/s, '').trim()),
      [
        'Perplexity of both',
        'Probes of both, which the goal limits',
        'Speed of both, in turns',
        '3 sample texts of both',
      ],
    );
    for (const row of rows) assert.match(row, /about |roughly |a few seconds/);
    await staged.window.screenshot('comparing-original-1-parts');
    await staged.window.page.keyboard.press('Escape');
    await running;
    assert.equal(records().length, before);
  });

  it('measures perplexity, speed and three texts of both, and the page lacks nothing', async () => {
    const { goals, library } = await coppice();
    const { identity } = await library.load(staged.checkpoint);
    goals.set(identity, { format: 'safetensors', maxBytes: 20e6, maxRatio: 3, maxRepetition: 0.5 });
    const done = await run<Comparison>('compareWithOriginal', { checkpoint: pruned });
    assert.deepEqual([done.missing, done.ran], [[], 4]);
    const page = await run<BeforeAfter>('showBeforeAfter', { checkpoint: pruned });
    assert.deepEqual(page.models, ['stories', 'short']);
    const decisive = page.rows.filter(({ measure }) =>
      ['ppl', 'parameters', 'bytes', 'prefill', 'decode'].includes(measure),
    );
    assert.equal(decisive.length, 5);
    for (const { name, cells } of decisive)
      assert.ok(
        cells.every((cell) => cell !== null),
        name,
      );
    assert.equal(page.samples.length, 3);
    for (const { texts } of page.samples) assert.ok(texts.every(({ text }) => text.length > 20));
    await until('its tab is active', isShown);
    const out = inWorkspace('decision.html');
    await run('showBeforeAfter', { checkpoint: pruned, out });
    const [, html] = readFileSync(out, 'utf8').split('<body>'); // without its style
    assert.match(
      html,
      /Meets the goal: [\d.]+ MB of at most 20(\.0)? MB, perplexity [\d.]+× of at most 3×, repetition \+\d+ of at most \+50 points/,
    );
    assert.doesNotMatch(html, /command:/);
    await staged.window.frameWith('.decision');
    await staged.window.screenshot('comparing-original-2-page');
  });

  it('puts the numbers into the model card, and changes nothing else of the folder', () => {
    const now = readFileSync(join(pruned, 'README.md'), 'utf8');
    assert.match(now, /\n## Before and after\n[\s\S]*\| Perplexity \| [\d.]+ \| [\d.]+ \([\d.]+×\) \|/);
    assert.equal(withoutSection(now), card);
  });

  it('runs nothing again, also for a caller that has no notification', async () => {
    const before = records();
    const again = await run<Comparison>('compareWithOriginal', { checkpoint: pruned });
    assert.deepEqual([again.ran, again.missing], [0, []]);
    assert.deepEqual(records(), before);
  });

  it('measures only what a model lacks whose original has been measured', async () => {
    const other = inWorkspace('shorter');
    await run('pruneCheckpoint', { checkpoint: staged.checkpoint, blocks: [4, 5, 6], out: other });
    const { ran } = await run<Comparison>('compareWithOriginal', { checkpoint: other, parts: ['perplexity'] });
    assert.equal(ran, 1);
  });

  it('refuses a model that no record says Coppice made', async () => {
    await assert.rejects(
      run('compareWithOriginal', { checkpoint: staged.checkpoint }),
      /There is no original to compare stories with/,
    );
  });

  it('tells of a finished comparison, and opens what it is about', async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await run('compareWithOriginal', { checkpoint: pruned });
    await until(
      'the page is open',
      () => vscode.window.tabGroups.activeTabGroup.activeTab?.label === 'Before and After: short',
    );
  });
});
