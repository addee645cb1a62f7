/** A model of thousands of tensors in the view: nothing is made that nobody looks at. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { writeSafetensors } from '../../support/safetensors';
import { clearWorkspace, coppice, inWorkspace, run } from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

const BLOCKS = 24;
const EXPERTS = 500;

describe('a tree of thousands of tensors', () => {
  let window: Window;
  /** How often VS Code asked the tree. */
  const asked = { children: 0, items: 0 };

  before(async () => {
    window = await Window.connect();
    await clearWorkspace();
    await window.tidy();
    await vscode.commands.executeCommand('workbench.view.extension.coppice');
    writeExperts(inWorkspace('experts'));
    const { tree } = await coppice();
    const [children, item] = [tree.getChildren.bind(tree), tree.getTreeItem.bind(tree)];
    tree.getChildren = (node) => (asked.children++, children(node));
    tree.getTreeItem = (node) => (asked.items++, item(node));
  });
  after(async () => {
    const { tree } = await coppice();
    for (const counted of ['getChildren', 'getTreeItem']) Reflect.deleteProperty(tree, counted); // those of its class are back
    await window.disconnect();
  });

  it('costs a line for each block, not for each tensor', async () => {
    await run('refreshCheckpoints');
    const { library, tree } = await coppice();
    const path = inWorkspace('experts');
    assert.ok((await library.load(path)).tensors.size > BLOCKS * EXPERTS);
    await tree.reveal(path, { expand: true });
    await window.row('Block 3').first().waitFor();
    assert.ok(asked.items < 3 * BLOCKS, `${asked.items} lines`);
    assert.ok(asked.children < 10, `${asked.children} lists`);
  });

  it('makes the lines of one module when that is opened, and shows those that fit', async () => {
    const before = { ...asked };
    await window.row('Block 3').first().click();
    await window.row('FFN').click();
    await window.row('% of the block').click(); // all experts are one line
    await window.row('experts.0.w1.weight').waitFor();
    await until('its lines are made', () => asked.items - before.items >= EXPERTS);
    // VS Code may ask once more for the blocks, whose list was still being drawn.
    assert.ok(asked.items - before.items < EXPERTS + 3 * BLOCKS, `${asked.items - before.items} lines`);
    assert.ok(asked.children - before.children < 10, `${asked.children - before.children} lists`);
    const rows = await window.page.locator('.pane-body .monaco-list-row').count();
    assert.ok(rows < 100, `${rows} rows`);
    await window.screenshot('tree-experts');
  });
});

/** A mixture of experts, which can be inspected: every expert a tensor of its own. */
function writeExperts(folder: string): void {
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ model_type: 'qwen2_moe', num_hidden_layers: BLOCKS }));
  const values = Float32Array.of(1);
  const tensors = Array.from({ length: BLOCKS * EXPERTS }, (_, i) => ({
    name: `model.layers.${i % BLOCKS}.block_sparse_moe.experts.${Math.floor(i / BLOCKS)}.w1.weight`,
    dtype: 'F32' as const,
    shape: [1],
    values,
  }));
  writeSafetensors(join(folder, 'model.safetensors'), [
    { name: 'model.embed_tokens.weight', dtype: 'F32', shape: [1], values },
    ...tensors,
  ]);
}
