/** The view by keyboard: real keys in the real window. Several lines at once, and what locked blocks say. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { clearWorkspace, coppice, run, writeModel } from '../support/coppice';
import { until, Window } from '../support/window';

describe('the tree by keyboard', () => {
  let window: Window;
  let path: string;
  before(async () => {
    window = await Window.connect();
    await clearWorkspace();
    await window.tidy();
    path = writeModel('model');
    await run('refreshCheckpoints');
    await vscode.commands.executeCommand('coppice.checkpoints.focus');
    await window.row('model').first().waitFor(); // a view that is just opened has nothing to reveal yet
    await (await coppice()).tree.reveal(path, { expand: true, focus: true });
    await window.row('Block 7').waitFor();
  });
  after(async () => {
    await vscode.workspace.getConfiguration('coppice').update('keep', undefined);
    await window.disconnect();
  });
  beforeEach(async () => {
    await run('resetPlan', { checkpoint: path });
    await window.tidy();
    await go('Block 0');
  });

  const removed = async (): Promise<readonly number[]> => {
    const { plans, library } = await coppice();
    const { identity, architecture } = await library.load(path);
    return plans.removed({ path, identity, blocks: architecture!.blocks });
  };
  /** Waits until it is shown too: a key that comes while lines are drawn again is lost, as a user would see. */
  const plan = async (blocks: readonly number[]): Promise<void> => {
    await until(`the plan is ${blocks.join()}`, async () => (await removed()).join() === blocks.join());
    await window.row(`Plan: ${8 - blocks.length} of 8`).waitFor();
  };
  const press = (...keys: string[]): Promise<void> =>
    keys.reduce((before, key) => before.then(() => window.page.keyboard.press(key)), Promise.resolve());

  /** Moves the focus, and nothing but that, to a line. */
  async function go(line: string): Promise<void> {
    await vscode.commands.executeCommand('coppice.checkpoints.focus');
    await press('Escape', 'Home'); // nothing is selected any more
    const focused = window.page.locator('.pane-body .monaco-list-row.focused', { hasText: line });
    await until(`the focus is on ${line}`, async () => {
      if ((await focused.count()) > 0) return true;
      await press('ArrowDown');
      return false;
    });
  }

  it('unticks the line with the focus, which is not selected, and ticks it again', async () => {
    await press('ArrowDown', 'ArrowDown', 'x');
    await plan([2]);
    await press('ArrowDown', 'Control+Space');
    await plan([2, 3]);
    await press('x');
    await plan([2]);
    assert.equal(await window.page.locator('.monaco-list-row[aria-level="3"]').count(), 0, 'a block was opened');
    assert.equal(await window.page.locator('.tree-type-filter:visible, .monaco-tree-type-filter:visible').count(), 0);
    await window.screenshot('tree-keys');
  });

  it('does nothing on a line without a box', async () => {
    await go('Embedding');
    await press('x');
    await go('Block 1');
    await press('x');
    await plan([1]); // the key before it was taken, and changed nothing
  });

  it('unticks all selected lines at once', async () => {
    await press('ArrowDown', 'Shift+ArrowDown', 'Shift+ArrowDown', 'Shift+ArrowDown', 'x');
    await plan([2, 3, 4]);
    await press('x');
    await plan([]);
  });

  it('says why a locked block stays', async () => {
    await vscode.workspace.getConfiguration('coppice').update('keep', '2');
    await window.row('Block 2').locator('.codicon-lock').waitFor();
    await press('ArrowDown', 'ArrowDown', 'x');
    await window.toast('Block 2 stays').getByText('coppice.keep').waitFor();
    assert.deepEqual(await removed(), []);
    await window.screenshot('tree-keys-locked');
  });

  it('is in the menu of a block, for all selected lines', async () => {
    await vscode.workspace.getConfiguration('coppice').update('keep', undefined);
    await window.row('Block 4').click();
    await window.row('Block 6').click({ modifiers: ['Shift'] });
    await window.row('Block 5').click({ button: 'right' });
    await window.choose('Remove/Keep Block');
    await plan([4, 5, 6]);
    await window.row('Block 4').click();
  });

  it('leaves other commands to one checkpoint at a time', async () => {
    const other = writeModel('other', 'llama-plain');
    await run('refreshCheckpoints');
    const { tree } = await coppice();
    const nodes = await tree.getChildren();
    const score = (selected: unknown[]) => vscode.commands.executeCommand('coppice.scoreBlocks', nodes[0], selected);
    await score(nodes);
    await window.toast('Lines of several checkpoints are selected').waitFor();
    assert.ok((await coppice()).library.entries().some((entry) => entry.path === other));
  });
});
