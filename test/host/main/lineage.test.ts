/** What Coppice made stands in the view below what it was made from, with the real sidecar. */
import assert from 'node:assert/strict';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { clearWorkspace, coppice, inWorkspace, lines, run, writeModel } from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

describe('the lineage in the tree', function () {
  this.timeout(180_000);
  let window: Window;
  let checkpoint: string;
  const out = inWorkspace('stories-6-blocks');
  const exported = inWorkspace('stories-6.gguf');

  before(async () => {
    window = await Window.connect();
    await clearWorkspace();
    await window.tidy();
    checkpoint = writeModel('stories');
    await run('refreshCheckpoints');
    await vscode.commands.executeCommand('coppice.checkpoints.focus');
    await run('pruneCheckpoint', { checkpoint, blocks: [3, 5], out });
    await run('exportModel', { checkpoint: out, format: 'gguf', type: ['q8_0'], target: 'cpu', out: exported });
  });
  after(async () => {
    await window.tidy();
    await clearWorkspace();
    await window.disconnect();
  });

  /** Labels of the models at the top of the view. */
  const top = async (): Promise<string[]> => (await lines()).map(({ item }) => item.label as string);
  const below = async (path: string) => {
    const { tree } = await coppice();
    const node = tree.nodeAt(path);
    assert.ok(node, `${path} is not in the tree`);
    return lines(node);
  };

  it('nests the pruned model below the original, and the export below that', async () => {
    assert.deepEqual(await top(), ['stories']);
    const [original] = await lines();
    assert.match(String(original.item.description), /^1 made from it · llama · 8 blocks · /);
    const [plan, pruned, vocabulary, embedding] = await lines(original.node);
    assert.deepEqual(
      [plan, pruned, embedding].map(({ item }) => item.label),
      ['Plan: keeps 8 of 8', 'stories-6-blocks', 'Embedding'],
    );
    assert.match(vocabulary.item.label as string, /^Vocabulary: [\d,]+ tokens$/);
    assert.match(String(pruned.item.description), /^pruned · 6 of 8 blocks · 1 made from it · /);
    assert.equal((pruned.item.iconPath as vscode.ThemeIcon).id, 'fold');
    const { item } = (await lines(pruned.node))[1];
    assert.match(String(item.description), /^exported · /);
    assert.equal(item.label, 'stories-6.gguf');
  });

  it('reveals a new model with the lines above it open, and selects it', async () => {
    const { tree } = await coppice();
    await vscode.commands.executeCommand('workbench.actions.treeView.coppice.checkpoints.collapseAll');
    await tree.reveal(exported);
    await window.row('stories-6.gguf').waitFor();
    await until('it is selected', () => tree.selectedPath === exported);
    await window.screenshot('lineage');
  });

  it('keeps the plan of each model apart, by its own boxes', async () => {
    await run('toggleBlock', { checkpoint: out, blocks: [3] });
    const [{ item }] = await below(out);
    assert.equal(item.label, 'Plan: keeps 5 of 6');
    assert.equal((await below(checkpoint))[0].item.label, 'Plan: keeps 8 of 8');
    await run('resetPlan', { checkpoint: out });
  });

  it('goes on from the pruned model to its adapter, and to the model that the adapter was merged into', async () => {
    const text = inWorkspace('tales.txt');
    writeFileSync(text, 'The old oak stood by the river, and the river sang to it. '.repeat(40));
    const adapter = inWorkspace('tales');
    const merged = inWorkspace('stories-tales');
    const settings = { length: 32, batch: 1 };
    await run('retrainLora', { checkpoint: out, data: [text], steps: 1, rank: 2, settings, out: adapter });
    await run('mergeAdapter', { checkpoint: out, adapter, out: merged });
    await run('refreshCheckpoints');
    const line = (await below(out)).find(({ item }) => item.label === 'tales');
    assert.ok(line, 'the adapter stands below the pruned model');
    const [made] = await lines(line.node);
    assert.equal(made.item.label, 'stories-tales');
    assert.match(String(made.item.description), /^tales merged · /);
    await (await coppice()).tree.reveal(merged);
    await window.row('stories-tales').waitFor();
    await window.screenshot('lineage-adapter');
    for (const each of [merged, adapter]) rmSync(each, { recursive: true });
    await run('refreshCheckpoints');
  });

  it('puts a model at the top, with the name of what it was made from, once that is gone', async () => {
    const away = inWorkspace('../stories-away');
    cpSync(checkpoint, away, { recursive: true });
    rmSync(checkpoint, { recursive: true });
    await run('refreshCheckpoints');
    assert.deepEqual(await top(), ['stories-6-blocks']);
    const [{ item }] = await lines();
    assert.match(String(item.description), /^pruned · 6 of 8 blocks · made from stories · /);
    cpSync(away, checkpoint, { recursive: true });
    rmSync(away, { recursive: true });
    await run('refreshCheckpoints');
    // While its files still arrive, the watcher forgets it once more.
    await until('it is back above what was made from it', async () => (await top()).join() === 'stories');
  });
});
