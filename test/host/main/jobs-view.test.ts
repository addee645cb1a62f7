/** The view "Jobs" as the window shows it: lines, their actions and keys, and no notification over a panel. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { CancelledError } from '../../../src/engine/errors';
import { newRecord, recordText } from '../../../src/engine/records/record';
import { clearWorkspace, coppice, inWorkspace, resetSettings, run, writeModel, writeText } from '../support/coppice';
import { full } from '../../support/shared';
import { until } from '../../support/until';
import { Window } from '../support/window';

const CancelledLike = { name: new CancelledError().name };
const THEMES = [
  ['Default Dark Modern', 'vs-dark'],
  ['Default Light Modern', 'vs'],
  ['Default High Contrast', 'hc-black'],
  ['Default High Contrast Light', 'hc-light'],
] as const;

describe('the view of jobs', () => {
  let window: Window;
  let checkpoint: string;
  let text: string;
  const theme = vscode.workspace.getConfiguration('workbench');

  before(async () => {
    window = await Window.connect();
    await resetSettings();
    await clearWorkspace();
    await window.tidy();
    checkpoint = writeModel('oak');
    text = writeText('prose.txt');
    await run('refreshCheckpoints');
    const { failed, journal } = await coppice();
    for (const { id } of failed.all) failed.dismiss(id); // of other tests
    for (const spec of [...journal.stopped, ...journal.cancelled]) journal.forget(spec);
    await vscode.commands.executeCommand('coppice.jobs.focus');
    await window.widenSideBar();
  });
  afterEach(async () => {
    const { sidecar } = await coppice();
    for (const { id } of sidecar.jobs) await sidecar.cancel(id); // of a test that failed
    await window.tidy();
  });
  after(async () => {
    await theme.update('colorTheme', undefined, vscode.ConfigurationTarget.Global);
    await window.disconnect();
  });

  const training = (out: string, more: object = {}): object => {
    const settings = { batch: 2, length: 32 };
    return { checkpoint, data: [text], steps: 100_000, out: inWorkspace(out), device: 'cpu', settings, ...more };
  };
  /** Clicks an action of a line, which is shown while the mouse is over it. */
  const act = async (line: string | RegExp, name: string): Promise<void> => {
    await window.jobRow(line).first().hover();
    await window.jobRow(line).first().getByRole('button', { name }).click();
  };

  it('says in one sentence what it is for while it is empty', async () => {
    await window.page.getByText('are listed here while they run and when they are done').first().waitFor();
    await window.screenshot('jobs-view-empty');
  });

  it('lists no runs of windows without a folder', async () => {
    const { context, jobs } = await coppice();
    const own = join(context.globalStorageUri.fsPath, 'runs');
    const record = newRecord({
      kind: 'score',
      inputs: [{ role: 'model', name: 'elsewhere', identity: 'X' }],
      settings: { criterion: 'ppl' },
      results: {},
      started: new Date(),
    });
    mkdirSync(own, { recursive: true });
    const file = join(own, '20260101-000000-score-elsewhere.json');
    writeFileSync(file, recordText(record));
    await jobs.readAgain();
    assert.ok(!jobs.lines.some(({ words }) => words.label.includes('elsewhere')));
    rmSync(file);
  });

  it('lists what is done; a click shows the run in the results panel, and other actions are at hand', async () => {
    await run('scoreBlocks', { checkpoint, criterion: 'magnitude' });
    await window.jobRow('Scored oak by magnitude').getByText('just now').waitFor();
    await window.jobRow('Scored oak by magnitude').click();
    const frame = await window.frameWith('.card.importance');
    await frame.locator('.card.importance').getByText('Selected: Scored blocks by magnitude').waitFor();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await act('Scored oak by magnitude', 'Open Record');
    await until('the record is open', () =>
      (vscode.window.activeTextEditor?.document.fileName ?? '').includes('-score-'),
    );
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    const [node] = (await coppice()).jobs.lines;
    const line = await vscode.commands.executeCommand<string>('coppice.copyCliCommand', node, [node]);
    assert.ok(line.startsWith(`coppice score ${checkpoint} --criterion magnitude`), line);
  });

  it('shows how far jobs are, and cancels what runs and what waits', async () => {
    const firstEnds = assert.rejects(run('retrainLora', training('first')), CancelledLike);
    const secondEnds = assert.rejects(run('retrainLora', training('second')), CancelledLike);
    await window.jobRow(/Retraining oak.*%.*about .* left/s).waitFor();
    await window.jobRow(/Retraining oak.*waiting/s).waitFor();
    assert.equal(await window.page.locator('.notification-toast').count(), 0, 'a notification covers the editor');
    await window.page.locator('.activitybar .badge-content', { hasText: '2' }).waitFor();
    const rows = await window.page.locator(window.jobRows).count();
    assert.equal(rows, 3);
    await window.screenshot('jobs-view-running');
    const { sidecar } = await coppice();
    const left = (count: number) => () => Promise.resolve(sidecar.jobs.length === count);
    await window.actOnJob(/Retraining oak.*waiting/s, 'Cancel Job', left(1));
    await secondEnds;
    await until('it has made a step', async () => ((await coppice()).sidecar.jobs[0]?.progress?.done ?? 0) > 0);
    await window.actOnJob(/Retraining oak.*left/s, 'Cancel Job', left(0));
    await firstEnds;
    await window.jobRow(/Retraining oak.*stopped at step \d+ of 100000/s).waitFor();
  });

  it('shows why a job failed with a way out, and what was stopped', async () => {
    const gpu = process.platform === 'win32' ? 'coreml' : 'dml'; // which this system never has
    await vscode.commands.executeCommand('coppice.evaluatePerplexity', { checkpoint, text, limit: 2, device: gpu });
    await window.jobRow(/Evaluating oak.*failed:/s).waitFor();
    await window.tidy();
    for (const [each, className] of full ? THEMES : THEMES.slice(-1)) {
      await theme.update('colorTheme', each, vscode.ConfigurationTarget.Global);
      await window.page.locator(`.monaco-workbench.${className}`).first().waitFor();
      await window.screenshot(`jobs-view-${className}`);
    }
    await theme.update('colorTheme', undefined, vscode.ConfigurationTarget.Global);
    await window.jobRow('failed:').click();
    const toast = window.toast(`The device "${gpu}" cannot be used`);
    await toast.getByRole('button', { name: 'Run on the CPU' }).click();
    await window.jobRow(/Evaluated oak.*just now/s).waitFor();
    await until('it is no longer failed', async () => (await window.jobRow('failed:').count()) === 0);
  });

  it('shows nothing over the panel of the checkpoint, which has the progress and the result itself', async () => {
    await run('openResults', { checkpoint });
    const frame = await window.frameWith('.card.importance');
    await until('the panel is seen', async () => (await coppice()).panels.has(checkpoint));
    await vscode.commands.executeCommand('coppice.evaluatePerplexity', { checkpoint, text, limit: 2 });
    assert.equal(await window.toast(/Perplexity/).count(), 0);
    await vscode.commands.executeCommand('notifications.clearAll'); // the warning that stories are no prose
    const ends = assert.rejects(run('retrainLora', training('panel')), CancelledLike);
    await frame
      .getByText(/Retraining|step \d/)
      .first()
      .waitFor();
    assert.equal(await window.page.locator('.notification-toast').count(), 0);
    await window.screenshot('jobs-view-panel');
    // Only a training that has made a step has a state to resume from.
    await until('it has made a step', async () => ((await coppice()).sidecar.jobs[0]?.progress?.done ?? 0) > 0);
    await run('cancelJob');
    await ends;
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await until('the panel is gone', async () => !(await coppice()).panels.has(checkpoint));
    await vscode.commands.executeCommand('coppice.evaluatePerplexity', { checkpoint, text, limit: 2 });
    await window.toast(/Perplexity [\d.]+ on the first 2 windows of prose\.txt/).waitFor();
    assert.equal(await window.toast(/Perplexity/).count(), 1, 'the first one was shown too, only later');
    await run('discardTraining', { out: inWorkspace('panel') });
  });

  it('says what an issue would contain, without a path, before anything is sent', async () => {
    const text = await run<string>('reportIssue');
    assert.equal(vscode.window.activeTextEditor?.document.getText(), text);
    for (const part of ['- Coppice: ', `- VS Code: ${vscode.version}`, 'score begins: <path>'])
      assert.ok(text.includes(part), part);
    assert.ok(!text.includes(inWorkspace()), text);
    await window.screenshot('report-issue');
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  });

  it('discards what was stopped, and deletes records, by keys and by commands', async () => {
    const { jobs } = await coppice();
    await vscode.commands.executeCommand('coppice.jobs.focus');
    const stopped = jobs.lines.find(({ line }) => line.kind === 'training')!;
    await run('removeJob', { jobs: [stopped] });
    assert.ok(!existsSync(inWorkspace('first.training')));
    await until('its line is gone', async () => (await window.jobRow('stopped at').count()) === 0);

    const records = (): string[] => readdirSync(inWorkspace('.coppice/runs')).filter((name) => name.endsWith('.json'));
    const cancelled = jobs.lines.find(({ line }) => line.kind === 'stopped' && line.job.cancelled)!;
    await window.jobRow(/Retraining oak.*cancelled/s).waitFor();
    await vscode.commands.executeCommand('coppice.discardJob', cancelled, [cancelled]); // it has nothing to lose
    await until('its line is gone', async () => (await window.jobRow('cancelled').count()) === 0);
    const newest = jobs.lines.find(({ line }) => line.kind === 'finished')!;
    assert.ok(newest.line.kind === 'finished' && records().includes(basename(newest.line.run.file)));
    const count = records().length;
    await run('removeJob', { jobs: [newest] });
    assert.equal(records().length, count - 1);
    // A key works on the line with the focus; what it deletes needs a word of the user, whom VS Code does not ask in tests.
    await window.jobRow('Scored oak').click();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await vscode.commands.executeCommand('coppice.jobs.focus');
    await window.page.keyboard.press('Delete');
    await window.page.keyboard.press('F5');
    assert.equal(records().length, count - 1);
  });
});
