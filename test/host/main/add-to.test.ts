/** Add to…: the list of places, what is said before something is written, and the way back. With a home folder of its own. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { ExportResult } from '../../../src/jobs/results/export';
import type { Addition } from '../../../src/places/additions';
import { temporaryFolder } from '../../support/temporary';
import { until } from '../../support/until';
import { clearWorkspace, coppice, inWorkspace, run, writeModel } from '../support/coppice';
import { Window } from '../support/window';

describe('adding an export to a program', function () {
  this.timeout(120_000);
  const outside = { HOME: process.env.HOME, PATH: process.env.PATH, COPPICE_CACHE: process.env.COPPICE_CACHE };
  let window: Window;
  let home: string;
  let file: string;

  before(async function () {
    if (process.platform === 'win32') this.skip(); // the home folder is no variable there
    window = await Window.connect();
    await clearWorkspace();
    home = temporaryFolder();
    const bin = join(home, 'bin');
    for (const folder of [join(home, '.lmstudio'), bin]) mkdirSync(folder);
    writeFileSync(join(bin, 'llama-server'), '#!/bin/sh\n', { mode: 0o755 });
    Object.assign(process.env, { HOME: home, PATH: `${bin}:/usr/bin:/bin`, COPPICE_CACHE: join(home, 'cache') });
    const checkpoint = writeModel('toy');
    await vscode.commands.executeCommand('coppice.checkpoints.focus');
    await (await coppice()).library.rescan();
    await window.row('toy').first().waitFor();
    file = inWorkspace('toy.gguf');
    await run<ExportResult>('exportModel', { checkpoint, format: 'gguf', type: ['q8_0'], out: file, remove: [] });
  });
  after(async () => {
    Object.assign(process.env, { HOME: outside.HOME, PATH: outside.PATH });
    if (outside.COPPICE_CACHE === undefined) delete process.env.COPPICE_CACHE;
    else process.env.COPPICE_CACHE = outside.COPPICE_CACHE;
    await clearWorkspace();
    await window.disconnect();
  });
  afterEach(() => vscode.commands.executeCommand('notifications.clearAll'));

  const box = () => window.page.locator('.quick-input-widget:visible');

  it('lists the places that are here first, and says of the others why not', async () => {
    const adding = vscode.commands.executeCommand('coppice.addTo', { checkpoint: file });
    await box().locator('input[placeholder*="Select where toy goes"]').first().waitFor();
    const rows = (await box().locator('.quick-input-list .monaco-list-row').allInnerTexts()).map((row) =>
      row.replace(/\s+/g, ' ').trim(),
    );
    await window.screenshot('add-to-places');
    assert.match(rows[0], /^LM Studio/);
    assert.match(rows[1], /^llama-server/);
    assert.match(
      rows.find((row) => row.startsWith('Ollama'))!,
      /there is no program ollama on the PATH/,
    );
    assert.match(
      rows.find((row) => row.startsWith('AI Toolkit'))!,
      /it loads ONNX folders/,
    );
    await box().locator('.monaco-list-row', { hasText: 'Ollama' }).first().click();
    await adding;
    await window.toast('Install Ollama from ollama.com').getByRole('button', { name: 'Copy the Modelfile' }).click();
    await until('the lines are copied', async () =>
      (await vscode.env.clipboard.readText()).includes('ollama create toy'),
    );
    assert.match(await vscode.env.clipboard.readText(), /FROM .*toy\.gguf/);
  });

  it('writes after a question, and takes it back by a button', async () => {
    const asked: string[] = [];
    const usual = vscode.window.showInformationMessage;
    // VS Code shows no modal dialog in tests.
    vscode.window.showInformationMessage = (question: string, options: vscode.MessageOptions, ...labels: string[]) => {
      if (!options.modal) return usual(question, options, ...labels);
      asked.push(question, options.detail ?? '');
      return Promise.resolve(labels[0]);
    };
    const adding = vscode.commands.executeCommand<Addition>('coppice.addTo', { checkpoint: file, place: 'lm-studio' });
    await box().getByText('The name of the model there').first().waitFor();
    await window.page.keyboard.press('Enter');
    assert.equal((await adding).place, 'lm-studio');
    vscode.window.showInformationMessage = usual;
    assert.equal(asked[0], 'Add coppice/toy to LM Studio?');
    assert.match(asked[1], /Writes [\d.]+ kB to .*toy \(files: 1\)/);
    const added = join(home, '.lmstudio', 'models', 'coppice', 'toy', 'toy.gguf');
    assert.deepEqual(readFileSync(added), readFileSync(file));
    await window.toast('coppice/toy is in LM Studio now').getByRole('button', { name: 'Undo' }).click();
    await window.toast('Took coppice/toy back').waitFor();
    assert.equal(existsSync(added), false);
    assert.ok(existsSync(file));
  });

  it('adds a task to the open folder, from a path inside it', async () => {
    const { name } = await run<Addition>('addTo', { checkpoint: file, place: 'llama-server' });
    assert.equal(name, 'llama-server: toy');
    const text = readFileSync(inWorkspace('.vscode', 'tasks.json'), 'utf8');
    assert.match(text, /"\$\{workspaceFolder\}\/toy\.gguf"/);
    const again = run('addTo', { checkpoint: file, place: 'llama-server' });
    await assert.rejects(Promise.resolve(again), /has a task “llama-server: toy” already/);
  });
});
