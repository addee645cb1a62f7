/** Jobs on a real Slurm: they stand in the queue, and what they bring is what a local job brings. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import type { ClusterRuns } from '../../../src/host/cluster/cluster-runs';
import type { RecipeEnd } from '../../../src/recipes/types';
import type { ScoreResult } from '../../../src/jobs/results/score';
import { until } from '../../support/until';
import { checkpointLine, coppice, EXTENSION_ID, inWorkspace, lines, run } from '../support/coppice';
import { type Staged, stageSample, unstage } from '../support/sample';
import { Slurm } from '../support/slurm';
import type { Window } from '../support/window';

describe('a cluster', function () {
  let slurm: Slurm | undefined;
  let staged: Staged | undefined;
  let window: Window;
  let folder: string;
  let checkpoint: string;

  before(async function () {
    const missing = Slurm.missing();
    if (missing !== undefined) {
      console.log(`    skipped: ${missing}`);
      this.skip();
    }
    slurm = await Slurm.start();
    staged = await stageSample();
    ({ window, checkpoint } = staged);
    folder = mkdtempSync(join(tmpdir(), 'coppice-shared-'));
    await describeCluster({});
  });
  after(async () => {
    slurm?.stop();
    if (!staged) return;
    await unstage(staged);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Nodes run this very build. */
  const describeCluster = (more: object): Thenable<void> =>
    vscode.workspace.getConfiguration('coppice').update(
      'cluster',
      {
        scheduler: 'slurm',
        folder,
        command: [process.execPath, join(vscode.extensions.getExtension(EXTENSION_ID)!.extensionPath, 'dist/cli.cjs')],
        parts: 4,
        ...more,
      },
      vscode.ConfigurationTarget.Workspace,
    );

  /** A job is in the list with these words. */
  const listed = (words: RegExp): Promise<void> =>
    until(`a job on the cluster: ${words.source}`, async () => {
      const { jobs } = (await coppice()).sidecar;
      return jobs.some(({ on, progress }) => on === 'cluster' && words.test(progress?.label ?? ''));
    });

  it('scores blocks by parts; the job is in the queue, and its numbers are those of one process', async () => {
    const { page } = window;
    const { scores, sidecar, library } = await coppice();
    await vscode.commands.executeCommand('workbench.view.extension.coppice');
    await window.widenSideBar();
    await window.row('stories').first().waitFor();
    await window.command('Coppice: Run on Cluster…');
    await window.enter('Shortened LLaMA');
    await window.enter('Bundled sample text');
    await page.locator('.quick-input-widget:visible').getByText('Number of parts').waitFor();
    await window.screenshot('cluster-0-parts');
    await window.enter('Number of parts');
    await listed(/\d of 4 parts/);
    await page
      .locator('.statusbar-item[id*="coppice"]')
      .getByText(/Scoring/)
      .waitFor();
    await window.jobRow('Scoring stories by ppl on the cluster').waitFor();
    void vscode.commands.executeCommand('coppice.showJobs');
    await page.locator('.quick-input-list').getByText('Scoring stories on the cluster').waitFor();
    await window.screenshot('cluster-1-queue');
    await page.keyboard.press('Escape');
    await until('scores in the tree', async () => {
      const { node } = await checkpointLine(checkpoint);
      return (await lines(node)).some(({ item }) => /^[▁-█] \d/.test(String(item.description)));
    });
    await window.screenshot('cluster-2-scored');
    await run('openResults', { checkpoint });
    const panel = await window.frameWith('.card.importance');
    await panel.locator('.card.importance [aria-label*="perplexity without it"]').first().waitFor();
    await window.screenshot('cluster-2-panel');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');

    const subject = { path: checkpoint, identity: library.peek(checkpoint)!.identity };
    const found = scores.latest(subject, 'ppl')!;
    assert.equal(dirname(found.record!), inWorkspace('.coppice/runs'));
    const { calibration } = (await coppice()).config;
    const { file, ...drawing } = calibration;
    const local = await sidecar.run({
      kind: 'score',
      checkpoint,
      criterion: 'ppl',
      calibration: file,
      ...drawing,
      precision: 'float32',
      device: 'cpu',
    });
    const { blocks, full } = local.result;
    assert.deepEqual(
      found.blocks,
      blocks!.map(({ score }) => score),
    );
    assert.equal(found.fullPpl, full!.ppl);
    const record = JSON.parse(readFileSync(found.record!, 'utf8')) as { kind: string };
    assert.equal(record.kind, 'score');
  });

  it('runs a step of a recipe, which is done after that', async () => {
    const recipe = inWorkspace('parts.coppice.json');
    const scores = {
      job: 'score',
      options: { criterion: 'ppl', calibration: 'stories/calibration.txt', samples: 1, length: 16 },
    };
    writeFileSync(recipe, JSON.stringify({ coppice: 1, model: './stories', steps: { scores } }, null, 2));
    const uri = vscode.Uri.file(recipe);
    await vscode.window.showTextDocument(uri);
    await until('a lens', async () => {
      const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
        'vscode.executeCodeLensProvider',
        uri,
        100,
      );
      return lenses.some(({ command }) => command?.title.includes('Run on Cluster'));
    });
    await window.page.locator('.codelens-decoration').getByText('Run on Cluster').waitFor();
    await window.screenshot('cluster-3-lens');
    const end = run<RecipeEnd>('runRecipeStepOnCluster', { recipe, step: 'scores', parts: 2 });
    await listed(/of 2 parts/);
    const { steps } = await end;
    const [{ state, finished }] = steps;
    assert.equal(state, 'done');
    assert.equal(dirname(finished!.record!), inWorkspace('.coppice/runs'));
    const again = await run<RecipeEnd>('runRecipe', { recipe });
    assert.deepEqual([again.ran, again.steps[0].state], [0, 'kept']);
  });

  it('says which part failed, and why', async () => {
    await describeCluster({ command: ['false'] });
    await assert.rejects(
      run('runOnCluster', { checkpoint, criterion: 'ppl', samples: 1, parts: 2 }),
      (error: Error) => {
        assert.match(error.message, /^Parts 1-2 of 2 failed on the cluster/);
        return true;
      },
    );
    await describeCluster({});
  });

  it('takes a cancelled run out of the hands of Slurm', async () => {
    const going = run('runOnCluster', { checkpoint, criterion: 'ppl', samples: 1, parts: 3 });
    const ends = assert.rejects(going, { name: 'CancelledError' });
    await listed(/of 3 parts/);
    await run('cancelJob');
    await ends;
    await until('nothing is in the queue', () => {
      return Promise.resolve(execFileSync('squeue', ['-h', '-r'], { encoding: 'utf8' }).trim() === '');
    });
    assert.ok((await coppice()).cluster.left.every(({ failed }) => failed));
    const last = readdirSync(folder)
      .filter((name) => name.includes('-score-'))
      .sort()
      .at(-1)!; // names begin with the time
    const records = readdirSync(join(folder, last, 'parts')).filter((name) => name.endsWith('.json'));
    assert.ok(records.length < 3, 'the parts ran to their ends');
  });

  it('goes on while the window is closed, which finds its runs again', async () => {
    const { cluster } = await coppice();
    const going = run<ScoreResult>('runOnCluster', { checkpoint, criterion: 'ppl', samples: 1, parts: 2 });
    const ends = assert.rejects(going, { name: 'CancelledError' });
    await listed(/of 2 parts/);
    cluster.dispose();
    await ends;
    const host = (cluster as unknown as { host: ConstructorParameters<typeof ClusterRuns>[0] }).host;
    const again = new (cluster.constructor as typeof ClusterRuns)(host);
    const [left] = again.left.filter(({ failed }) => !failed);
    const { result } = await again.takeUp(left);
    assert.equal((result as ScoreResult).criterion, 'ppl');
    assert.ok(again.left.every(({ failed }) => failed));
  });
});
