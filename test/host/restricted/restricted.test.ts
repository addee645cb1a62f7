/** An untrusted workspace: checkpoints can be inspected, nothing is run, and Coppice says why. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { checkpointLine, coppice, inWorkspace, lines, run, writeModel } from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

describe('restricted mode', () => {
  let window: Window;
  before(async () => {
    window = await Window.connect();
    await vscode.commands.executeCommand('workbench.view.extension.coppice');
  });
  after(() => window.disconnect());

  it('is what this window is in', () => assert.equal(vscode.workspace.isTrusted, false));

  it('says in the empty view what it means', async () => {
    await window.page.getByText('Coppice runs nothing in Restricted Mode').waitFor();
    await window.page.getByText('are listed here while they run and when they are done').first().waitFor();
    await window.screenshot('restricted-empty');
  });

  it('lets checkpoints be inspected', async () => {
    const path = writeModel('model');
    await run('refreshCheckpoints');
    const parts = await lines((await checkpointLine(path)).node);
    assert.equal(parts.length, 12); // the plan and the vocabulary too
  });

  it('runs nothing, though called directly, and starts no sidecar', async () => {
    const checkpoint = inWorkspace('model');
    for (const command of [
      'scoreBlocks',
      'suggestBlocks',
      'pruneCheckpoint',
      'heal',
      'evaluatePerplexity',
      'evaluateTasks',
      'measureSpeed',
      'compareWithWidth',
      'compareSizes',
      'generateText',
      'retrainLora',
      'mergeAdapter',
      'dropExperts',
      'trimVocabulary',
      'exportModel',
      'verifyExport',
      'addTo',
      'addToProject',
      'restartSidecar',
      'newRecipe',
      'runRecipe',
      'runRecipeStep',
      'planRecipe',
      'openRecipeReport',
      'resumeJob',
      'runJobAgain',
    ]) {
      await assert.rejects(run(command, { checkpoint, criterion: 'magnitude' }), {
        name: 'UserError',
        what: /Restricted Mode/,
      });
    }
    assert.equal((await coppice()).sidecar.status.state, 'stopped');
  });

  it('lets agents look and plan, and refuses what computes or writes', async () => {
    const call = async (name: string, input: object): Promise<vscode.LanguageModelToolResult> =>
      vscode.lm.invokeTool(`coppice_${name}`, { input, toolInvocationToken: undefined });
    const { content } = await call('inspect', { checkpoint: 'model' });
    assert.match((content[0] as vscode.LanguageModelTextPart).value, /8 blocks/);
    await call('plan', { checkpoint: 'model', blocks: [5] });
    await assert.rejects(
      call('score', { checkpoint: 'model', criterion: 'magnitude' }),
      /Restricted Mode.*Trust the workspace/s,
    );
    await assert.rejects(call('prune', { checkpoint: 'model', blocks: [5], out: 'short' }), /Restricted Mode/);
    const recipe = {
      coppice: 1,
      model: './model',
      steps: { s: { job: 'score', options: { criterion: 'magnitude' } } },
    };
    const file = vscode.Uri.file(inWorkspace('agent.coppice.json'));
    await vscode.workspace.fs.writeFile(file, Buffer.from(JSON.stringify(recipe)));
    const planned = await call('plan_recipe', { recipe: 'agent.coppice.json' });
    assert.match((planned.content[0] as vscode.LanguageModelTextPart).value, /1 of 1 step to run/);
    await assert.rejects(call('run_recipe', { recipe: 'agent.coppice.json' }), /Restricted Mode/);
    await vscode.workspace.fs.delete(file);
    assert.equal((await coppice()).sidecar.status.state, 'stopped');
  });

  it('says so in the results panel, disables what computes, and leads to the trust of the workspace', async function () {
    this.timeout(60_000);
    await run('openResults', { checkpoint: inWorkspace('model') });
    const frame = await window.frameWith('.card.importance');
    await frame.getByText('Coppice runs nothing in Restricted Mode.').waitFor();
    for (const label of ['Retrain…', 'Score Blocks…', 'Draw Curve by perplexity', 'Generate'])
      await frame.locator('vscode-button[disabled]', { hasText: label }).first().waitFor();
    await window.screenshot('restricted-results');
    await frame.getByRole('button', { name: 'Manage Workspace Trust' }).click();
    await window.page.locator('.workspace-trust-editor').waitFor();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('offers the trust of the workspace where a command is refused', async function () {
    this.timeout(60_000);
    await vscode.commands.executeCommand('coppice.scoreBlocks', { checkpoint: inWorkspace('model') });
    const toast = window.toast('Coppice runs nothing in Restricted Mode');
    await toast.getByRole('button', { name: 'Manage Workspace Trust' }).click();
    await window.page.locator('.workspace-trust-editor').waitFor();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('reads recipes, and offers the trust of the workspace instead of running them', async () => {
    const uri = vscode.Uri.file(inWorkspace('a.coppice.json'));
    const text = '{ "coppice": 1, "steps": { "s": { "job": "scores" } } }';
    await vscode.workspace.fs.writeFile(uri, Buffer.from(text));
    await vscode.window.showTextDocument(uri);
    await until('it has a problem', () =>
      vscode.languages.getDiagnostics(uri).some(({ source }) => source === 'Coppice'),
    );
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri, 10);
    assert.deepEqual(
      lenses.map(({ command }) => command?.command),
      ['workbench.trust.manage'],
    );
    await window.screenshot('restricted-recipe');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('takes no paths from the workspace settings', async () => {
    const settings = vscode.workspace.getConfiguration('coppice');
    await settings.update('calibration.file', '/etc/passwd', vscode.ConfigurationTarget.Workspace);
    const { config } = await coppice();
    assert.match(config.calibration.file, /media.sample.calibration\.txt$/);
    await settings.update('calibration.file', undefined, vscode.ConfigurationTarget.Workspace);
  });
});
