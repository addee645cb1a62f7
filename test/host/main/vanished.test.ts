/** A model whose folder is removed from outside: the tree, its panel and a command say so, and it comes back when the files do. */
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import * as vscode from 'vscode';
import { clearWorkspace, coppice, fileLines, resetSettings, run, writeModel } from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

describe('a model that is removed by another program', () => {
  let window: Window;
  let checkpoint: string;
  /** A copy outside the workspace. */
  let kept: string;
  let frame: Frame;
  before(async () => {
    window = await Window.connect();
    await resetSettings();
    await clearWorkspace();
    await window.tidy();
    checkpoint = writeModel('oak');
    const { library, context } = await coppice();
    kept = join(context.globalStorageUri.fsPath, 'kept-oak');
    cpSync(checkpoint, kept, { recursive: true });
    await library.rescan();
    await run('openResults', { checkpoint });
    frame = await window.frameWith('h1', 'oak');
  });
  after(async () => {
    rmSync(kept, { recursive: true, force: true });
    await window.tidy();
    await clearWorkspace();
    await window.disconnect();
  });

  const labels = async (): Promise<readonly unknown[]> => (await fileLines()).map(({ item }) => item.label);
  const banner = () => frame.locator('.banner', { hasText: 'The files of this model were moved or deleted.' });

  it('leaves the tree, and its panel says so', async () => {
    rmSync(checkpoint, { recursive: true });
    await until('it has left the tree', async () => !(await labels()).includes('oak'));
    await banner().waitFor();
    await window.screenshot('vanished-panel');
    const next = frame.locator('.next vscode-button').first();
    assert.notEqual(await next.getAttribute('disabled'), null); // nothing can be started
  });

  it('is looked for again when a command fails, and comes back with its files', async () => {
    await vscode.commands.executeCommand('coppice.evaluatePerplexity', { checkpoint });
    await window.toast(/oak/).waitFor();
    cpSync(kept, checkpoint, { recursive: true });
    await until('it is in the tree', async () => (await labels()).includes('oak'));
    // The panel reads it again, in a page of its own.
    await until('the panel shows it again', async () => {
      frame = await window.frameWith('h1', 'oak');
      return frame
        .locator('.banner')
        .isHidden()
        .catch(() => false);
    });
  });
});
