/** The view: what is found, what its lines say, what boxes do, and what it looks like. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import {
  clearWorkspace,
  checkpointLine,
  coppice,
  EXTENSION_ID,
  inWorkspace,
  lines,
  run,
  writeModel,
} from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

describe('the extension', () => {
  it('is activated by its view', async () => {
    const extension = vscode.extensions.getExtension(EXTENSION_ID);
    assert.ok(extension);
    await vscode.commands.executeCommand('workbench.view.extension.coppice');
    await until('the extension is active', () => extension.isActive);
    await extension.activate(); // throws what went wrong
  });

  it('has every command of its manifest, and shows none that it does not have', async () => {
    const known = new Set(await vscode.commands.getCommands(true));
    const { contributes } = vscode.extensions.getExtension(EXTENSION_ID)!.packageJSON as {
      contributes: { commands: { command: string; title: string }[] };
    };
    for (const { command, title } of contributes.commands) {
      assert.ok(known.has(command), `${command} is not registered`);
      assert.doesNotMatch(title, /^%/, `${command} has no title`);
    }
  });

  it('keeps onnxruntime out of the host', () => {
    const { extensionPath } = vscode.extensions.getExtension(EXTENSION_ID)!;
    assert.doesNotMatch(readFileSync(join(extensionPath, 'dist/extension.cjs'), 'utf8'), /require\("onnxruntime/);
    assert.ok(!Object.keys(require.cache).some((file) => file.includes('onnxruntime')));
  });
});

describe('the tree', () => {
  let window: Window;
  before(async () => {
    window = await Window.connect();
    await vscode.commands.executeCommand('workbench.view.extension.coppice');
  });
  after(() => window.disconnect());
  beforeEach(async () => {
    await clearWorkspace();
    await window.tidy();
  });

  it('says how to begin when there is nothing', async () => {
    await window.page.getByText('No checkpoint found in this workspace').waitFor();
    await window.page.locator('.welcome-view').getByRole('button', { name: 'Open Sample Model' }).waitFor();
    await window.screenshot('tree-empty');
  });

  it('finds folders, single files, sharded models and adapters, and leaves out what is excluded', async () => {
    writeModel('plain');
    writeModel('deep/down/sharded', 'llama3-rope');
    writeModel('node_modules/left-out');
    writeModel('hidden/left-out');
    const files = vscode.workspace.getConfiguration('files');
    await files.update('exclude', { '**/hidden': true }, vscode.ConfigurationTarget.Workspace);
    mkdirSync(inWorkspace('two'));
    for (const name of ['a', 'b']) {
      writeModel(`two/${name}-source`);
      renameSync(inWorkspace(`two/${name}-source/model.safetensors`), inWorkspace(`two/${name}.safetensors`));
    }
    mkdirSync(inWorkspace('adapter'));
    writeFileSync(inWorkspace('adapter/adapter_config.json'), JSON.stringify({ r: 4 }));
    writeFileSync(inWorkspace('adapter/adapter_model.safetensors'), '');
    const found = await run<{ checkpoints: string[]; adapters: string[] }>('refreshCheckpoints');
    const expected = ['deep/down/sharded', 'plain', 'two/a.safetensors', 'two/b.safetensors'];
    assert.deepEqual(
      [...found.checkpoints].sort(),
      expected.map((path) => inWorkspace(path)),
    );
    assert.deepEqual(found.adapters, [inWorkspace('adapter')]);
    await files.update('exclude', undefined, vscode.ConfigurationTarget.Workspace);
    const adapter = (await lines()).find(({ node }) => node.kind === 'adapter');
    assert.match(String(adapter?.item.description), /rank 4/);
  });

  it('sees a model that appears by itself', async () => {
    const path = writeModel('late');
    const { library } = await coppice();
    await until('the model is listed', () => library.entries().some((entry) => entry.path === path));
  });

  it('goes from the checkpoint down to the tensors', async () => {
    const path = writeModel('model');
    await run('refreshCheckpoints');
    const checkpoint = await checkpointLine(path);
    assert.match(String(checkpoint.item.description), /^llama · 8 blocks · .* · BF16$/);
    const parts = await lines(checkpoint.node);
    const names = parts.map(({ item }) => item.label);
    assert.deepEqual(names, [
      'Plan: keeps 8 of 8',
      'Vocabulary: 288 tokens',
      'Embedding',
      ...Array.from({ length: 8 }, (_, block) => `Block ${block}`),
      'Final norm',
    ]);
    assert.match(String(parts[1].item.description), /^\d+(\.\d)? % of the parameters$/);
    const modules = await lines(parts[5].node);
    assert.deepEqual(
      modules.map(({ item }) => item.label),
      ['Attention', 'FFN'],
    );
    const tensors = await lines(modules[0].node);
    assert.equal(tensors.length, 5);
    const q = tensors.find(({ item }) => item.label === 'q_proj.weight');
    assert.match(String(q?.item.description), /^BF16 · 64 × 64 · /);
    assert.match(q?.item.tooltip as string, /model\.safetensors, from byte/);
  });

  it('makes a plan of boxes, and the checkpoint says what it gives', async () => {
    const path = writeModel('model');
    await run('refreshCheckpoints');
    const { plans, library } = await coppice();
    const checkpoint = await library.load(path);
    const subject = { path, identity: checkpoint.identity, blocks: 8 };
    await vscode.commands.executeCommand('coppice.checkpoints.focus');
    await (await coppice()).tree.reveal(path, { expand: true });
    for (const block of [4, 5]) {
      await window.tick(`Block ${block}`, () => Promise.resolve(plans.removed(subject).includes(block)));
    }
    assert.deepEqual(plans.removed(subject), [4, 5]);
    const { node, item } = await checkpointLine(path);
    assert.match(String(item.description), /^keeps 6\/8 · .* · ≈ 1\.\d+×$/);
    const [plan] = await lines(node);
    assert.equal(plan.item.label, 'Plan: keeps 6 of 8');
    assert.match(String(plan.item.description), /^[\d.]+ kB · ≈1\.\d+×$/);
    await window.row('keeps 6/8').waitFor();
    await window.row('Plan: keeps 6 of 8').waitFor();
    await window.row('Block 5').getByText('will be removed').waitFor();
    await window.row('Block 5').locator('[class*="monaco-decoration"]').first().waitFor();
    await window.page.mouse.move(800, 400);
    await window.screenshot('tree-plan');
    await run('resetPlan', { checkpoint: path });
    assert.deepEqual(plans.removed(subject), []);
  });

  it('does not move lines when the first block is unticked', async () => {
    const path = writeModel('model');
    await run('refreshCheckpoints');
    await (await coppice()).tree.reveal(path, { expand: true });
    const top = async (): Promise<number> => (await window.row('Block 3').first().boundingBox())!.y;
    const before = await top();
    await run('toggleBlock', { checkpoint: path, blocks: [5] });
    await window.row('Plan: keeps 7 of 8').waitFor();
    assert.equal(await top(), before);
  });

  it('warns of a plan that removes what a suggestion would have kept', async () => {
    const path = writeModel('model');
    await run('refreshCheckpoints');
    await run('scoreBlocks', { checkpoint: path, criterion: 'magnitude' });
    await run('toggleBlock', { checkpoint: path, blocks: [0] });
    const { node, item } = await checkpointLine(path);
    const warning = /removes block 0, which (is important \(magnitude [\d.,]+\)|the paper keeps)/;
    assert.match((item.tooltip as vscode.MarkdownString).value.replace(/&nbsp;/g, ' ').replace(/\\/g, ''), warning);
    const [plan] = await lines(node);
    assert.match(plan.item.tooltip as string, warning);
    assert.equal((plan.item.iconPath as vscode.ThemeIcon).id, 'warning');
    const pruning = vscode.commands.executeCommand('coppice.pruneCheckpoint', { checkpoint: path, heal: false });
    await window.page.locator('.quick-input-message').getByText(warning).waitFor();
    await window.screenshot('tree-warning');
    await window.page.keyboard.press('Escape');
    await pruning;
  });
});
