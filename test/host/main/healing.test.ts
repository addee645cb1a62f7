/**
 * Pruning with healing as a user meets it, on the sample model and with the real sidecar: without a plan the blocks are
 * chosen first, the questions say what each choice costs, and the results panel shows what healing brought back.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import type { ModuleSuggestion } from '../../../src/commands/suggest-modules';
import { readRecord } from '../../../src/engine/records/record';
import type { HealResult } from '../../../src/jobs/results/heal';
import type { PruneResult } from '../../../src/jobs/results/prune';
import {
  clearWorkspace,
  coppice,
  EXTENSION_ID,
  forgetAnswers,
  inWorkspace,
  resetSettings,
  run,
} from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

/** Scoring, writing the text and healing each take seconds on an idle machine. */
const PATIENCE_MS = 90_000;
const COUNT = 3;

describe('the story of healing', function () {
  this.timeout(3 * PATIENCE_MS);
  let window: Window;
  let checkpoint: string;

  before(async () => {
    window = await Window.connect();
    await resetSettings();
    await clearWorkspace();
    await window.tidy();
    await forgetAnswers();
    checkpoint = inWorkspace('stories');
    const sample = join(vscode.extensions.getExtension(EXTENSION_ID)!.extensionPath, 'media/sample');
    cpSync(sample, checkpoint, { recursive: true });
    await (await coppice()).library.rescan();
    await setting('calibration.samples', 4);
    await setting('calibration.length', 64);
  });
  after(async () => {
    await resetSettings();
    await forgetAnswers();
    await window.tidy();
    await clearWorkspace();
    await vscode.commands.executeCommand('workbench.view.extension.coppice');
    await window.disconnect();
  });

  afterEach(() => window.page.keyboard.press('Escape'));

  const box = () => window.page.locator('.quick-input-widget:visible');
  const focused = async (): Promise<string> =>
    (await box().locator('.quick-input-list .monaco-list-row.focused').innerText()).replace(/\s+/g, ' ');
  const asks = (text: string) => box().locator(`input[placeholder*="${text}"]`).first().waitFor();

  async function planned(): Promise<readonly number[]> {
    const { library, plans } = await coppice();
    const { identity, architecture } = await library.load(checkpoint);
    return plans.removed({ path: checkpoint, identity, blocks: architecture!.layers.length });
  }

  it('chooses blocks by greedy search where there is no plan, and heals, with the time of both', async () => {
    const out = inWorkspace('shorter');
    const pruning = vscode.commands.executeCommand<PruneResult>('coppice.pruneCheckpoint', { checkpoint });
    await asks('Select how to choose those to remove');
    assert.match(await focused(), /^Greedy\s*(about|roughly|a few) /);
    await window.screenshot('healing-1-criterion');
    await window.page.keyboard.press('Enter');
    await box().locator('.quick-input-message').getByText('Removes 2 of 12 blocks').waitFor();
    await box().locator('input').first().fill(String(COUNT));
    await box().locator('.quick-input-message').getByText('Removes 3 of 12 blocks').waitFor();
    await window.page.keyboard.press('Enter');
    await asks('Heal after pruning?');
    // Either may take less than two minutes on this machine: Enter takes what does.
    assert.match(await focused(), /^Heal (after pruning|quickly)\s*(about|roughly|a few) .* the first time, then /);
    await window.screenshot('healing-2-amount');
    await window.pick('Heal quickly');
    await box().locator('.quick-input-message').getByText('Chooses 3 blocks by greedy').waitFor();
    assert.match(await box().locator('input').first().inputValue(), /stories-9-blocks-healed$/);
    await box().locator('input').first().fill('shorter');
    await window.page.keyboard.press('Enter');
    const { removed, healing } = await pruning;
    assert.equal(removed.length, COUNT);
    assert.deepEqual(await planned(), removed);
    assert.equal(healing!.weights, 'healed');
    assert.ok(Number(healing!.heldOut!.after.kl) < Number(healing!.heldOut!.before.kl));
    const { kind, settings } = await readRecord(join(out, 'coppice.json'));
    assert.deepEqual([kind, settings.criterion, settings.method], ['heal', 'greedy', 'refit']);
    await window.row(basename(out)).waitFor();
    const { speeds } = await coppice();
    const work = { kind: 'products', work: 'heal', size: 1e6, flops: 1e9 } as const;
    await until('the next estimate is that of this machine', () => speeds.timeOf(work).measured);
  });

  it('asks of a plan only whether to heal, with the last answer, and where to', async () => {
    const pruning = vscode.commands.executeCommand('coppice.pruneCheckpoint', { checkpoint });
    await asks('Heal after pruning?');
    assert.match(await focused(), /^Heal quickly\s*(about|a few) /);
    await window.page.keyboard.press('ArrowDown');
    assert.match(
      await focused(),
      /^Heal on a text of yours…\s*(about|roughly|a few) /,
      'the sample was scored on no other text',
    );
    await window.page.keyboard.press('ArrowDown');
    assert.match(await focused(), /^Prune only/);
    await window.page.keyboard.press('Enter');
    await box()
      .locator('.quick-input-message')
      .getByText(/Removes /)
      .waitFor();
    await window.page.keyboard.press('Escape');
    await pruning;
  });

  it('heals the plan into a file of new weights, which is no checkpoint, and the command line says how', async () => {
    const patch = inWorkspace('plan.patch.safetensors');
    const healed = await run<HealResult>('heal', { checkpoint, data: 'self', tokens: 2048, patch });
    assert.deepEqual(healed.removed, await planned());
    assert.deepEqual([healed.patch, healed.out], [patch, null]);
    const { library } = await coppice();
    await until('it is found', () => library.patches().includes(patch));
    assert.ok(!library.entries().some(({ path }) => path === patch || path === inWorkspace()));
    const line = await run<string>('copyCliCommand');
    assert.match(
      line,
      /^coppice heal \S+ --remove [\d,-]+ --data self --tokens 2048 --patch \S+plan\.patch\.safetensors/,
    );
  });

  it('asks for text, amount and output of a healing', async () => {
    const healing = vscode.commands.executeCommand('coppice.heal', { checkpoint });
    await asks('Which text should the model be healed on?');
    assert.match(await focused(), /^\s*Text that the original writes\s*needs no data/);
    await window.page.keyboard.press('Enter');
    await asks('Select how much text to heal on');
    await window.page.keyboard.press('Enter');
    await asks('Select what to write');
    assert.match(await focused(), /^New checkpoint/);
    await window.page.keyboard.press('ArrowDown');
    await window.page.keyboard.press('Enter');
    await box().getByText('File for the new weights').waitFor();
    const input = box().locator('input').first();
    assert.match(await input.inputValue(), /stories-healed\.patch\.safetensors$/);
    await input.fill('healed.safetensors');
    await box().getByText('Enter a file that ends in .patch.safetensors').waitFor();
    await window.page.keyboard.press('Escape');
    await healing;
  });

  it('suggests attention and FFN apart, says what they are good for, and heals them into a patch only', async () => {
    await run('resetPlan', { checkpoint });
    const suggesting = vscode.commands.executeCommand<ModuleSuggestion>('coppice.suggestBlocks', {
      checkpoint,
      criterion: 'greedy',
    });
    await asks('Select how to set the size');
    await box().locator('input').first().fill('Attention');
    await until('it is the only choice', async () => (await focused()).startsWith('Attention and FFN apart'));
    assert.match(await focused(), /to judge and heal here: no checkpoint can be written without one of the two/);
    await window.page.keyboard.press('Enter');
    await asks('Select how much is to go');
    await window.page.keyboard.press('Enter');
    await box().getByText('Number of blocks that attention and FFN should save as much as').waitFor();
    await box().locator('input').first().fill('3'); // less is best saved by whole blocks here
    await window.page.keyboard.press('Enter');
    await asks('Select what the parts should save');
    assert.match(await focused(), /^Bytes of the files/);
    await window.page.keyboard.press('Enter');
    const { removed } = await suggesting;
    assert.ok(
      removed.some((part) => String(part).includes('.')),
      removed.join(),
    );
    assert.deepEqual(await planned(), []);
    const toast = window.toast('It can be judged and healed here, not written.');
    await toast.waitFor();
    await toast.hover();
    await window.screenshot('healing-modules');
    await toast.getByText('Heal…').click();
    await asks('Which text should the model be healed on?');
    await window.page.keyboard.press('Enter');
    await asks('Select how much text to heal on');
    await window.page.keyboard.press('Enter');
    // Not what to write: there is one way.
    await box().getByText('File for the new weights').waitFor();
    await window.page.keyboard.press('Escape');
  });

  it('refuses to heal a model that lacks nothing', async () => {
    await run('resetPlan', { checkpoint });
    await assert.rejects(run('heal', { checkpoint, out: inWorkspace('never') }), { what: 'Nothing to heal' });
    assert.ok(!existsSync(inWorkspace('never')));
  });

  for (const theme of ['Default Dark Modern', 'Default Light Modern']) {
    it(`shows what healing brought back, in ${theme}`, async () => {
      const settings = vscode.workspace.getConfiguration('workbench');
      await settings.update('colorTheme', theme, vscode.ConfigurationTarget.Global);
      await vscode.commands.executeCommand('workbench.action.closeSidebar');
      const { healing } = (await readRuns()).find((result) => result.healing)!;
      await run('toggleBlock', { checkpoint, blocks: (await planned()).length > 0 ? [] : healing!.removed });
      await run('openResults', { checkpoint });
      const frame = await window.frameWith('.card.healing .target');
      const card = frame.locator('.card.healing');
      const words = (await card.innerText()).replace(/\s+/g, ' ');
      assert.match(words, /KL divergence from the original [\d.]+ from [\d.]+/);
      assert.match(words, /Measured on \d+ rows? of text by stories, not fitted/);
      const healed = frame.locator('.figure-box.healed');
      const button = frame.locator('.healing').getByRole('button', { name: 'Measure Healed Plan' });
      if ((await button.getAttribute('disabled')) === null) await button.click();
      await until(
        'its perplexity',
        async () => /[\d.]+\s+[\d.]+× of the plain/.test(await healed.innerText()),
        PATIENCE_MS,
      );
      const targets = await frame.locator('.curve .target').all();
      const labels = await Promise.all(targets.map(async (target) => (await target.getAttribute('aria-label')) ?? ''));
      assert.ok(
        labels.some((label) => label.includes('healed: 3 removed, perplexity')),
        labels.join('\n'),
      );
      await window.screenshot(`healing-3-panel-${theme.split(' ')[1].toLowerCase()}`);
      await card.scrollIntoViewIfNeeded();
      await frame.locator('.dock.is-stuck').waitFor(); // the small figures, while the large ones are out of view
      await window.screenshot(`healing-4-card-${theme.split(' ')[1].toLowerCase()}`);
      await settings.update('colorTheme', undefined, vscode.ConfigurationTarget.Global);
      await window.tidy();
    });
  }

  /** Results of the prunings in this workspace. */
  async function readRuns(): Promise<PruneResult[]> {
    const folder = vscode.Uri.file(inWorkspace('.coppice/runs'));
    const names = (await vscode.workspace.fs.readDirectory(folder)).map(([name]) => name);
    const records = await Promise.all(
      names.filter((name) => name.includes('-prune-')).map((name) => readRecord(join(folder.fsPath, name))),
    );
    return records.map(({ results }) => results as unknown as PruneResult);
  }
});

async function setting(key: string, value: unknown): Promise<void> {
  await vscode.workspace.getConfiguration('coppice').update(key, value, vscode.ConfigurationTarget.Workspace);
}
