/** The view by keyboard: real keys in the real window. Several lines at once, and what locked blocks say. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import { clearWorkspace, coppice, run, writeModel } from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

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
    await plan([]);
    await go('Block 0');
  });

  const removed = async (): Promise<readonly number[]> => {
    const { plans, library } = await coppice();
    const { identity, architecture } = await library.load(path);
    return plans.removed({ path, identity, blocks: architecture!.layers.length });
  };
  /** Waits until it is shown too: a key that comes while lines are drawn again is lost, as a user would see. */
  const plan = async (blocks: readonly number[]): Promise<void> => {
    await until(`the plan is ${blocks.join()}`, async () => (await removed()).join() === blocks.join());
    await window.row(`Plan: keeps ${8 - blocks.length} of 8`).waitFor();
  };
  const focused = (): Promise<string> =>
    window.page
      .locator('.pane-body .monaco-list-row.focused')
      .first()
      .innerText({ timeout: 500 })
      .catch(() => '');
  const selected = (): Promise<number> => window.page.locator('.pane-body .monaco-list-row.selected').count();

  /** Presses a key until it is taken: one that comes while lines are drawn again is lost. */
  async function press(key: string, taken: () => Promise<boolean>): Promise<void> {
    await until(`${key} is taken`, async () => {
      if (await taken()) return true;
      await window.page.keyboard.press(key);
      return until('', taken, 2000).then(
        () => true,
        () => false,
      );
    });
  }
  /** Moves the focus, and nothing but that, by one line. */
  async function down(): Promise<void> {
    const before = await focused();
    await press('ArrowDown', async () => (await focused()) !== before);
  }
  /** Presses a key that makes the plan another, and waits until it is shown. */
  async function toggle(key: string, blocks: readonly number[]): Promise<void> {
    const before = (await removed()).join();
    await press(key, async () => (await removed()).join() !== before);
    await plan(blocks);
  }

  /** Moves the focus, and nothing but that, to a line. */
  async function go(line: string): Promise<void> {
    await vscode.commands.executeCommand('coppice.checkpoints.focus');
    await press('Escape', async () => (await selected()) === 0);
    await press('Home', async () => (await focused()).startsWith('model'));
    while (!(await focused()).startsWith(line)) await down();
  }

  it('unticks the line with the focus, which is not selected, and ticks it again', async () => {
    await go('Block 2');
    await toggle('x', [2]);
    await down();
    await toggle('Control+Space', [2, 3]);
    await toggle('x', [2]);
    assert.equal(await window.page.locator('.monaco-list-row[aria-level="3"]').count(), 0, 'a block was opened');
    assert.equal(await window.page.locator('.tree-type-filter:visible, .monaco-tree-type-filter:visible').count(), 0);
    await window.screenshot('tree-keys');
  });

  it('does nothing on a line without a box', async () => {
    await go('Embedding');
    await window.page.keyboard.press('x');
    await go('Block 1');
    await toggle('x', [1]); // the key before it was taken, and changed nothing
  });

  it('unticks all selected lines at once', async () => {
    await go('Block 1');
    for (const count of [1, 2, 3]) await press('Shift+ArrowDown', async () => (await selected()) === count);
    await toggle('x', [2, 3, 4]);
    await toggle('x', []);
  });

  it('says why a locked block stays', async () => {
    await vscode.workspace.getConfiguration('coppice').update('keep', '2');
    await window.row('Block 2').locator('.codicon-lock').waitFor();
    await go('Block 2');
    const refusal = window.toast('Cannot remove block 2').getByText('coppice.keep');
    await press('x', async () => (await refusal.count()) > 0);
    assert.deepEqual(await removed(), []);
    await window.screenshot('tree-keys-locked');
  });

  it('is in the menu of a block, for all selected lines', async () => {
    await vscode.workspace.getConfiguration('coppice').update('keep', undefined);
    await window.row('Block 4').click();
    await window.row('Block 6').click({ modifiers: ['Shift'] });
    await window.row('Block 5').click({ button: 'right' });
    await window.choose('Remove Blocks');
    await plan([4, 5, 6]);
    await window.row('Block 5').click({ button: 'right' });
    await window.choose('Keep Blocks');
    await plan([]);
    await window.row('Block 4').click();
  });

  it('removes a range, and says what it gives while it is typed', async () => {
    await run('toggleBlock', { checkpoint: path, blocks: [1] });
    const removing = vscode.commands.executeCommand('coppice.removeRange', { checkpoint: path });
    const box = window.page.locator('.quick-input-widget:visible');
    const says = (text: string) => box.locator('.quick-input-message').getByText(text).waitFor();
    await says('Enter block numbers and ranges, such as 12-18, 20.');
    await box.locator('input').fill('3-5, 9');
    await says('block 9 is not one of 0 to 7');
    await box.locator('input').fill('0-7');
    await says('At least one block must stay.');
    await box.locator('input').fill('3-5, 7');
    await says('Removes 4 more, keeps 3 of 8 blocks → ');
    await window.screenshot('tree-range');
    await box.locator('input').press('Enter');
    await removing;
    await plan([1, 3, 4, 5, 7]);
  });

  it('starts what comes next, opens the results, and asks before it deletes', async () => {
    const box = window.page.locator('.quick-input-widget:visible .quick-input-title');
    await go('model');
    await press('Control+Enter', async () => (await box.count()) === 1);
    assert.match(await box.innerText(), /^Score Blocks/);
    await press('Escape', async () => (await box.count()) === 0);
    await go('model');
    await press('Alt+Enter', () => Promise.resolve(vscode.window.tabGroups.all.some(({ tabs }) => tabs.length > 0)));
    assert.deepEqual(
      vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs.map(({ label }) => label)),
      ['Results: model'],
    );
    await window.frameWith('.card.runs'); // it takes the focus once it is there
    await go('model');
    // VS Code shows no dialog in tests: it says which one it refused.
    const asked = window.toast('refused to show dialog in tests. Contents: Delete model (');
    await press('Delete', async () => (await asked.count()) > 0);
    assert.ok(existsSync(path), 'nothing is deleted without an answer');
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
