/**
 * A repository that means ill is the workspace, and its user does what users do. Nothing of the user's is read, changed or run,
 * nothing is sent, and what the repository calls its models is text wherever it is shown. The same at the command line is
 * test/cli/hostile-repository.test.ts.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import type { BeforeAfter } from '../../../src/engine/records/before-after/before-after';
import type { VerifyResult } from '../../../src/jobs/results/export';
import { makeHostile, ranIn, SECRET, stateOf, watchReads, write } from '../../support/hostile';
import { tinyCheckpoint } from '../../support/tiny-models';
import { until } from '../../support/until';
import {
  clearWorkspace,
  coppice,
  EXTENSION_ID,
  fileLines,
  inspectionLines,
  inWorkspace,
  resetSettings,
  run,
} from '../support/coppice';
import { Window } from '../support/window';

/** A folder may be called so: markup, a link of a notification, and a command of the shell. */
const NAME = '<b class=evil>[Trust](command:evil)$(touch stolen.ran)';

describe('a hostile repository in the editor', function () {
  this.timeout(120_000);
  const user = dirname(inWorkspace());
  const home = join(user, 'home');
  const model = inWorkspace('model');
  const evil = inWorkspace(NAME);
  const { PATH, PYTHONPATH } = process.env;
  const disposables: vscode.Disposable[] = [];
  let window: Window;
  let canary: Server;
  /** Requests and commands that nobody asked for. */
  const happened: string[] = [];
  let markup: string;
  let untouched: string[];
  let read: () => string[];

  before(async function () {
    if (process.platform === 'win32') return this.skip(); // such names and links need another system
    window = await Window.connect();
    await resetSettings();
    await clearWorkspace();
    await window.tidy();
    disposables.push(vscode.commands.registerCommand('evil', () => happened.push('the command')));
    canary = createServer(({ url }, response) => {
      happened.push(`a request for ${url}`);
      response.end();
    });
    await new Promise<void>((done) => canary.listen(0, '127.0.0.1', done));
    const address = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/stolen`;
    markup = `<img class=evil src="${address}">![Trust](${address}) [Trust](command:evil) <script>evil</script>`;
    const cli = join(vscode.extensions.getExtension(EXTENSION_ID)!.extensionPath, 'dist/cli.cjs');
    const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
    const config = { _name_or_path: markup, num_hidden_layers: 8 };
    await makeHostile({
      home,
      repo: inWorkspace(),
      model: tinyCheckpoint('llama-gqa-tied', { tokenizer: true, config }),
      coppice: (...args) => promisify(execFile)(process.execPath, [cli, ...args], { env }),
    });
    // VS Code's own Git extension lives in this process, and would take that of the path.
    const names = readdirSync(inWorkspace(), { recursive: true, encoding: 'utf8' });
    for (const name of names) if (basename(name) === 'git') rmSync(inWorkspace(name));
    writeOdd();
    watchReads(home); // it rounds the times
    untouched = stateOf(home);
    read = watchReads(home);
    // As in a terminal of the folder, for whoever has the folder in the path.
    Object.assign(process.env, { PATH: `.:${PATH}`, PYTHONPATH: '.' });
    await (await coppice()).sidecar.restart();
    await run('refreshCheckpoints');
    await vscode.commands.executeCommand('coppice.checkpoints.focus');
  });
  afterEach(() => {
    const files = read();
    assert.deepEqual(stateOf(home), untouched, 'something of the user changed');
    read = watchReads(home);
    assert.deepEqual(ranIn(inWorkspace()), [], 'something of the repository ran');
    assert.deepEqual(happened, []);
    assert.deepEqual(files, [], 'something of the user was read');
  });
  after(async () => {
    if (!canary) return;
    Object.assign(process.env, { PATH, PYTHONPATH });
    if (PYTHONPATH === undefined) delete process.env.PYTHONPATH;
    canary.close();
    for (const each of disposables) each.dispose();
    await window.tidy();
    await clearWorkspace();
    rmSync(home, { recursive: true, force: true });
    await (await coppice()).sidecar.restart();
    await window.disconnect();
  });

  /** A model that cannot be computed with, whose file is full of markup. */
  function writeOdd(): void {
    const config = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8')) as object;
    const odd = { ...config, model_type: markup, architectures: [markup] };
    write(inWorkspace('odd/config.json'), JSON.stringify(odd));
    const header = JSON.stringify({
      __metadata__: { title: markup },
      [markup]: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
    });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
    writeFileSync(inWorkspace('odd/model.safetensors'), Buffer.concat([length, Buffer.from(header), Buffer.alloc(4)]));
  }

  /** Nothing in the window, its pages, hovers and notifications was made of what the repository says. */
  async function staysText(): Promise<void> {
    const made =
      '.evil, img[src*="stolen"], a[href^="command:evil"], a[data-href^="command:evil"], a[href^="http"][href*="stolen"]';
    for (const frame of window.page.frames()) {
      const found = frame.locator(made);
      if ((await found.count().catch(() => 0)) > 0)
        assert.fail(await found.first().evaluate(({ outerHTML }: { outerHTML: string }) => outerHTML));
      const text = await frame
        .locator('body')
        .innerText({ timeout: 2000 })
        .catch(() => '');
      assert.ok(!text.includes(SECRET), text);
    }
  }

  it('is scored, planned, pruned, exported and compared', async () => {
    await run('scoreBlocks', { checkpoint: model, criterion: 'magnitude' });
    await run('suggestBlocks', { checkpoint: model, criterion: 'magnitude', count: 1 });
    await run('pruneCheckpoint', { checkpoint: model, out: evil });
    await run('pruneCheckpoint', { checkpoint: inWorkspace('linked'), blocks: [1], out: inWorkspace('from-linked') });
    for (const name of readdirSync(inWorkspace('from-linked')))
      assert.ok(!readFileSync(inWorkspace('from-linked', name)).includes(SECRET), name);
    const output = `${evil}.gguf`;
    await run('exportModel', { checkpoint: evil, format: 'gguf', type: [], out: output });
    const { verified } = await run<VerifyResult>('verifyExport', { output, consumers: true });
    assert.ok(verified.passed);
  });

  it('has settings that lead no file out of it', async () => {
    const { config } = await coppice();
    const set = (key: string, value: unknown): Thenable<void> =>
      vscode.workspace.getConfiguration('coppice').update(key, value, vscode.ConfigurationTarget.Workspace);
    symlinkSync(join(home, 'projects'), inWorkspace('logs'));
    for (const folder of ['../home/projects', join(home, 'projects'), 'logs', 'logs/mine']) {
      for (const key of ['runsFolder', 'quantized.folder']) await set(key, folder);
      assert.deepEqual([config.runsFolder, config.compute.quantizedFolder], ['.coppice/runs', undefined], folder);
      await run('scoreBlocks', { checkpoint: model, criterion: 'magnitude' });
    }
    await set('runsFolder', 'runs');
    assert.equal(config.runsFolder, 'runs');
    await resetSettings();
  });

  it('has names that are text in the tree, its hovers and notifications', async () => {
    await run('refreshCheckpoints');
    for (const { item } of [...(await fileLines()), ...(await inspectionLines())]) {
      if (!(item.tooltip instanceof vscode.MarkdownString)) continue;
      assert.ok(item.tooltip.isTrusted !== true && item.tooltip.supportHtml !== true);
    }
    for (const name of [NAME, 'odd']) {
      await (await coppice()).tree.reveal(inWorkspace(name));
      await window.row(name).first().hover();
      await window.page.locator('.monaco-hover:visible', { hasText: name }).first().waitFor();
      await staysText();
      await window.screenshot(`hostile-hover-${name === NAME ? 'name' : 'odd'}`);
    }
    await vscode.commands.executeCommand('coppice.verifyExport', { output: `${evil}.gguf`, consumers: false });
    const toast = window.toast('within the rounding of its type');
    await toast.getByText('[Trust]').first().click();
    await window.screenshot('hostile-toast');
    await staysText();
    await window.tidy();
  });

  it('has names that are text in questions', async () => {
    const exporting = vscode.commands.executeCommand('coppice.exportModel', {
      checkpoint: evil,
      format: 'gguf',
      type: [],
    });
    await window.question('The new file');
    await window.page.locator('.quick-input-widget input').first().fill(`${NAME} 2.gguf`); // beside it, as proposed
    assert.match(await window.question(/Writes to .*stolen\.ran\) 2\.gguf/), /\[Trust\]/);
    await staysText();
    await window.screenshot('hostile-question');
    await window.page.keyboard.press('Escape');
    await exporting;
  });

  it('has pages in which nothing of it is markup', async () => {
    const text = inWorkspace('text.txt');
    for (const checkpoint of [model, evil]) await run('evaluatePerplexity', { checkpoint, text, limit: 2 });
    await run('generateText', { checkpoint: evil, prompt: '<img class=evil src=x>', maxNewTokens: 4 });
    forgeRecords();
    const { records, jobs } = await coppice();
    await records.read();
    await jobs.readAgain();
    assert.ok(records.digests.some((digest) => JSON.stringify(digest).includes('<img class=evil')));
    await run('openResults', { checkpoint: evil });
    const panel = await window.frameWith('h1', '<b class=evil>');
    await panel.locator('.samples vscode-button', { hasText: 'Generate' }).click();
    await until('there is a text', async () => (await panel.locator('.sample').count()) > 0);
    await staysText();
    await window.screenshot('hostile-panel');
    const page = await run<BeforeAfter>('showBeforeAfter', { checkpoint: evil });
    assert.equal(page.models.length, 2);
    await window.frameWith('.report-head h1', '<b class=evil>');
    await staysText();
    await window.screenshot('hostile-before-after');
    await vscode.commands.executeCommand(
      'vscode.openWith',
      vscode.Uri.file(inWorkspace('odd/model.safetensors')),
      'coppice.checkpoint',
    );
    await window.frameWith('main', '<img class=evil');
    await staysText();
    await window.screenshot('hostile-editor');
    await vscode.commands.executeCommand('coppice.jobs.focus');
    await window.page.locator(window.jobRows).first().hover();
    await staysText();
    await window.tidy();
  });

  /** What was really run, told again in words of the repository. */
  function forgeRecords(): void {
    const folder = inWorkspace('.coppice/runs');
    const kept = /^(kind|role|identity|sha256|started|finished|criterion|format|device|provider|place|checkpoint)$/;
    const forged = (value: unknown, key = ''): unknown => {
      if (typeof value === 'string') return kept.test(key) ? value : `${markup} ${value}`;
      if (Array.isArray(value)) return value.map((each) => forged(each));
      if (value === null || typeof value !== 'object') return value;
      return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, forged(each, name)]));
    };
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.json'))) {
      const record = JSON.parse(readFileSync(join(folder, name), 'utf8')) as object;
      const text = JSON.stringify({ ...(forged(record) as object), notes: [markup] });
      writeFileSync(join(folder, `2099${name}`), text);
    }
  }

  it('has recipes that replace, remove and begin nothing of the user', async () => {
    const recipe = (name: string): object => ({ recipe: inWorkspace(name) });
    await assert.rejects(run('runRecipe', recipe('theft/theft.coppice.json')), /is a link/);
    await assert.rejects(run('runRecipe', recipe('steps.coppice.json')), /is a link/);
    await assert.rejects(run('runRecipe', recipe('replaces.coppice.json')), /is not replaced/);
    await assert.rejects(run('runRecipe', recipe('tasks.coppice.json')));
    await staysText();
    // Data of a recipe may be links, as those of the user may be; what they lead to is no question, and nobody is told of it.
    assert.deepEqual(
      read().filter((file) => file !== join(home, '.ssh/id')),
      [],
    );
    read = watchReads(home);
  });

  it('gives an agent of the chat nothing of what is outside', async () => {
    const call = (name: string, input: object): Thenable<unknown> =>
      vscode.lm.invokeTool(`coppice_${name}`, { input, toolInvocationToken: undefined });
    await call('inspect', { checkpoint: 'model' });
    await assert.rejects(async () => call('inspect', { checkpoint: 'linked' }), /link that leads outside/);
    await assert.rejects(
      async () => call('tasks', { checkpoints: ['model'], data: 'tasks' }),
      /link that leads outside/,
    );
    for (const name of ['theft/theft', 'steps', 'replaces', 'tasks']) {
      const recipe = `${name}.coppice.json`;
      await assert.rejects(async () => call('run_recipe', { recipe }), /is a link|outside/);
    }
  });

  it('has a report that loads, runs and starts nothing', async () => {
    const address = /http:\S+?stolen/.exec(markup)![0];
    const html = [
      '<h1>Forged</h1>',
      `<meta http-equiv="refresh" content="0;url=${address}"><base href="${address}/">`,
      `<script>document.querySelector('h1').textContent = 'ran'</script><img src=${address} onerror="this.id = 'ran'">`,
      `<link rel=stylesheet href="${address}"><link rel=prefetch href="${address}"><iframe src="${address}"></iframe>`,
      `<form action="${address}"><button>Send</button></form><a href="command:evil">Trust</a>`,
    ];
    write(inWorkspace('.coppice/tasks/report.html'), html.join('\n'));
    await run('openRecipeReport', { recipe: inWorkspace('tasks.coppice.json') });
    const frame = await window.frameWith('h1', 'Forged');
    await frame.getByRole('link', { name: 'Trust' }).click();
    await frame.getByRole('button', { name: 'Send' }).click();
    assert.equal(await frame.locator('#ran').count(), 0);
    await window.screenshot('hostile-report');
    await window.tidy();
  });

  it('has names that a shell reads as names', async () => {
    await run('scoreBlocks', { checkpoint: evil, criterion: 'magnitude' });
    const command = await run<string>('copyCliCommand');
    const output = `${evil}.gguf`;
    const code = await run<string>('copyLoadingCode', { checkpoint: output, library: 'llama.cpp' });
    const stubs = ['coppice', 'llama-cli', 'llama-completion'].map((name) => `${name}() { :; };`).join(' ');
    for (const words of [command, code]) {
      assert.ok(words.includes('touch stolen.ran'), words);
      execFileSync('bash', ['-c', `cd ${user}; ${stubs} ${words}`]);
      assert.ok(!readdirSync(user).includes('stolen.ran'), words);
    }
  });
});
