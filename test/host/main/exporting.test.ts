/**
 * Export for an application as a user meets it, with the real sidecar: the questions, what is
 * written, what is said of it, the code that loads it, and the comparison with the model.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import type { ExportResult, VerifyResult } from '../../../src/jobs/results/export';
import { checkpointLine, coppice, inWorkspace, lines, run, writeModel, writeText } from '../support/coppice';
import { until } from '../../support/until';
import { type Staged, stageSample, unstage } from '../support/sample';
import type { Window } from '../support/window';

describe('the story of an export', function () {
  this.timeout(180_000);
  let staged: Staged;
  let window: Window;
  let checkpoint: string;

  before(async () => {
    staged = await stageSample();
    ({ window } = staged);
    // The sample's tokenizer is one that llama.cpp does not have.
    checkpoint = writeModel('toy');
    await (await coppice()).library.rescan();
    await run('suggestBlocks', { checkpoint, criterion: 'magnitude', count: 1 });
    const { goals, library } = await coppice();
    goals.set((await library.load(checkpoint)).identity, { format: 'gguf', type: 'q8_0', maxBytes: 300e3 });
  });
  after(() => unstage(staged));
  afterEach(async () => {
    await window.page.keyboard.press('Escape');
    await vscode.commands.executeCommand('notifications.clearAll');
  });

  const box = () => window.page.locator('.quick-input-widget:visible');
  const asks = (text: string) => box().locator(`input[placeholder*="${text}"]`).first().waitFor();
  /** Label, description and detail of each line, with nothing between the first two. */
  const rows = async (): Promise<string[]> =>
    (await box().locator('.quick-input-list .monaco-list-row').allInnerTexts()).map((row) =>
      row.replace(/\s+/g, ' ').trim(),
    );
  const choose = (label: string) => box().locator('.monaco-list-row', { hasText: label }).first().click();
  const exporting = (): Thenable<ExportResult> => vscode.commands.executeCommand('coppice.exportModel', { checkpoint });

  async function enterPath(prompt: string, proposed: RegExp, path: string): Promise<void> {
    await box().locator('.quick-input-message').getByText(prompt).waitFor();
    const input = box().locator('input').first();
    assert.match(await input.inputValue(), proposed);
    await input.fill(path);
    await input.press('Enter');
  }

  it('asks format, type and place of a GGUF file, which has the plan and is in the tree, with code that loads it', async () => {
    const running = exporting();
    await asks('Select a format');
    assert.deepEqual(await rows(), [
      'GGUFllama.cpp, Ollama, LM Studio',
      'ONNXonnxruntime, transformers.js, onnxruntime-genai',
      'safetensorstransformers, vLLM',
    ]);
    await window.screenshot('exporting-1-format');
    await choose('GGUF');
    await asks('Select the type of the weights');
    const sizes = (await rows()).filter((row) =>
      / ?[\d.]+ [kM]B · (within|more than) the goal of 300\.0 kB · /.test(row),
    );
    assert.ok(sizes.length > 3, sizes.join('\n'));
    assert.match(
      sizes.find((row) => row.startsWith('q8_0'))!,
      /practically no loss · recommended/,
    );
    assert.match(
      sizes.find((row) => row.startsWith('q8_0'))!,
      /within/,
    );
    assert.match(
      sizes.find((row) => row.startsWith('f32'))!,
      /more than/,
    );
    await window.screenshot('exporting-1-sizes');
    // The goal's type is the default.
    await window.page.keyboard.press('Enter');
    await box()
      .getByText(/Takes [\d.]+ kB of [\d.,]+ [GT]B that are free\./)
      .waitFor();
    await enterPath('The new file', /toy-7-blocks-q8_0\.gguf$/, 'short.gguf');
    await window.toast('Exported short.gguf').getByRole('button', { name: 'Compare with the Original' }).waitFor();
    const { format, type, removed, verified } = await running;
    assert.deepEqual([format, type, removed.length, verified?.passed], ['gguf', 'q8_0', 1, true]);
    await vscode.commands.executeCommand('notifications.clearAll');
    await window.row('short.gguf').waitFor();
    await window.screenshot('exporting-2-gguf');
    const copying = vscode.commands.executeCommand<string>('coppice.copyLoadingCode', inWorkspace('short.gguf'));
    await asks('Select a library');
    assert.deepEqual(
      (await rows()).map((row) => row.replace(/ (npm|pip) .*/, '')),
      ['llama.cppshell', 'Ollamashell', 'node-llama-cppnode', 'llama-cpp-pythonpython'],
    );
    await choose('node-llama-cpp');
    assert.match(await copying, /short\.gguf/);
  });

  it('asks by which text a type of few bits rounds, and says what was measured', async () => {
    const running = exporting();
    await asks('Select a format');
    await choose('GGUF');
    await asks('Select the type of the weights');
    await choose('q4_0');
    await asks('Round by the importance of columns?');
    const choices = await rows();
    assert.match(
      choices[0],
      /Bundled sample text.*Recommended: the columns that this text uses most are rounded least/,
    );
    assert.ok(
      ['All columns alike', 'An importance matrix…', 'Browse…'].every((label) =>
        choices.some((row) => row.includes(label)),
      ),
      choices.join('\n'),
    );
    await window.screenshot('exporting-2-importance');
    await window.page.keyboard.press('Enter');
    await enterPath('The new file', /toy-7-blocks-q4_0\.gguf$/, 'rounded.gguf');
    const { type, imatrix, verified } = await running;
    assert.deepEqual([type, imatrix?.from, imatrix?.matrices, verified?.passed], ['q4_0', 'auto', 49, true]);
  });

  it('asks types and target of an ONNX folder, and offers the code that loads it', async () => {
    const running = exporting();
    await asks('Select a format');
    await choose('ONNX');
    await asks('Select the types of the models');
    await window.screenshot('exporting-3-types');
    await window.page.keyboard.press('Enter');
    await asks('Select where the models will run');
    await choose('WebGPU');
    await enterPath('The new folder', /toy-7-blocks-onnx-q8$/, 'page');
    const { format, type, removed, verified } = await running;
    assert.deepEqual([format, type, removed.length, verified?.passed], ['onnx', 'q8', 1, true]);
    const toast = window.toast('Exported page and compared it with the model.');
    await toast.waitFor();
    await window.screenshot('exporting-4-done');
    await toast.getByRole('button', { name: 'Copy Code to Load It' }).click();
    await asks('Select a library');
    const offered = await rows();
    const hasGenai = existsSync(inWorkspace('page', 'genai_config.json'));
    assert.equal(
      offered.some((row) => row.startsWith('onnxruntime-genai')),
      hasGenai,
    );
    await window.screenshot('exporting-5-code');
    await choose('browser');
    const wanted = /models\/page\/.*navigator\.gpu \? 'webgpu'/s;
    await until('it is copied', async () => wanted.test(await vscode.env.clipboard.readText()));
  });

  it('has a line below the model for everything that was exported, also when the files are looked for again', async () => {
    await vscode.commands.executeCommand('notifications.clearAll');
    const exports = async (): Promise<readonly string[]> => {
      const { node } = await checkpointLine(checkpoint);
      const below = await lines(node);
      return below
        .filter(({ item }) => /^(export$|checkpoint.*\.exported)/.test(item.contextValue ?? ''))
        .map(({ item }) => `${item.label as string} · ${item.description as string}`);
    };
    const expected = [
      /^short\.gguf · exported · q8_0 · [\d.]+ kB · 7 of 8 blocks$/,
      /^rounded\.gguf · exported · q4_0 · [\d.]+ kB · 7 of 8 blocks$/,
      /^page · exported · q8 · [\d.]+ [kM]B$/,
    ];
    const check = async (): Promise<void> => {
      const found = await exports();
      assert.equal(found.length, expected.length, found.join('\n'));
      expected.forEach((pattern) =>
        assert.ok(
          found.some((line) => pattern.test(line)),
          `${pattern} in ${found.join('\n')}`,
        ),
      );
    };
    await check();
    await vscode.commands.executeCommand('coppice.refreshCheckpoints');
    await check();
    await window.widenSideBar();
    const row = window.row('page').first();
    await row.hover();
    for (const name of ['Copy Code to Load It', 'Verify Exported Model…', 'Reveal in Explorer'])
      await row.getByRole('button', { name }).first().waitFor();
    await window.screenshot('exporting-6-lines');
    // The last export comes first in the code of the model.
    const copying = vscode.commands.executeCommand<string>('coppice.copyLoadingCode', { checkpoint });
    await asks('Select a library');
    assert.match((await rows())[0], /page · q8/);
    await choose('browser');
    assert.match(await copying, /models\/page\//);
  });

  it('is found again from its job', async () => {
    const { jobs } = await coppice();
    await jobs.readAgain();
    const job = jobs.lines.find(({ line }) => line.kind === 'finished' && line.run.digest.exported === 'page')!;
    assert.equal(jobs.getTreeItem(job).contextValue, 'finished.export');
    const copying = vscode.commands.executeCommand<string>('coppice.copyLoadingCode', job);
    await asks('Select a library');
    await choose('browser');
    assert.match(await copying, /models\/page\//);
  });

  it('compares what was written with the plan of that time', async () => {
    await run('resetPlan', { checkpoint });
    for (const [name, format] of [
      ['short.gguf', 'gguf'],
      ['page', 'onnx'],
    ] as const) {
      const given = { output: inWorkspace(name), consumers: false };
      const result = await vscode.commands.executeCommand<VerifyResult>('coppice.verifyExport', given);
      assert.deepEqual([result.format, result.removed.length, result.verified.passed], [format, 1, true]);
      await window.toast(`${name} matches toy within the rounding of its type.`).waitFor();
    }
    await window.screenshot('exporting-6-verified');
    await vscode.commands.executeCommand('notifications.clearAll');
    // Without other programs on this machine there is no question.
    await vscode.commands.executeCommand('coppice.verifyExport', { output: inWorkspace('short.gguf') });
    await window.toast('short.gguf matches toy within the rounding of its type.').waitFor();
  });

  it('asks which model where healed weights belong to it', async () => {
    const heal = inWorkspace('short.patch.safetensors');
    await run('heal', { checkpoint, remove: [5], data: writeText('prose.txt'), tokens: 1024, patch: heal });
    const running = exporting();
    await asks('Select the model to write');
    assert.deepEqual(await rows(), ['Original', 'shorthealed weights short.patch.safetensors']);
    await window.screenshot('exporting-7-healed');
    await choose('healed weights');
    await asks('Select a format');
    await choose('GGUF');
    await asks('Select the type of the weights');
    await choose('As stored');
    await enterPath('The new file', /toy-healed(-\w+)?\.gguf$/, 'healed.gguf');
    const { removed, verified } = await running;
    assert.deepEqual([removed, verified?.passed], [[5], true]);
  });
});
