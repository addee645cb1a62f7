/** Plans with a name in the tree, the next step of each model, and deleting models, with the real sidecar. */
import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import {
  checkpointLine,
  clearWorkspace,
  coppice,
  inWorkspace,
  lines,
  run,
  writeModel,
  writeText,
} from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

/** Of the workbench, by the kind of theme. */
const CLASSES = { dark: 'vs-dark', light: 'vs', hc: 'hc-black', hcl: 'hc-light' } as const;

describe('plans and models in the tree', function () {
  this.timeout(120_000);
  let window: Window;
  let checkpoint: string;
  let text: string;
  const out = inWorkspace('stories-6-blocks');

  before(async () => {
    window = await Window.connect();
    await clearWorkspace();
    await window.tidy();
    await vscode.commands.executeCommand('coppice.checkpoints.focus');
    checkpoint = writeModel('stories');
    text = writeText('calibration.txt');
    const settings = vscode.workspace.getConfiguration('coppice');
    await settings.update('calibration.file', text, vscode.ConfigurationTarget.Workspace);
    await settings.update('calibration.samples', 2, vscode.ConfigurationTarget.Workspace);
    await settings.update('calibration.length', 16, vscode.ConfigurationTarget.Workspace);
    await run('refreshCheckpoints');
    await window.widenSideBar();
  });
  after(async () => {
    const settings = vscode.workspace.getConfiguration('coppice.calibration');
    for (const key of ['file', 'samples', 'length']) {
      await settings.update(key, undefined, vscode.ConfigurationTarget.Workspace);
    }
    await window.widenSideBar(300);
    await window.tidy();
    await clearWorkspace();
    await window.disconnect();
  });

  const line = async () => (await checkpointLine(checkpoint)).item;
  const below = async () => lines((await checkpointLine(checkpoint)).node);
  const tooltip = (item: vscode.TreeItem): string =>
    (item.tooltip as vscode.MarkdownString).value.replace(/&nbsp;/g, ' ').replace(/\\/g, '');
  const removed = async (): Promise<readonly number[]> => {
    const { plans, library } = await coppice();
    const { identity } = await library.load(checkpoint);
    return plans.removed({ path: checkpoint, identity, blocks: 8 });
  };

  it('says what comes next: first to score, then to suggest', async () => {
    assert.match((await line()).contextValue!, /next-score$/);
    await run('scoreBlocks', { checkpoint, criterion: 'ppl' });
    const item = await line();
    assert.match(item.contextValue!, /scored\..*next-suggest$/);
    assert.match(tooltip(item), /Next: suggest blocks to prune/);
    assert.match(tooltip(item), /Scores, shown: ppl, .*calibration\.txt, [^·]* tokens, BOS: \w+, today/);
  });

  it('shows the scores as a profile, with when and on what they were measured', async () => {
    const [plan, ...others] = await below();
    assert.equal(plan.item.description, 'ppl on calibration.txt, today');
    const blocks = others.filter(({ node }) => node.kind === 'block');
    const bars = blocks.map(({ item }) => String(item.description)[0]);
    assert.deepEqual([...bars].sort(), Array.from('▁▂▃▄▅▆▇█'));
    for (const { item } of blocks) assert.match(String(item.description), /^[▁-█] [\d.,]+/);
    assert.match(blocks[2].item.accessibilityInformation!.label, /rank \d of 8 \(1 = removed first\)$/);
    await (await coppice()).tree.reveal(checkpoint, { expand: true });
    await window.row(/▁ \d/).waitFor();
    await window.screenshot('tree-profile');
  });

  it('calls scores stale once the text has changed, and fresh again with the old one', async () => {
    writeFileSync(text, 'Quite another text.');
    const item = await line();
    assert.match(String(item.description), /scores are stale$/);
    assert.match(item.contextValue!, /next-score$/);
    assert.match(String((await below())[0].item.description), /^ppl is stale: calibration\.txt has changed$/);
    writeText('calibration.txt');
    assert.match((await line()).contextValue!, /next-suggest$/);
  });

  it('keeps plans under names, compares them, and uses one with a click', async () => {
    await run('toggleBlock', { checkpoint, blocks: [2, 3] });
    assert.equal(await run('savePlan', { checkpoint, plan: 'A' }), 'A');
    await run('resetPlan', { checkpoint });
    await run('toggleBlock', { checkpoint, blocks: [5] });
    await run('savePlan', { checkpoint, plan: 'B' });
    const [, a, b] = await below();
    assert.deepEqual([a.item.label, b.item.label], ['A', 'B']);
    assert.match(String(a.item.description), /^keeps 6\/8 · [\d.]+ kB$/);
    assert.match(String(b.item.description), /^current · keeps 7\/8 · /);
    const compared = await run<{ name: string; ratio: number }[]>('comparePlans', { checkpoint, plans: ['A', 'B'] });
    assert.deepEqual(
      compared.map(({ name }) => name),
      ['A', 'B'],
    );
    for (const { ratio } of compared) assert.ok(ratio > 0.2 && ratio < 5, `${ratio}`);
    assert.match(String((await below())[1].item.description), / · perplexity [\d.]+×$/);
    await (await coppice()).tree.reveal(checkpoint, { expand: true });
    await window.row('A').and(window.page.locator('[aria-label^="Plan A"]')).first().click();
    await until('the plan is A', async () => (await removed()).join() === '2,3');
    await window.screenshot('tree-named-plans');
    await run('deletePlan', { checkpoint, plan: 'B' });
    assert.equal((await below()).filter(({ node }) => node.kind === 'namedPlan').length, 1);
  });

  it('goes on with the model that the plan was written as', async () => {
    assert.match((await line()).contextValue!, /planned.*next-prune$/);
    await run('pruneCheckpoint', { checkpoint, out });
    assert.match((await line()).contextValue!, /planned.*next-open$/);
    assert.equal(await run('nextStep', { checkpoint }), out);
    await until('it is selected', async () => (await coppice()).tree.selectedPath === out);
  });

  it('is told from one another in dark, light and high contrast', async () => {
    const settings = vscode.workspace.getConfiguration('workbench');
    const themes = {
      dark: 'Dark Modern',
      light: 'Light Modern',
      hc: 'Default High Contrast',
      hcl: 'Default High Contrast Light',
    };
    await (await coppice()).tree.reveal(checkpoint, { expand: true });
    for (const [name, theme] of Object.entries(themes)) {
      await settings.update('colorTheme', theme, vscode.ConfigurationTarget.Global);
      await window.page
        .locator(`.monaco-workbench.${CLASSES[name as keyof typeof CLASSES]}`)
        .first()
        .waitFor();
      await window.row(/▁ \d/).waitFor();
      await window.screenshot(`tree-family-${name}`);
    }
    await settings.update('colorTheme', undefined, vscode.ConfigurationTarget.Global);
  });

  /** VS Code refuses to show dialogs in tests: notes what one says, and gives `answer`. */
  async function asked(action: () => Thenable<unknown>, answer?: string): Promise<string> {
    const { showWarningMessage } = vscode.window;
    let said = '';
    const instead = (question: string, { detail = '' }: vscode.MessageOptions): Thenable<string | undefined> => {
      said += `${question}\n${detail}`;
      return Promise.resolve(answer);
    };
    Object.assign(vscode.window, { showWarningMessage: instead });
    try {
      await action();
    } finally {
      Object.assign(vscode.window, { showWarningMessage });
    }
    return said;
  }

  it('deletes a model after a question that names it, with its panel, plan and scores', async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await run('openResults', { checkpoint: out });
    await run('toggleBlock', { checkpoint: out, blocks: [1] });
    const { tree } = await coppice();
    const said = await asked(() => vscode.commands.executeCommand('coppice.deleteModel', tree.nodeAt(out)));
    assert.match(said, /^Delete stories-6-blocks \([\d.]+ kB\)\?\n/);
    assert.ok(said.includes(out) && !said.includes('did not write'), said);
    assert.ok(existsSync(out), 'it was deleted without an answer');
    await run('deleteModel', { checkpoint: out, permanently: true });
    assert.ok(!existsSync(out));
    assert.equal(vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).length, 0, 'the panel is still open');
    assert.ok(!(await below()).some(({ node }) => node.kind === 'checkpoint'));
    assert.ok(existsSync(checkpoint));
  });

  it('says of a model that Coppice did not write that it may be the only copy', async () => {
    const { tree } = await coppice();
    const said = await asked(() => vscode.commands.executeCommand('coppice.deleteModel', tree.nodeAt(checkpoint)));
    assert.match(said, /Coppice did not write this model/);
    assert.ok(existsSync(checkpoint));
  });

  it('refuses to delete what a folder holds besides, and what lies elsewhere', async () => {
    const inner = join(checkpoint, 'inner');
    writeModel('stories/inner');
    await run('refreshCheckpoints');
    await assert.rejects(run('deleteModel', { checkpoint, permanently: true }), /holds more than this model: inner/);
    rmSync(inner, { recursive: true });
    await run('refreshCheckpoints');
    const { extensionPath } = vscode.extensions.getExtension('coppice.coppice')!;
    const sample = join(extensionPath, 'media/sample');
    await assert.rejects(run('deleteModel', { checkpoint: sample, permanently: true }), /outside the workspace/);
    assert.ok(existsSync(sample));
  });
});
