/**
 * The whole way of a user, with mouse and keyboard in the window: open the view, score, let blocks be suggested, untick
 * one more, prune, and find the new checkpoint in the tree. With the settings as they come.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { clearWorkspace, coppice, EXTENSION_ID, forgetAnswers, inWorkspace, resetSettings } from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

describe('the story', () => {
  let window: Window;
  let checkpoint: string;
  before(async () => {
    window = await Window.connect();
    await resetSettings();
    await forgetAnswers();
    await clearWorkspace();
    await window.tidy();
    checkpoint = inWorkspace('stories');
    cpSync(join(vscode.extensions.getExtension(EXTENSION_ID)!.extensionPath, 'media/sample'), checkpoint, {
      recursive: true,
    });
    await (await coppice()).library.rescan();
  });
  after(() => window.disconnect());

  it('opens the view, and the blocks of the checkpoint', async () => {
    const { page } = window;
    await vscode.commands.executeCommand('workbench.view.explorer'); // a click on the open view would close it
    await page.locator('.activitybar').getByRole('tab', { name: 'Coppice' }).click();
    await window.widenSideBar();
    await window.row('stories').first().click();
    await window.row('Block 0').waitFor();
    await window.screenshot('story-1-open');
  });

  it('scores the blocks: Enter all the way', async () => {
    const { page } = window;
    await window.command('Coppice: Score Blocks…');
    await page.locator('.quick-input-list').getByText('Shortened LLaMA').first().waitFor();
    await window.screenshot('story-2-criterion');
    await window.enter('Shortened LLaMA');
    await window.enter('Bundled sample text');
    await window
      .row('Block 0')
      .getByText(/[▁-█] \d/)
      .waitFor({ timeout: 50_000 });
    await window.jobRow(/Scored stories by ppl.*just now/s).waitFor();
    await decorated(window, 'Block 5');
    await window.screenshot('story-3-scored');
  });

  it('suggests blocks, with the true numbers while one chooses', async () => {
    const { page } = window;
    await window.command('Coppice: Suggest Blocks…');
    // The scores that are there decide: nobody is asked for them.
    await window.enter('A number of blocks');
    await page
      .locator('.quick-input-message')
      .getByText(/Removes \d+ of \d+ blocks/)
      .waitFor();
    await window.screenshot('story-4-suggest');
    await window.enter(/Removes \d+ of \d+ blocks/);
    await until('blocks are suggested', async () => (await planned()).length > 0);
    assert.deepEqual(await planned(), [5, 6]);
  });

  it('lets one more block be unticked', async () => {
    await window.row('keeps 10/12').waitFor();
    await window.tick('Block 4', async () => (await planned()).join() === '4,5,6');
    await window.row('keeps 9/12').waitFor();
    await decorated(window, 'Block 4');
    await window.page.mouse.move(800, 400);
    const status = window.page.locator('.statusbar-item[id*="coppice"]', { hasText: 'Scoring' });
    await status.waitFor({ state: 'detached' });
    await window.screenshot('story-5-plan');
  });

  it('prunes to a new folder beside it, which is in the tree', async () => {
    const { page } = window;
    await window.command('Coppice: Prune Checkpoint…');
    await page.locator('.quick-input-list').getByText('Prune only').click(); // healing has a story of its own
    await page
      .locator('.quick-input-message')
      .getByText(/Removes/)
      .waitFor();
    await window.screenshot('story-6-prune');
    await window.enter(/Removes/);
    const out = inWorkspace('stories-9-blocks');
    await window.row('stories-9-blocks').waitFor();
    assert.ok(existsSync(join(out, 'model.safetensors')));
    const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as { num_hidden_layers: number };
    assert.equal(config.num_hidden_layers, 9);
    await until('it is selected', async () => (await coppice()).tree.selectedPath === out);
    await window.screenshot('story-7-pruned');
  });

  it('continues a text with the shorter model', async () => {
    await window.command('Coppice: Generate Text…');
    await window.page.locator('.quick-input-message').getByText('Enter the text to continue').waitFor();
    await vscode.commands.executeCommand('workbench.output.action.clearOutput'); // of what other tests let write
    await window.enter('Enter the text to continue');
    await window.page
      .locator('.panel')
      .getByText(/tokens,\s.*tokens\/s/)
      .last()
      .waitFor();
    const status = window.page.locator('.statusbar-item[id*="coppice"]', { hasText: 'Generating text' });
    await status.waitFor({ state: 'detached' });
    await window.screenshot('story-8-text');
  });

  async function planned(): Promise<readonly number[]> {
    const { library, plans } = await coppice();
    const { identity, architecture } = await library.load(checkpoint);
    return plans.removed({ path: checkpoint, identity, blocks: architecture!.layers.length });
  }
});

/** Colours come a moment after the line that they belong to. */
async function decorated(window: Window, label: string): Promise<void> {
  await window.row(label).locator('[class*="monaco-decoration"]').first().waitFor();
}
