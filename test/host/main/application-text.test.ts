/** The application's text of a workspace: named once, then each job takes its own rows of it, and others judge. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { RunRecord } from '../../../src/engine/records/record';
import { inWorkspace, run } from '../support/coppice';
import { type Staged, stageSample, unstage } from '../support/sample';

describe('the application’s text', function () {
  this.timeout(180_000);
  let staged: Staged;
  const setting = (): unknown => vscode.workspace.getConfiguration('coppice').get('application.path');

  before(async () => {
    staged = await stageSample();
    const prose = readFileSync(join(staged.checkpoint, 'calibration.txt'), 'utf8').split(/\n\s*\n/);
    mkdirSync(inWorkspace('app'), { recursive: true });
    for (const [i, text] of prose.entries()) writeFileSync(inWorkspace('app', `story-${i}.md`), text);
  });
  after(async () => {
    await vscode.workspace
      .getConfiguration('coppice')
      .update('application.path', undefined, vscode.ConfigurationTarget.Workspace);
    await unstage(staged);
  });

  const textsOf = (kind: string): unknown[] =>
    readdirSync(inWorkspace('.coppice/runs'))
      .filter((name) => name.endsWith('.json'))
      .map((name) => JSON.parse(readFileSync(inWorkspace('.coppice/runs', name), 'utf8')) as RunRecord)
      .filter((record) => record.kind === kind)
      .flatMap(({ inputs }) => inputs)
      .filter(({ share }) => share !== undefined)
      .map(({ name, share }) => [name, share]);

  it('is asked for in the question for a text, which names a folder or a file', async () => {
    const scoring = vscode.commands.executeCommand('coppice.scoreBlocks', { checkpoint: staged.checkpoint });
    await staged.window.enter('Shortened LLaMA');
    await staged.window.pick('The text of your application…');
    const widget = staged.window.page.locator('.quick-input-widget:visible');
    await widget.locator('.monaco-list-row', { hasText: 'A folder…' }).waitFor();
    const placeholder = await widget.locator('input').first().getAttribute('placeholder');
    assert.match(placeholder ?? '', /Which text does your application read and write\?/);
    await staged.window.page.keyboard.press('Escape');
    await scoring;
    assert.equal(setting(), '');
  });

  it('is taken from the Explorer, and refused where it has no records', async () => {
    const folder = vscode.Uri.file(inWorkspace('app'));
    await vscode.commands.executeCommand('coppice.useAsApplicationText', folder);
    assert.equal(setting(), 'app');
    mkdirSync(inWorkspace('none'), { recursive: true });
    await assert.rejects(run('useAsApplicationText', { checkpoint: inWorkspace('none') }), /has no records/);
    assert.equal(setting(), 'app');
  });

  it('gives scoring its rows, and judges by others', async () => {
    await run('scoreBlocks', { checkpoint: staged.checkpoint, criterion: 'ppl', samples: 2 });
    assert.deepEqual(textsOf('score'), [['app', 'calibration']]);
    const out = inWorkspace('short');
    await run('pruneCheckpoint', { checkpoint: staged.checkpoint, blocks: [4, 5], out });
    await run('compareWithOriginal', { checkpoint: out, parts: ['perplexity'] });
    assert.deepEqual(textsOf('eval'), [
      ['app', 'judging'],
      ['app', 'judging'],
    ]);
  });
});
