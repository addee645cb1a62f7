/** What cannot be computed with: where it stands, what can be done with it, and that no command offers it. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { layOutGguf, SOUND, text, value } from '../../support/gguf-files';
import {
  checkpointLine,
  clearWorkspace,
  coppice,
  inspectionLines,
  inWorkspace,
  lines,
  run,
  writeModel,
} from '../support/coppice';
import { eventually, until } from '../../support/until';
import { Window } from '../support/window';

/** A GGUF file of a model that Coppice does not know. */
const OTHER = layOutGguf({
  ...SOUND,
  metadata: [['general.architecture', value('string', text('mamba'))], ...SOUND.metadata!.slice(1)],
});

describe('what can only be inspected', () => {
  let window: Window;
  let usable: string;
  let broken: string;
  let unsupported: string;
  let gguf: string;
  before(async () => {
    window = await Window.connect();
    await clearWorkspace();
    await window.tidy();
    broken = writeModel('a-broken');
    writeFileSync(join(broken, 'model.safetensors'), 'no model');
    unsupported = writeModel('b-unsupported', 'llama-plain', { config: { model_type: 'qwen2_moe' } });
    usable = writeModel('z-usable');
    gguf = inWorkspace('c.gguf');
    writeFileSync(gguf, OTHER);
    await run('refreshCheckpoints');
    await vscode.commands.executeCommand('coppice.checkpoints.focus');
  });
  after(async () => {
    await window.tidy();
    await clearWorkspace();
    await window.disconnect();
  });
  beforeEach(() => window.tidy());

  it('stands in a group at the end, each kind in words of its own', async () => {
    const labels = (await lines()).map(({ item }) => item.label);
    assert.deepEqual(labels, ['z-usable', 'Inspection only']);
    const group = await inspectionLines();
    assert.deepEqual(
      group.map(({ item }) => [item.label, item.contextValue]),
      [
        ['b-unsupported', 'checkpoint.inspectOnly'],
        ['c.gguf', 'checkpoint.inspectOnly'],
        ['a-broken', 'broken'],
      ],
    );
    assert.match(String(group[1].item.description), /^mamba · 2 blocks · 288 · .* · F32$/);
    assert.ok(String(group[2].item.description).length > 10);
  });

  it('opens in the checkpoint editor with a click, and is shown in it', async () => {
    const { tree } = await coppice();
    await tree.reveal(broken);
    for (const [line, file] of [
      ['a-broken', join(broken, 'model.safetensors')],
      ['b-unsupported', join(unsupported, 'model.safetensors')],
      ['c.gguf', gguf],
    ]) {
      // VS Code loses a click on a line that it draws again at this moment, as after a look for new files.
      await until(`${line} is open`, async () => {
        await window.row(line).first().click();
        return eventually(() => activeFile() === file, 2000);
      });
    }
    const frame = await window.frameWith('text=GGUF version 3');
    await frame.getByText('GGUF version 3').first().waitFor();
    await window.screenshot('inspection-group');
  });

  it('has a menu: its files, its path', async () => {
    await (await coppice()).tree.reveal(broken);
    await window.row('a-broken').first().click({ button: 'right' });
    const item = (name: string) => window.page.getByRole('menuitem', { name });
    await item('Hide from List').waitFor();
    // A click that comes as soon as a menu is there is lost.
    await until('its submenu is open', async () => {
      await item('Files').click({ timeout: 1000 });
      return eventually(async () => (await item('Copy Path').count()) > 0, 1000);
    });
    for (const name of ['Open in Checkpoint Editor', 'Reveal in Explorer', 'Copy Path']) await item(name).waitFor();
    await window.screenshot('inspection-menu');
    await window.choose('Copy Path');
    await until('the path is copied', async () => (await vscode.env.clipboard.readText()) === broken);
  });

  it('can be hidden, also several lines, and comes back', async () => {
    const nodes = (await inspectionLines()).filter(({ item }) => item.label !== 'c.gguf').map(({ node }) => node);
    await vscode.commands.executeCommand('coppice.hideCheckpoint', nodes[0], nodes);
    assert.deepEqual(
      (await inspectionLines()).map(({ item }) => item.label),
      ['c.gguf'],
    );
    const stored = (await coppice()).context.workspaceState.get<string[]>('hiddenCheckpoints');
    assert.deepEqual([...stored!].sort(), [broken, unsupported]);
    await window.row('Inspection only').click({ button: 'right' });
    await window.choose('Show Hidden');
    await until('all are back', async () => (await inspectionLines()).length === 3);
  });

  it('is not offered by commands: the usable one is taken without a question', async () => {
    assert.deepEqual(await run<number[]>('toggleBlock', { blocks: [2] }), [2]);
    await run('resetPlan', { checkpoint: usable });
  });

  it('is not among the choices, which say what they are; those with a plan come first for Prune', async () => {
    const second = writeModel('y-usable', 'llama-plain');
    await run('refreshCheckpoints');
    await run('toggleBlock', { checkpoint: usable, blocks: [2] });
    await vscode.commands.executeCommand('coppice.checkpoints.focus');
    await (await coppice()).tree.reveal(broken); // what is selected cannot be pruned, so that there is a question
    const pruning = vscode.commands.executeCommand('coppice.pruneCheckpoint');
    const rows = window.page.locator('.quick-input-list .monaco-list-row');
    await rows.first().waitFor();
    const texts = (await rows.allInnerTexts()).map((text) => text.replace(/\s+/g, ' '));
    assert.equal(texts.length, 2);
    assert.match(texts[0], /z-usable.*8 blocks.*plan: keeps 7 of 8/);
    assert.match(texts[1], /y-usable.*8 blocks/);
    await window.screenshot('inspection-picker');
    await window.page.keyboard.press('Escape');
    await pruning;
    await vscode.workspace.fs.delete(vscode.Uri.file(second), { recursive: true });
    await run('resetPlan', { checkpoint: usable });
  });

  it('moves to the others when its files are whole, and back', async () => {
    const { library } = await coppice();
    cpSync(join(usable, 'model.safetensors'), join(broken, 'model.safetensors'));
    library.forget(broken);
    assert.ok((await lines()).some(({ node }) => node.kind === 'checkpoint' && node.entry.path === broken));
    writeFileSync(join(broken, 'model.safetensors'), 'no model');
    library.forget(broken);
    assert.equal((await inspectionLines()).length, 3);
  });

  it('opens a file from outside the workspace, remembers it, and lets it go', async () => {
    const away = join((await coppice()).context.globalStorageUri.fsPath, 'away.gguf');
    mkdirSync(join(away, '..'), { recursive: true });
    writeFileSync(away, OTHER);
    const opened = await run<{ checkpoint: string; usable: boolean }>('openCheckpoint', { checkpoint: away });
    assert.deepEqual([opened.checkpoint, opened.usable, activeFile()], [away, false, away]);
    const { node, item } = await checkpointLine(away);
    assert.equal(item.contextValue, 'checkpoint.inspectOnly.opened');
    await vscode.commands.executeCommand('coppice.closeCheckpoint', node);
    assert.ok(!(await inspectionLines()).some(({ item: each }) => each.label === 'away.gguf'));
  });

  it('is offered by the Explorer on weights and folders of models, not on every config.json', async () => {
    mkdirSync(inWorkspace('app'), { recursive: true });
    writeFileSync(inWorkspace('app/config.json'), '{}');
    for (const [path, offered] of [
      ['app', false],
      ['app/config.json', false],
      ['z-usable', true],
      ['z-usable/model.safetensors', true],
      ['c.gguf', true],
    ] as const) {
      await vscode.commands.executeCommand('revealInExplorer', vscode.Uri.file(inWorkspace(path)));
      const row = window.page.locator('.explorer-folders-view .monaco-list-row.selected');
      await row.first().click({ button: 'right' });
      await window.page.getByRole('menuitem', { name: 'Copy Relative Path' }).waitFor();
      const found = await window.page.getByRole('menuitem', { name: 'Open in Coppice' }).count();
      assert.equal(found > 0, offered, path);
      await window.page.keyboard.press('Escape');
    }
    await vscode.commands.executeCommand('coppice.checkpoints.focus');
  });
});

function activeFile(): string | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputCustom ? input.uri.fsPath : undefined;
}
