/** Add to Project… as a user meets it: what is asked, what is written and opened, and the commands in the terminal. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { coppice, inWorkspace, run, writeModel } from '../support/coppice';
import { until } from '../../support/until';
import { type Staged, stageSample, unstage } from '../support/sample';
import type { Window } from '../support/window';

interface Added {
  readonly folder: string;
  readonly kind: string;
  readonly library: string;
}

describe('the story of an example in a project', function () {
  this.timeout(180_000);
  let staged: Staged;
  let window: Window;
  const [gguf, onnx] = [() => inWorkspace('told.gguf'), () => inWorkspace('told')];

  before(async () => {
    staged = await stageSample();
    ({ window } = staged);
    const checkpoint = writeModel('toy');
    await (await coppice()).library.rescan();
    await run('exportModel', { checkpoint, format: 'gguf', type: ['q8_0'], out: gguf() });
    await run('exportModel', { checkpoint, format: 'onnx', type: ['q8'], target: 'cpu', out: onnx() });
  });
  after(() => unstage(staged));
  afterEach(async () => {
    await window.page.keyboard.press('Escape');
    await vscode.commands.executeCommand('notifications.clearAll');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  const box = () => window.page.locator('.quick-input-widget:visible');
  const asks = (text: string) => box().locator(`input[placeholder*="${text}"]`).first().waitFor();
  const choose = (label: string) => box().locator('.monaco-list-row', { hasText: label }).first().click();
  const adding = (checkpoint: string): Thenable<Added> =>
    vscode.commands.executeCommand('coppice.addToProject', checkpoint);

  it('takes the kind from package.json, shows the files, writes and opens them, and offers to install and test', async () => {
    const manifest = '{ "name":"mine" }\n';
    await writeFile(inWorkspace('package.json'), manifest);
    const running = adding(gguf());
    await asks('New folder ask-model, with node-llama-cpp: ask.mjs, ask.test.mjs, README.md');
    await window.screenshot('project-1-files');
    assert.ok(!readdirSync(inWorkspace()).includes('ask-model'));
    await choose('Write the Files');
    const { folder, kind, library } = await running;
    assert.deepEqual([basename(folder), kind, library], ['ask-model', 'node', 'node-llama-cpp']);
    assert.deepEqual(readdirSync(folder).sort(), ['README.md', 'ask.mjs', 'ask.test.mjs']);
    assert.match(readFileSync(inWorkspace('ask-model', 'ask.mjs'), 'utf8'), /'\.\.\/told\.gguf'/);
    assert.equal(basename(vscode.window.activeTextEditor!.document.fileName), 'ask.mjs');
    assert.equal(readFileSync(inWorkspace('package.json'), 'utf8'), manifest);
    const toast = window.toast('Wrote ask-model, an example with node-llama-cpp.');
    const before = vscode.window.terminals.length;
    await toast.getByRole('button', { name: 'Install and Test' }).click();
    await until('there is a terminal', () => vscode.window.terminals.length > before);
    const terminal = vscode.window.terminals.at(-1)!;
    assert.equal(terminal.name, 'Install and Test');
    terminal.dispose();
  });

  it('asks for the kind where there are several, copies the model, and leaves the earlier example', async () => {
    await writeFile(inWorkspace('index.html'), '<p>');
    const running = adding(onnx());
    await asks('Select the kind of the example');
    await choose('browser');
    await asks('New folder ask-model-2, with transformers.js: index.html, ask.mjs');
    await choose('Write the Files and Copy the Model');
    const { folder, kind } = await running;
    assert.deepEqual([basename(folder), kind], ['ask-model-2', 'browser']);
    assert.ok(readdirSync(inWorkspace('ask-model-2', 'model', 'onnx')).includes('model_quantized.onnx'));
    assert.ok(readdirSync(inWorkspace('ask-model')).includes('ask.mjs'));
  });

  it('says what to export where no library of the project loads the model', async () => {
    const given = { checkpoint: gguf(), kind: 'browser' };
    await assert.rejects(run('addToProject', given), {
      name: 'UserError',
      what: /cannot be added to a browser project/,
    });
  });
});
