/** A GGUF file is a checkpoint: its lines and plan, what is computed with it, where outputs go, its statistics. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { relativesOf } from '../../../src/commands/comparable-models';
import { summarize } from '../../../src/engine/checkpoint/summary';
import { InputWatch } from '../../../src/engine/records/changes';
import { readRecord } from '../../../src/engine/records/record';
import { RunStore } from '../../../src/jobs/record-store';
import { outputFolder } from '../../../src/host/ask/output-folder';
import type { HealResult } from '../../../src/jobs/results/heal';
import type { EvaluateResult } from '../../../src/jobs/results/eval';
import type { GenerateResult } from '../../../src/jobs/results/generate';
import type { PruneResult } from '../../../src/jobs/results/prune';
import type { ScoreResult } from '../../../src/jobs/results/score';
import type { RetrainResult } from '../../../src/jobs/results/retrain';
import { writeTinyCheckpoint } from '../../support/tiny-models';
import { until } from '../../support/until';
import {
  checkpointLine,
  clearWorkspace,
  coppice,
  EXTENSION_ID,
  fileLines,
  inWorkspace,
  lines,
} from '../support/coppice';
import { resetSettings, run, writeText } from '../support/coppice';
import { Window } from '../support/window';

/** Runs `coppice …args` as the command line does, outside the extension host. */
function cli(...args: string[]): void {
  const { extensionPath } = vscode.extensions.getExtension(EXTENSION_ID)!;
  const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
  execFileSync(process.execPath, [join(extensionPath, 'dist/cli.cjs'), ...args], { env });
}

