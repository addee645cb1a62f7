/** Questions for files and folders as users see them: which texts are offered, where outputs may go. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { clearWorkspace, coppice, inWorkspace, resetSettings, run, writeModel, writeText } from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

describe('questions for files and folders', () => {
  let window: Window;
  let checkpoint: string;
  before(async () => {
    window = await Window.connect();
    await resetSettings();
    await clearWorkspace();
    await window.tidy();
    checkpoint = writeModel('model');
    writeText('prose.txt');
    writeFileSync(inWorkspace('other.txt'), 'Another text, which scored nothing.');
    writeFileSync(join(checkpoint, 'README.md'), '# A model');
    writeFileSync(inWorkspace('alpaca.json'), JSON.stringify([{ instruction: 'Say yes.', output: 'Yes.' }]));
    await (await coppice()).library.rescan();
  });
  after(async () => {
    await clearWorkspace();
    await window.disconnect();
  });
  afterEach(() => window.page.keyboard.press('Escape'));

  const box = () => window.page.locator('.quick-input-widget:visible');
  const offered = async (): Promise<string[]> =>
    (await box().locator('.quick-input-list .monaco-list-row').allInnerTexts()).map((row) => row.replace(/\s+/g, ' '));
  const selected = () => vscode.commands.executeCommand('coppice.checkpoints.focus');

  it('warn of the text that scored this model, and of no other', async () => {
    await run('scoreBlocks', {
      checkpoint,
      criterion: 'ppl',
      calibration: inWorkspace('prose.txt'),
      samples: 2,
      length: 16,
      device: 'cpu',
    });
    void vscode.commands.executeCommand('coppice.evaluatePerplexity', { checkpoint });
    await box()
      .getByText('Select the text to measure perplexity on')
      .or(box().locator('input[placeholder*="measure perplexity"]'))
      .first()
      .waitFor();
    await box().getByText('used to score the blocks').waitFor();
    const rows = await offered();
    await window.screenshot('questions-evaluate');
    const flattered = rows.filter((row) => row.includes('used to score the blocks'));
    assert.equal(flattered.length, 1);
    assert.match(flattered[0], /^prose\.txt/);
    assert.doesNotMatch(await box().locator('.monaco-list-row.focused').innerText(), /Browse/);
    assert.ok(rows.some((row) => row.startsWith('other.txt')));
    assert.ok(!rows.some((row) => row.includes('README.md') || row.includes('alpaca')));
  });

  it('of tasks begin with what is there, and a new file of questions is one of them then', async () => {
    const shown = () => box().locator('input[placeholder*="Select the questions"]').waitFor();
    const begin = () => void vscode.commands.executeCommand('coppice.evaluateTasks', { checkpoint });
    begin();
    await shown();
    assert.deepEqual(
      (await offered()).map((row) =>
        row.replace(/ ?(copying, recalling|questions that|a template|BoolQ,).*/, '').trim(),
      ),
      ['Probes', 'Stories', 'New file of questions…', 'Download known task sets…', 'Browse…'],
    );
    await window.screenshot('questions-tasks');
    await window.pick('New file of questions…');
    const file = inWorkspace('questions.coppice-tasks.json');
    await until('the template is open', () => vscode.window.activeTextEditor?.document.fileName === file);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    begin();
    await shown();
    assert.match((await offered())[0], /^questions\.coppice-tasks\.json/);
    // Which sets, and from where, before any question of consent.
    await window.pick('Download known task sets…');
    await box().locator('input[placeholder*="nothing is fetched before"]').waitFor();
    const sets = await offered();
    assert.ok(
      sets.some((row) => /BoolQ ?2\.3 MB · raw\.githubusercontent\.com · CC BY-SA 3\.0/.test(row)),
      sets.join('\n'),
    );
    assert.ok(
      sets.some((row) => /WinoGrande.*winogrande_dev\.jsonl.*By hand/s.test(row)),
      sets.join('\n'),
    );
    await window.screenshot('questions-tasks-download');
  });

  it('take a folder of the workspace, and say what is wrong with one that cannot be made', async () => {
    await selected();
    void vscode.commands.executeCommand('coppice.pruneCheckpoint', { checkpoint, blocks: [4], heal: false });
    const input = box().locator('input').first();
    const says = (text: string | RegExp) => box().locator('.quick-input-message').getByText(text).waitFor();
    await says(/Removes 4/);
    assert.equal(await box().getByRole('button', { name: 'Browse…' }).count(), 1);
    await input.fill('/proc/foo');
    await says(/holds no files|no permission to write/);
    await input.fill('prose.txt/new');
    await says(/prose\.txt is a file/);
    await input.fill('model');
    await says(/already exists/);
    await input.fill('models/short');
    await says(/Writes to .*Removes 4/s);
    await window.screenshot('questions-folder');
    await input.press('Enter');
    const out = inWorkspace('models', 'short');
    await until('it is written', () => existsSync(join(out, 'config.json')));
    await window.row(basename(out)).waitFor();
  });
});
