/** The results panel in a real VS Code with the real sidecar: score, toggle in the chart, write, and come back. */
import * as vscode from 'vscode';
import { clearWorkspace, coppice, writeModel, writeText } from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

describe('results panel', () => {
  let window: Window;
  let model: string;
  before(async function () {
    this.timeout(60_000);
    window = await Window.connect();
    model = writeModel('toy');
    await (await coppice()).library.rescan();
  });
  after(async () => {
    const configuration = vscode.workspace.getConfiguration('coppice.calibration');
    for (const name of ['file', 'length']) {
      await configuration.update(name, undefined, vscode.ConfigurationTarget.Workspace);
    }
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await clearWorkspace();
    await window.disconnect();
  });

  it('scores, takes blocks out in the chart, and shows what that does', async function () {
    this.timeout(60_000);
    const calibration = writeText('prose.txt');
    const configuration = vscode.workspace.getConfiguration('coppice');
    await configuration.update('calibration.file', calibration, vscode.ConfigurationTarget.Workspace);
    await configuration.update('calibration.length', 24, vscode.ConfigurationTarget.Workspace);
    await vscode.commands.executeCommand('coppice.openResults', { checkpoint: model, throws: true });
    let frame = await window.frameWith('.card.importance');
    await frame.getByText('No block has a score yet.').waitFor();
    await vscode.commands.executeCommand('coppice.scoreBlocks', { checkpoint: model, criterion: 'ppl', throws: true });
    await frame.locator('.importance .target[data-key="6"]').click();
    const { plans, library } = await coppice();
    const checkpoint = await library.load(model);
    const subject = { path: model, identity: checkpoint.identity, blocks: 8 };
    await until('the plan has the block', () => plans.removed(subject).join() === '6');
    await frame.locator('.figure-box').filter({ hasText: /× of/ }).waitFor();
    await frame.getByRole('button', { name: 'Undo' }).click();
    await until('the plan is empty again', () => plans.removed(subject).length === 0);
    plans.set(subject, [3, 4]); // as the tree does it
    await frame.locator('.importance .target[data-key="3"][aria-checked="false"]').waitFor();

    await frame
      .getByRole('button', { name: /^Draw Curve by / })
      .first()
      .click();
    await until('a curve', async () => (await frame.locator('.curve .target').count()) > 2);
    await frame.locator('.samples vscode-button', { hasText: 'Generate' }).click();
    await until('two texts', async () => (await frame.locator('.sample').count()) === 2);
    await window.screenshot('results');

    // Hidden and shown again: the state is the host's.
    await vscode.commands.executeCommand('workbench.action.files.newUntitledFile');
    await vscode.commands.executeCommand('coppice.openResults', { checkpoint: model, throws: true });
    frame = await window.frameWith('.card.importance');
    await frame.locator('.importance .target[data-key="4"][aria-checked="false"]').waitFor();
    await until('two texts again', async () => (await frame.locator('.sample').count()) === 2);
  });
});
