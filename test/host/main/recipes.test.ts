/** A recipe in the editor: problems, lenses, completion, runs to the end, tasks, and what is kept between runs. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import type { RecipeEnd, RecipePlan } from '../../../src/recipes/types';
import { until } from '../../support/until';
import { coppice, inWorkspace, run } from '../support/coppice';
import { type Staged, stageSample, unstage } from '../support/sample';
import type { Window } from '../support/window';

const recipeText = ({ criterion = 'criterion', limit = 1000, window = 64, count = 2 } = {}): string => `{
  // Two blocks fewer, measured on a part of the evaluation text.
  "coppice": 1,
  "model": "./stories",
  "variables": { "count": ${count} },
  "steps": {
    "scores": { "job": "score", "options": { "${criterion}": "magnitude" } },
    "pruned": {
      "job": "prune",
      "options": { "scores": "\${steps.scores}", "count": "\${count}", "out": "./short" }
    },
    "quality": {
      "job": "eval",
      "options": {
        "checkpoint": "\${steps.pruned}",
        "text": "stories/evaluation.txt",
        "window": ${window},
        "limit": 2
      },
      "limits": { "maxPpl": ${limit} }
    }
  }
}
`;

/** The lenses of a file, with their lines from 0. */
async function titlesOf(uri: vscode.Uri): Promise<string[]> {
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri, 100);
  return lenses.map(({ range, command }) => `${range.start.line}: ${command?.title ?? ''}`);
}

