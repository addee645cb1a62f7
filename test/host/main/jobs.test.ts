/** What runs and what waits, as the window shows it: status bar, list, view; and the way out of a failing GPU. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import * as vscode from 'vscode';
import { CancelledError } from '../../../src/engine/errors';
import {
  clearWorkspace,
  coppice,
  inWorkspace,
  fileLines,
  resetSettings,
  run,
  writeModel,
  writeText,
} from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

const CancelledLike = { name: new CancelledError().name };

/** VS Code hides notifications where more than three come within 800 ms. A person clicks later. */
const QUIET_MS = 1000;

describe('jobs in the window', () => {
  let window: Window;
  let checkpoint: string;
  let text: string;

  before(async () => {
    window = await Window.connect();
    await resetSettings();
    await clearWorkspace();
    await vscode.commands.executeCommand('workbench.view.extension.coppice');
    checkpoint = writeModel('model');
    text = writeText('prose.txt');
    await run('refreshCheckpoints');
  });
  beforeEach(() => window.tidy());
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await window.screenshot(`zz-${this.currentTest.title.slice(0, 12)}`);
    const { sidecar } = await coppice();
    for (const { id } of sidecar.jobs) await sidecar.cancel(id); // of a test that failed
  });
  after(async () => {
    await window.tidy();
    await window.disconnect();
  });

  /** A training that nobody waits for the end of. */
  const training = (out: string, more: object = {}): object => {
    const settings = { batch: 2, length: 32 };
    return { checkpoint, data: [text], steps: 100_000, out: inWorkspace(out), device: 'cpu', settings, ...more };
  };

  it('are in the status bar, the list and the view, and can be cancelled from there; no notification covers the window', async () => {
    const { page } = window;
    const { sidecar } = await coppice();
    const firstEnds = assert.rejects(run('retrainLora', training('first')), CancelledLike);
    const secondEnds = assert.rejects(run('retrainLora', training('second')), CancelledLike);

    await window.jobRow(/Retraining model.*\d+ %.*about .* left/s).waitFor();
    const status = page.locator('.statusbar-item[id*="coppice"]').first();
    await status.getByText(/Retraining \d+ % · about .* left \(\+1\)/).waitFor();
    assert.equal(await page.locator('.notification-toast').count(), 0);
    await status.hover();
    await page.locator('.monaco-hover', { hasText: 'Computes on cpu: asked for' }).waitFor();
    await window.screenshot('jobs-status');
    await page.locator('.activitybar .badge-content', { hasText: '2' }).waitFor();

    await status.click();
    const listed = page.locator('.quick-input-list .monaco-list-row');
    const waiting = listed.filter({ hasText: 'Waiting for its turn' });
    await waiting.waitFor();
    await listed.filter({ hasText: /step \d+ of 100000/ }).waitFor();
    await window.screenshot('jobs-list');
    await waiting.hover();
    await waiting.getByRole('button', { name: 'Cancel' }).click();
    await secondEnds;
    await page.keyboard.press('Escape');
    assert.equal(sidecar.jobs.length, 1);

    await page.mouse.move(800, 200); // away from the status bar, whose hover lies over the view while it has the focus
    await vscode.commands.executeCommand('coppice.jobs.focus');
    await page.locator('.monaco-hover', { hasText: 'Computes on cpu' }).waitFor({ state: 'hidden' });
    await window.actOnJob(/Retraining model.*left/s, 'Cancel Job', () => Promise.resolve(sidecar.jobs.length === 0));
    await firstEnds;
    await until('no job is left', () => sidecar.jobs.length === 0);
    for (const out of ['first', 'second']) assert.ok(!existsSync(inWorkspace(out)));
    // What is kept for resuming is no checkpoint, and has a line of its own.
    await run('refreshCheckpoints');
    assert.deepEqual(
      (await fileLines()).map(({ node, item }) => [node.kind, item.label]),
      [
        ['checkpoint', 'model'],
        ['training', 'first'],
      ],
    );
    await (await coppice()).tree.reveal(inWorkspace('model'), { expand: true });
    await window.row(/stopped at step \d+ of 100000/).waitFor();
    await window.jobRow(/stopped at step \d+ of 100000/).waitFor();
    await window.screenshot('jobs-stopped');
  });

  it('discard what a training that was stopped has left', async () => {
    // Who calls it himself is not asked whether he is sure; VS Code shows no dialog in tests.
    await run('discardTraining', { out: inWorkspace('first') });
    assert.ok(!existsSync(inWorkspace('first.training')));
    assert.deepEqual(
      (await fileLines()).map(({ item }) => item.label),
      ['model'],
    );
  });

  it('propose to resume instead of starting a second training', async () => {
    const { page } = window;
    const { sidecar, library } = await coppice();
    const ends = assert.rejects(run('retrainLora', training('again', { steps: 40 })), CancelledLike);
    await until('it is under way', () => /step [2-9]/.test(sidecar.jobs[0]?.progress?.label ?? ''));
    await run('cancelJob');
    await ends;
    await until('it is found', () => library.trainings().length === 1);
    // Nothing but the checkpoint is said, as by a click in the menu; the state of the training knows the rest.
    const retraining = vscode.commands.executeCommand('coppice.retrainLora', { checkpoint });
    const choice = page.locator('.quick-input-list .monaco-list-row', { hasText: /Resume again \(stopped at step/ });
    await choice.waitFor();
    await window.screenshot('jobs-propose-resume');
    await page.keyboard.press('Enter');
    await window.toast(/Retrained in 40 steps/).waitFor({ timeout: 50_000 });
    await retraining;
    assert.ok(existsSync(inWorkspace('again')) && !existsSync(inWorkspace('again.training')));
    await until('it is stopped no longer', () => library.trainings().length === 0);
  });

  it('offer to resume a training that was stopped', async () => {
    const stopped = vscode.commands.executeCommand('coppice.retrainLora', training('resumed', { steps: 60 }));
    const { sidecar } = await coppice();
    await until('it is under way', () => (sidecar.jobs[0]?.progress?.done ?? 0) > 0);
    await run('cancelJob');
    await stopped;
    await window.toast('Its progress is saved').getByRole('button', { name: 'Resume' }).click();
    await window.toast(/Retrained in 60 steps\. Held-out perplexity [\d.]+ → [\d.]+\./).waitFor({ timeout: 50_000 });
    assert.ok(existsSync(inWorkspace('resumed')));
  });

  it('say what they will take, and read a part of a text where that is chosen', async () => {
    const { page } = window;
    const row = (text: RegExp) => page.locator('.quick-input-list .monaco-list-row', { hasText: text });
    const scoring = vscode.commands.executeCommand('coppice.scoreBlocks', { checkpoint });
    await row(/^Perplexity(about|roughly|a few) \S/).waitFor();
    // Three come first; the others are behind the last line.
    assert.equal(await row(/./).count(), 4);
    await row(/More…/).waitFor();
    assert.equal(await row(/slow|best|in a moment/).count(), 0);
    assert.doesNotMatch((await page.locator('.quick-input-title').textContent()) ?? '', /\(1/); // greedy asks more
    await window.screenshot('jobs-estimates');
    await page.keyboard.press('Escape');
    await scoring;

    const evaluating = vscode.commands.executeCommand<{ windows: number }>('coppice.evaluatePerplexity', {
      checkpoint,
    });
    await row(/prose\.txt/).click();
    await row(/All \d+ windows.*(about|roughly|a few) \S/).waitFor();
    await row(/Another number…/).waitFor();
    await window.screenshot('jobs-limit');
    await row(/First 16 windows/).click();
    assert.equal((await evaluating)?.windows, 16);
    await window.toast(/Perplexity [\d.]+ on the first 16 windows of prose\.txt/).waitFor();
  });

  it('offer the CPU when the GPU cannot be used, and never take it by themselves', async () => {
    const gpu = process.platform === 'win32' ? 'coreml' : 'dml'; // which this system never has
    await pause(QUIET_MS); // after what the test before was told
    await vscode.commands.executeCommand('coppice.evaluatePerplexity', { checkpoint, text, limit: 2, device: gpu });
    const toast = window.toast(`The device "${gpu}" cannot be used`);
    await toast.waitFor();
    await window.screenshot('jobs-no-gpu');
    assert.ok((await coppice()).sidecar.jobs.length === 0);
    await pause(QUIET_MS);
    await toast.getByRole('button', { name: 'Run on the CPU' }).click();
    await window.toast(/Perplexity [\d.]+ on the first 2 windows of prose\.txt/).waitFor();
    assert.equal((await coppice()).history.last?.device, 'cpu');
  });
});
