/** Two windows of a workspace: each shows what runs in the other, and the plans of one are those of the other. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { CancelledError } from '../../../src/engine/errors';
import type { Coppice } from '../../../src/host/coppice';
import { eventually, until } from '../../support/until';
import { clearWorkspace, coppice, inWorkspace, resetSettings, run, writeModel, writeText } from '../support/coppice';
import { byDuplicating, hasSecondWindow, onSameFolder } from '../support/second-window';
import { Window } from '../support/window';

describe('two windows of a workspace', () => {
  let first: Window;
  let second: Window | undefined;
  let checkpoint: string;
  let ended: Promise<void>;
  let parts: Coppice;

  before(async function () {
    if (!hasSecondWindow) return this.skip();
    first = await Window.connect();
    await resetSettings();
    await clearWorkspace();
    await first.tidy();
    parts = await coppice();
    const { failed, journal } = parts;
    for (const { id } of failed.all) failed.dismiss(id); // of other tests
    for (const spec of [...journal.stopped, ...journal.cancelled]) journal.forget(spec);
    checkpoint = writeModel('oak');
    await run('refreshCheckpoints');
    await vscode.commands.executeCommand('coppice.jobs.focus');
    const training = { data: [writeText('prose.txt')], steps: 100_000, out: inWorkspace('short'), device: 'cpu' };
    const cancelled = { name: new CancelledError().name };
    const settings = { batch: 2, length: 32 };
    ended = assert.rejects(run('retrainLora', { checkpoint, ...training, settings }), cancelled);
    await first.jobRow(/Retraining oak.*left/s).waitFor();
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await second?.screenshot('failed-second-window');
    await second?.page.close();
    second = undefined;
  });
  after(async () => {
    if (!hasSecondWindow) return;
    const { sidecar, journal } = parts;
    for (const { id } of sidecar.jobs) await sidecar.cancel(id);
    for (const spec of [...journal.stopped, ...journal.cancelled]) journal.forget(spec);
    await clearWorkspace();
    await first.tidy();
    await first.disconnect();
  });

  const planned = async (): Promise<string> => {
    const { plans, library } = parts;
    const { identity } = await library.load(checkpoint);
    return plans.removed({ path: checkpoint, identity, blocks: 8 }).join();
  };

  /** What the first does is in the second, and the other way round. */
  async function follow(window: Window, blocks: readonly number[]): Promise<void> {
    await window.jobRow(/Retraining oak.*runs in another window/s).waitFor();
    await window.row(/^oak/).first().waitFor();
    await run('removeBlocks', { checkpoint, blocks: [blocks[0]] });
    await window.row(/oak.*keeps 7\/8/s).waitFor();
    await until('its blocks are shown', async () => {
      const areShown = async (): Promise<boolean> => (await window.row('Block 0').count()) > 0;
      if (await areShown()) return true;
      await window.row(/^oak/).first().locator('.monaco-tl-twistie').click();
      return eventually(areShown, 2000);
    });
    await window.tick(`Block ${blocks[1]}`, async () => (await planned()) === blocks.join());
    await first.row(/oak.*keeps 6\/8/s).waitFor();
    assert.equal(await window.page.locator('.notification-toast').count(), 0);
    assert.equal(await window.jobRow(/stopped|interrupted/).count(), 0);
    await run('resetPlan', { checkpoint });
    await window.row(/oak.*keeps/s).waitFor({ state: 'hidden' });
  }

  it('see each other where a command has duplicated the workspace', async () => {
    second = await byDuplicating(first);
    await follow(second, [2, 5]);
    await second.screenshot('windows-duplicate');
  });

  it('see each other on the same folder, and one takes up what the other has stopped or left', async () => {
    second = await onSameFolder(first);
    await follow(second, [3, 6]);
    await second.screenshot('windows-second');
    await run('cancelJob');
    await ended;
    await second.jobRow(/stopped/).waitFor();
    const runs = first.jobRow(/runs in another window/);
    await second.actOnJob(/stopped/, 'Resume', async () => (await runs.count()) > 0);
    await first.screenshot('windows-first');
    await second.page.close();
    await first.toast(/was interrupted when the window was reloaded or closed/).waitFor();
    await first.jobRow(/stopped/).waitFor();
    await until('none runs elsewhere', () => parts.journal.elsewhere.length === 0);
  });
});