describe('a recipe', () => {
  let staged: Staged;
  let window: Window;
  let file: string;
  let uri: vscode.Uri;

  before(async () => {
    staged = await stageSample();
    ({ window } = staged);
    file = inWorkspace('small.coppice.json');
    uri = vscode.Uri.file(file);
  });
  beforeEach(() => vscode.commands.executeCommand('notifications.clearAll'));
  after(async () => {
    await unstage(staged);
  });

  /** Opens the recipe with this text, saved. */
  async function open(text: string): Promise<vscode.TextDocument> {
    if (!existsSync(file)) writeFileSync(file, text);
    const document = await vscode.workspace.openTextDocument(uri);
    const { document: shown } = await vscode.window.showTextDocument(document);
    const edit = new vscode.WorkspaceEdit();
    edit.replace(uri, new vscode.Range(shown.positionAt(0), shown.positionAt(shown.getText().length)), text);
    await vscode.workspace.applyEdit(edit);
    await shown.save();
    return shown;
  }

  const ours = (): vscode.Diagnostic[] =>
    vscode.languages.getDiagnostics(uri).filter(({ source }) => source === 'Coppice');

  const titles = (): Promise<string[]> => titlesOf(uri);
  const lensed = (words: RegExp): Promise<void> =>
    until(`a lens ${words.source}`, async () => (await titles()).some((title) => words.test(title)));

  const statesOf = (end: RecipeEnd | undefined): string[] =>
    (end?.steps ?? []).map(({ name, state }) => `${name} ${state}`);

  it('is JSON with comments, and a misspelt option is a problem at its place, until it is right', async () => {
    const document = await open(recipeText({ criterion: 'criterium' }));
    assert.equal(document.languageId, 'jsonc');
    await until('there is a problem', () => ours().length > 0);
    const [problem, ...more] = ours();
    assert.deepEqual(more, []);
    assert.equal(document.getText(problem.range), '"criterium"');
    assert.match(problem.message, /^A step of score has no option “criterium”: its options are .*criterion/);
    assert.equal(problem.severity, vscode.DiagnosticSeverity.Error);
    await window.screenshot('recipe-problem');
    await open(recipeText());
    await until('it is gone', () => ours().length === 0);
  });

  it('has lenses over the whole and over each step', async () => {
    await open(recipeText());
    await lensed(/Run Recipe/);
    const steps = [6, 7, 11].map((line) => `${line}: $(play) Run Step`);
    assert.deepEqual(await titles(), ['0: $(run-all) Run Recipe', '0: $(list-ordered) Plan', ...steps]);
  });

  it('offers the options of a job where they are written', async function () {
    if (!vscode.extensions.getExtension('vscode.json-language-features')) this.skip();
    const document = await open(recipeText().replace('"criterion": "magnitude"', '"criterion": "magnitude", ""'));
    const place = document.positionAt(document.getText().indexOf(', ""') + 3);
    let labels: string[] = [];
    await until('the options of score are offered', async () => {
      const { items } = await vscode.commands.executeCommand<vscode.CompletionList>(
        'vscode.executeCompletionItemProvider',
        uri,
        place,
      );
      labels = items.map(({ label }) => (typeof label === 'string' ? label : label.label));
      return labels.includes('calibration');
    });
    assert.ok(labels.includes('samples') && !labels.includes('text'), labels.join());
    await open(recipeText());
  });

  it('says what it would do, in a page', async () => {
    await open(recipeText());
    const plan = await run<RecipePlan>('planRecipe', { recipe: file });
    assert.deepEqual(
      plan.steps.map(({ step, state }) => `${step.name} ${state}`),
      ['scores run', 'pruned run', 'quality run'],
    );
    await vscode.commands.executeCommand('coppice.planRecipe', { recipe: file });
    const frame = await window.frameWith('table');
    await frame.getByText(/3 of 3 steps run/).waitFor();
    await window.screenshot('recipe-plan');
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
  });

  it('runs to its end, with the numbers in its lenses and the new checkpoint in the tree', async () => {
    await open(recipeText());
    const end = await run<RecipeEnd>('runRecipe', { recipe: file });
    assert.equal(end.ended, 'done');
    assert.deepEqual(statesOf(end), ['scores done', 'pruned done', 'quality done']);
    const ppl = Number(end.steps[2].result?.ppl);
    assert.ok(ppl > 1 && ppl < 1000);
    await lensed(/without \d+, \d+, .* parameters, .* · done/);
    await lensed(/perplexity [\d.]+, .* · done/);
    await lensed(/Report/);
    const { library } = await coppice();
    await until('it is in the tree', () => library.entries().some(({ path }) => path === inWorkspace('short')));
    assert.ok(existsSync(inWorkspace('.coppice/runs')), 'records');
  });

  it('does nothing the second time, and one changed step runs with what follows it', async () => {
    await open(recipeText());
    assert.equal((await run<RecipeEnd>('runRecipe', { recipe: file })).ran, 0);
    await open(recipeText({ window: 32 }));
    await lensed(/would run: its options or inputs changed/);
    const end = await run<RecipeEnd>('runRecipe', { recipe: file });
    assert.deepEqual(statesOf(end), ['scores kept', 'pruned kept', 'quality done']);
    await open(recipeText({ window: 32, count: 3 }));
    await lensed(/would run: pruned runs again/);
    const step = await run<RecipeEnd>('runRecipeStep', { recipe: file, step: 'pruned' });
    assert.deepEqual(statesOf(step), ['scores kept', 'pruned done', 'quality open']);
  });

  it('tells its end, and shows its report', async () => {
    await open(recipeText());
    await vscode.commands.executeCommand('coppice.runRecipe', uri);
    const toast = window.toast(/small\.coppice\.json: 2 steps ran in .*; done before: 1\./);
    await toast.waitFor();
    await window.screenshot('recipe-done');
    await toast.getByRole('button', { name: 'Open Report' }).click();
    const frame = await window.frameWith('.report-head h1');
    await frame.locator('.recipe-card', { hasText: 'quality' }).first().waitFor();
    await frame.locator('#report svg').first().waitFor(); // its program runs, and no other could
    assert.ok(existsSync(inWorkspace('.coppice/small/report.md')));
    await window.screenshot('recipe-report');
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
  });

  it('shows a broken limit as a problem, until the limit or the result changes', async () => {
    await open(recipeText({ limit: 2 }));
    const end = await run<RecipeEnd>('runRecipe', { recipe: file });
    assert.equal(end.ended, 'limit');
    await until('there is a problem', () => ours().length === 1);
    const [problem] = ours();
    assert.equal((await vscode.workspace.openTextDocument(uri)).getText(problem.range), '2');
    assert.match(problem.message, /“quality” breaks the limit maxPpl: perplexity .* at most 2/);
    await lensed(/perplexity .* · breaks maxPpl/);
    await open(recipeText());
    await until('it is gone', () => ours().length === 0);
  });

  it('shows a failed step as a problem, with one action', async () => {
    await open(recipeText({ count: 12 }));
    await vscode.commands.executeCommand('coppice.runRecipe', { recipe: file });
    const toast = window.toast(/small\.coppice\.json: Step “pruned”/);
    await toast.waitFor();
    await until('there is a problem', () => ours().length === 1);
    const document = await vscode.workspace.openTextDocument(uri);
    assert.equal(document.getText(ours()[0].range), '"pruned"');
    await lensed(/failed: /);
    await window.screenshot('recipe-failed');
    await toast.getByRole('button', { name: 'Show Step' }).click();
    await until('the cursor is there', () => vscode.window.activeTextEditor?.selection.active.line === 7);
    await open(recipeText());
    await until('it is gone', () => ours().length === 0);
  });

  describe('as a task', () => {
    async function exitCode(task: vscode.Task): Promise<number | undefined> {
      const ended = new Promise<number | undefined>((done) => {
        const listening = vscode.tasks.onDidEndTaskProcess(({ execution, exitCode: code }) => {
          if (execution.task.name !== task.name) return;
          listening.dispose();
          done(code);
        });
      });
      await vscode.tasks.executeTask(task);
      return ended;
    }
    const ourTask = async (): Promise<vscode.Task> => {
      const tasks = await vscode.tasks.fetchTasks({ type: 'coppice' });
      const task = tasks.find(({ name }) => name === 'small.coppice.json');
      assert.equal(task?.definition.recipe, 'small.coppice.json');
      return task;
    };

    it('ends with 0, and with 3 where a limit is broken, and says why in its terminal', async () => {
      await open(recipeText());
      assert.equal(await exitCode(await ourTask()), 0);
      await open(recipeText({ limit: 2 }));
      assert.equal(await exitCode(await ourTask()), 3);
      await window.page.locator('.panel .xterm').first().waitFor();
      await window.screenshot('recipe-task');
    });

    it('ends with 1 where the recipe is wrong', async () => {
      await open(recipeText({ criterion: 'criterium' }));
      assert.equal(await exitCode(await ourTask()), 1);
      await open(recipeText());
    });
  });

  it('is drafted for a checkpoint and a goal, without a problem', async () => {
    await window.tidy();
    const checkpoint = staged.checkpoint;
    const drafting = vscode.commands.executeCommand<string>('coppice.newRecipe', { checkpoint });
    await window.page.locator('.quick-input-list .monaco-list-row', { hasText: '25 % fewer blocks' }).click();
    const path = await drafting;
    assert.equal(path, inWorkspace('stories.coppice.json'));
    assert.equal(vscode.window.activeTextEditor?.document.uri.fsPath, path);
    await window.toast(/stories\.coppice\.json: It removes 3 of 12 blocks/).waitFor();
    assert.match(readFileSync(path, 'utf8'), /"coppice": 1/);
    await until('it is read', async () => (await titlesOf(vscode.Uri.file(path))).length > 2);
    assert.deepEqual(vscode.languages.getDiagnostics(vscode.Uri.file(path)), []);
    await window.screenshot('recipe-new');
    const second = await run<string>('newRecipe', { checkpoint, goal: 'faster', factor: 1.5 });
    assert.equal(second, inWorkspace('stories-2.coppice.json'));
    await assert.rejects(run('newRecipe', { checkpoint, goal: 'fit', size: '1MB' }), { name: 'UserError' });
    await window.tidy();
  });

  it('has lenses that can be read in a light and in a dark theme', async () => {
    await open(recipeText());
    await run('runRecipe', { recipe: file });
    await window.tidy();
    await open(recipeText({ count: 3 }));
    await lensed(/would run/);
    const workbench = vscode.workspace.getConfiguration('workbench');
    for (const [name, theme] of [
      ['dark', 'Default Dark Modern'],
      ['light', 'Default Light Modern'],
    ]) {
      await workbench.update('colorTheme', theme, vscode.ConfigurationTarget.Global);
      await window.page.locator('.codelens-decoration', { hasText: 'Run Recipe' }).waitFor();
      await window.page.waitForTimeout(500);
      await window.screenshot(`recipe-${name}`);
    }
    await workbench.update('colorTheme', undefined, vscode.ConfigurationTarget.Global);
  });
});