describe('a GGUF file', function () {
  this.timeout(60_000);
  let window: Window;
  let text: string;
  /** In the workspace folder itself, as downloads are. */
  let gguf: string;
  /** The same without block 2; its record is in it. */
  let shorter: string;

  before(async () => {
    window = await Window.connect();
    await resetSettings();
    await clearWorkspace();
    await window.tidy();
    const { context } = await coppice();
    const source = join(context.globalStorageUri.fsPath, 'toy');
    mkdirSync(source, { recursive: true });
    writeTinyCheckpoint(source, 'llama-gqa-tied', { tokenizer: true, config: { num_hidden_layers: 8 } });
    gguf = inWorkspace('toy-q4_0.gguf');
    shorter = inWorkspace('shorter.gguf');
    cli('export', source, '--format', 'gguf', '--type', 'q4_0', '--no-verify', '--out', gguf);
    cli('export', gguf, '--format', 'gguf', '--remove', '2', '--no-verify', '--out', shorter);
    text = writeText('prose.txt');
    const settings = vscode.workspace.getConfiguration('coppice');
    for (const [key, value] of [
      ['device', 'cpu'],
      ['calibration.file', 'prose.txt'],
      ['calibration.samples', 2],
      ['calibration.length', 32],
    ] as const) {
      await settings.update(key, value, vscode.ConfigurationTarget.Workspace);
    }
    await run('refreshCheckpoints');
    await vscode.commands.executeCommand('coppice.checkpoints.focus');
  });
  after(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await resetSettings();
    await clearWorkspace();
    await window.disconnect();
  });
  beforeEach(() => run('resetPlan', { checkpoint: gguf }));

  async function removed(): Promise<readonly number[]> {
    const { library, plans } = await coppice();
    const { identity, architecture } = await library.load(gguf);
    return plans.removed({ path: gguf, identity, blocks: architecture!.layers.length });
  }

  it('is a line among the checkpoints, with its type, its plan, its blocks and their tensors', async () => {
    assert.deepEqual(
      (await fileLines()).map(({ item }) => [item.label, item.contextValue!.replace(/\.next-\w+$/, '')]),
      [
        ['toy-q4_0.gguf', 'checkpoint.portable.exported'],
        ['shorter.gguf', 'checkpoint.portable.derived.exported'], // below it
      ],
    );
    const { node, item } = await checkpointLine(gguf);
    assert.match(String(item.description), /^exported · q4_0 · [\d.]+ kB · made from toy · 1 made from it$/);
    const parts = (await lines(node)).filter(({ node: { kind } }) => kind !== 'checkpoint');
    assert.deepEqual(
      parts.map(({ node: { kind } }) => kind),
      ['plan', 'vocabulary', 'part', ...Array.from({ length: 8 }, () => 'block'), 'part'],
    );
    const [attention] = await lines(parts[3].node);
    const tensors = await lines(attention.node);
    assert.deepEqual(
      tensors.map(({ item: { label, description } }) => [label, String(description).split(' · ')[0]]),
      [
        ['input_layernorm.weight', 'F32'],
        ...['q_proj', 'k_proj', 'v_proj', 'o_proj'].map((name) => [`${name}.weight`, 'Q4_0']),
      ],
    );
    await window.row('toy-q4_0.gguf').first().waitFor();
    await (await coppice()).tree.reveal(gguf, { expand: true });
    await window.widenSideBar();
    await window.row('Block 7').first().waitFor();
    await window.screenshot('gguf-tree');
  });

  it('is opened by its folder or by itself, and is one line', async () => {
    const away = join((await coppice()).context.globalStorageUri.fsPath, 'away');
    mkdirSync(away, { recursive: true });
    const file = join(away, 'alone.gguf');
    writeFileSync(file, readFileSync(gguf));
    for (const checkpoint of [away, file]) {
      const opened = await run<{ checkpoint: string; usable: boolean }>('openCheckpoint', { checkpoint });
      assert.deepEqual([opened.checkpoint, opened.usable], [file, true]);
    }
    const { node, item } = await checkpointLine(file);
    assert.deepEqual(
      [item.label, item.contextValue],
      ['alone.gguf', 'checkpoint.portable.exported.opened.next-compare'],
    );
    await vscode.commands.executeCommand('coppice.closeCheckpoint', node);
    assert.equal((await fileLines()).length, 2);
  });

  it('is scored and pruned; its record in the workspace knows where it lies', async () => {
    const scored = await run<ScoreResult>('scoreBlocks', { checkpoint: gguf, criterion: 'magnitude' });
    assert.equal(scored.blocks?.length, 8);
    assert.ok((await checkpointLine(gguf)).item.contextValue?.includes('scored'));
    await run('suggestBlocks', { checkpoint: gguf, criterion: 'magnitude', count: 2 });
    const plan = await removed();
    assert.equal(plan.length, 2);
    const { library } = await coppice();
    const folder = outputFolder('${folder}/${name}-${suffix}', await library.load(gguf), '6-blocks');
    assert.equal(folder, inWorkspace('toy-q4_0-6-blocks'));
    const pruned = await run<PruneResult>('pruneCheckpoint', { checkpoint: gguf, heal: false, out: folder });
    assert.deepEqual([pruned.removed, pruned.out], [plan, folder]);
    assert.match(String((await checkpointLine(folder)).item.description), /^pruned · 6 of 8 blocks · .* · F32$/);
    const { inputs } = await readRecord(join(folder, 'coppice.json'));
    assert.deepEqual([inputs[0].name, inputs[0].place], ['toy-q4_0', undefined]);

    const records = inWorkspace('.coppice/runs');
    const { runs } = await new RunStore(records).list();
    const kept = runs.find(({ digest }) => digest.kind === 'prune');
    assert.equal(kept?.inputs[0].place, '../../toy-q4_0.gguf');
    assert.deepEqual(await new InputWatch().check(kept.inputs, records, { given: [] }), { changed: [], unchecked: [] });
  });

  it('is evaluated, healed and trained without a block, and writes text', async () => {
    const whole = await run<EvaluateResult>('evaluatePerplexity', { checkpoint: gguf, text, limit: 2 });
    await run('toggleBlock', { checkpoint: gguf, blocks: [4] });
    const planned = await run<EvaluateResult>('evaluatePerplexity', { checkpoint: gguf, text, limit: 2, plan: true });
    assert.deepEqual([whole.removed, planned.removed], [[], [4]]);
    assert.notEqual(planned.ppl, whole.ppl);
    const written = await run<GenerateResult>('generateText', { checkpoint: gguf, prompt: 'The', maxNewTokens: 4 });
    assert.equal(written.ids.length, 4);
    const healed = await run<HealResult>('heal', {
      checkpoint: gguf,
      data: text,
      tokens: 512,
      out: inWorkspace('toy-healed'),
    });
    assert.deepEqual([healed.removed, existsSync(join(healed.out!, 'model.safetensors'))], [[4], true]);
    const trained = await run<RetrainResult>('retrainLora', {
      checkpoint: gguf,
      plan: true,
      data: [text],
      steps: 2,
      rank: 2,
      out: inWorkspace('toy-adapter'),
      settings: { heal: 'none', batch: 2, length: 32 },
    });
    assert.equal(trained.steps, 2);
  });

  it('is pruned with healing to a GGUF file of the same types, which was told with its size and the reason for it', async () => {
    await run('toggleBlock', { checkpoint: gguf, blocks: [4] });
    const pruning = run('pruneCheckpoint', { checkpoint: gguf });
    const question = await window.question('Copies what stays');
    assert.match(question, /Heal, and Export GGUF with the Same Types….*recommended/s);
    assert.match(question, /7 changed matrices are kept in finer types \(q5_1\): [\d.]+ kB more/);
    await window.screenshot('gguf-prune');
    await window.pick('Heal, and Export GGUF');
    await window.enter('needs no data'); // on the text of the settings
    await window.pick('Heal quickly');
    const told = await window.question('7 changed matrices');
    await window.enter('7 changed matrices');
    await pruning;
    const file = inWorkspace('toy-q4_0-7-blocks-healed.gguf');
    const [, size] = /Takes ([\d.]+ kB)/.exec(told)!;
    assert.ok(existsSync(inWorkspace('toy-q4_0-7-blocks-healed.patch.safetensors')), 'the new weights lie beside it');
    assert.match(String((await checkpointLine(file)).item.description), /^exported · /);
    const written = statSync(file).size;
    assert.ok(Math.abs(Number.parseFloat(size) * 1000 - written) < 4096, `${size}, ${written}`);
    const { dtypes } = summarize(await (await coppice()).library.load(file));
    assert.deepEqual(Object.keys(dtypes).sort(), ['F32', 'Q4_0', 'Q5_1', 'Q8_0']);
  });

  it('has a page of results, where a file that was made from it is its child', async () => {
    const extension = await coppice();
    const relatives = async (path: string) =>
      relativesOf(extension, { path, checkpoint: await extension.library.load(path) });
    assert.deepEqual(
      (await relatives(gguf)).children
        .map(({ path, origin }) => [path, origin?.removed])
        .filter(([path]) => path === shorter),
      [[shorter, [2]]],
    );
    assert.equal((await relatives(shorter)).parent?.path, gguf);
    await vscode.commands.executeCommand('coppice.openResults', { checkpoint: shorter, throws: true });
    const page = await window.frameWith('h1:text-is("shorter")');
    await page.getByText('toy-q4_0').first().waitFor();
    await window.screenshot('gguf-results');
  });

  for (const theme of ['Default Dark Modern', 'Default Light Modern']) {
    it(`opens in the checkpoint editor, which has statistics of 4-bit tensors, in ${theme}`, async () => {
      const workbench = vscode.workspace.getConfiguration('workbench');
      await workbench.update('colorTheme', theme, vscode.ConfigurationTarget.Global);
      await vscode.commands.executeCommand('workbench.action.closeAllEditors');
      await vscode.commands.executeCommand('coppice.openInEditor', (await checkpointLine(gguf)).node);
      const frame = await window.frameWith('h1:text-is("toy-q4_0.gguf")');
      const facts = (await frame.locator('main').textContent()) ?? '';
      assert.match(facts, /Can be prunedYes/);
      await frame.getByText('blk.0.ffn_up.weight').dblclick();
      await frame.getByText('Standard deviation').waitFor();
      assert.equal(await frame.locator('.histogram .bar').count(), 64);
      await window.screenshot(`gguf-editor-${theme.includes('Dark') ? 'dark' : 'light'}`);
      await workbench.update('colorTheme', undefined, vscode.ConfigurationTarget.Global);
    });
  }

  it('is among what cannot be used once it is damaged, and comes back', async () => {
    const whole = readFileSync(shorter);
    writeFileSync(shorter, whole.subarray(0, whole.length - 1000));
    await until('it is broken', async () => {
      (await coppice()).library.forget(shorter);
      return (await checkpointLine(shorter)).item.contextValue === 'broken';
    });
    assert.deepEqual(
      (await lines()).filter(({ node }) => node.kind === 'inspection').map(({ item }) => item.description),
      ['1'],
    );
    writeFileSync(shorter, whole);
    await until('it is whole', async () => {
      (await coppice()).library.forget(shorter);
      return (await checkpointLine(shorter)).item.contextValue?.startsWith('checkpoint') === true;
    });
  });
});
