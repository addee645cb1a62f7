/** The checkpoint editor in a real window: good files, broken files, statistics through the sidecar, reloads. */
import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import * as vscode from 'vscode';
import { clearWorkspace, coppice, inWorkspace, writeModel } from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

async function openEditor(file: string, viewType = 'coppice.checkpoint'): Promise<void> {
  await vscode.commands.executeCommand('vscode.openWith', vscode.Uri.file(file), viewType);
}

const activeType = (): string | undefined => {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputCustom ? input.viewType : undefined;
};

describe('checkpoint editor', () => {
  let window: Window;
  let folder: string;

  before(async () => {
    await clearWorkspace();
    await coppice();
    folder = writeModel('looked-at');
    window = await Window.connect();
  });
  afterEach(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));
  after(() => window.disconnect());

  const page = async (title: string): Promise<Frame> => {
    const frame = await window.frameWith(`h1:text-is("${title}")`);
    return frame;
  };

  it('is what a safetensors file opens in', async () => {
    await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(join(folder, 'model.safetensors')));
    await until('the editor is open', () => activeType() === 'coppice.checkpoint');
    const frame = await page('model.safetensors');
    await frame.getByRole('grid', { name: 'Tensors' }).getByText('model.embed_tokens.weight').waitFor();
    assert.equal(await frame.locator('.strip-piece').count(), 10); // embedding, 8 blocks, final norm
    assert.match((await frame.locator('main').textContent()) ?? '', /Architecturellama/);
    await window.screenshot('editor-good');
  });

  it('leads to scores, results and the view, also of a file that the view does not list', async () => {
    const { library } = await coppice();
    await openEditor(join(folder, 'model.safetensors'));
    const frame = await page('model.safetensors');
    await frame.getByRole('button', { name: 'Score Blocks…' }).click();
    await window.page.locator('.quick-input-list').getByText('Shortened LLaMA').first().waitFor();
    await window.page.keyboard.press('Escape');
    assert.ok(
      library.entries().some(({ path }) => path === folder),
      'it has a line now',
    );
    await window.page.locator('.editor-actions').getByRole('button', { name: 'Open Results' }).waitFor();
    await window.screenshot('editor-actions');
    await frame.getByRole('button', { name: 'Reveal in Coppice View' }).click();
    await until('its line is selected', async () => (await coppice()).tree.selectedPath === folder);
    await frame.getByRole('button', { name: 'Open Results' }).click();
    await window.frameWith('.card.importance');
  });

  it('gives statistics of a tensor through the sidecar', async () => {
    await openEditor(join(folder, 'model.safetensors'));
    const frame = await page('model.safetensors');
    await frame.getByText('model.layers.0.mlp.up_proj.weight').dblclick();
    await frame.getByText('Standard deviation').waitFor({ timeout: 60_000 });
    assert.equal(await frame.locator('.histogram .bar').count(), 64);
    await window.screenshot('editor-statistics');
  });

  it('shows what is wrong with a broken file, and what became of it', async () => {
    const file = inWorkspace('broken.safetensors');
    writeFileSync(file, Buffer.concat([Buffer.from([255, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{"a":')]));
    await openEditor(file);
    const frame = await page('broken.safetensors');
    await frame.getByText('header length is not valid').waitFor();
    await window.screenshot('editor-broken');
    writeFileSync(file, 'version https://git-lfs.github.com/spec/v1\n');
    await frame.getByText('Git LFS pointer').waitFor();
  });

  it('reads GGUF files and says at which byte they are damaged', async () => {
    const file = inWorkspace('model.gguf');
    writeFileSync(file, Buffer.concat([Buffer.from('GGUF'), Buffer.from(Uint32Array.of(9).buffer)]));
    await openEditor(file);
    const frame = await page('model.gguf');
    await frame.getByText('it is 9; versions 2 and 3 are known').waitFor();
    await frame.getByText('byte 4').waitFor();
  });

  it('is an option for an index, which opens as text', async () => {
    const file = inWorkspace('model.safetensors.index.json');
    writeFileSync(file, '{"weight_map": {"a": "missing.safetensors"}}');
    await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(file));
    await until('it is text', () => vscode.window.activeTextEditor?.document.uri.fsPath === file);
    await openEditor(file, 'coppice.checkpointIndex');
    const frame = await page('model.safetensors.index.json');
    await frame.getByText('missing.safetensors').first().waitFor();
  });

  it('keeps filter and selection when it is hidden and shown again', async () => {
    await openEditor(join(folder, 'model.safetensors'));
    const frame = await page('model.safetensors');
    await frame.getByRole('textbox', { name: 'Filter' }).fill('block:3 q_proj');
    await frame.getByText('1 of ').waitFor();
    await frame.getByText('model.layers.3.self_attn.q_proj.weight').click();
    const other = inWorkspace('other.txt');
    appendFileSync(other, 'text');
    await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(other), { preview: false });
    await until('the page is gone', () => frame.isDetached());
    await openEditor(join(folder, 'model.safetensors'));
    const again = await page('model.safetensors');
    await again.getByText('1 of ').waitFor();
    assert.equal(await again.getByRole('textbox', { name: 'Filter' }).inputValue(), 'block:3 q_proj');
    assert.equal(
      await again.locator('.detail-head code').first().textContent(),
      'model.layers.3.self_attn.q_proj.weight',
    );
  });
});
