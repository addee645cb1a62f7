/**
 * A repository that means ill, beside the folder of a user: links out of it, programs beside its models, a state and records
 * that lie. Whatever is run on it, by hand or by an agent, nothing of the user's is changed, run, or told to anybody.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type CliResult, coppice } from '../support/built-cli';
import { type CliMaterial, makeCliMaterial, readJson } from '../support/cli';
import { endSessions, type McpSession, startMcp } from '../support/mcp';
import { temporaryFolder } from '../support/temporary';

/** In every text of the user: no output may have it. */
const SECRET = 'SENTINEL-b1f7';
const PRUNE = { criterion: 'magnitude', count: 1, keepEnds: false };

/** Names, kinds, contents and modes of all that is in a folder. */
function stateOf(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { mode, mtimeMs } = lstatSync(path);
      const content = entry.isFile()
        ? createHash('sha256').update(readFileSync(path)).digest('hex')
        : entry.isSymbolicLink() && readlinkSync(path);
      return [relative(folder, path), mode, entry.isFile() && mtimeMs, content].join(' ');
    })
    .sort();
}

describe('a hostile repository', function () {
  this.timeout('3m');
  let material: CliMaterial;
  let home: string;
  let repo: string;
  let untouched: string[];

  const write = (place: string, text: string): string => {
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, text);
    return place;
  };
  const link = (place: string, target: string): void => {
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(target, place);
  };
  const recipe = (name: string, steps: object): string =>
    write(join(repo, `${name}.coppice.json`), JSON.stringify({ coppice: 1, model: './model', steps }));

  before(async function () {
    if (process.platform === 'win32') return this.skip(); // links to files need rights
    material = makeCliMaterial();
    const user = realpathSync(temporaryFolder());
    [home, repo] = [join(user, 'home'), join(user, 'repo')];
    makeHome();
    await makeRepository();
    untouched = stateOf(home);
  });
  after(endSessions);
  afterEach(() => {
    assert.deepEqual(stateOf(home), untouched, 'something of the user changed');
    const ran = readdirSync(repo, { recursive: true }).filter((name) => String(name).endsWith('.ran'));
    assert.deepEqual(ran, [], 'something of the repository ran');
  });

  function makeHome(): void {
    cpSync(material.model, join(home, 'private/model'), { recursive: true });
    for (const name of [
      '.ssh/id',
      'projects/mine/thesis.txt',
      'notes.txt',
      'victim/answers.jsonl',
      'victim/result.json',
    ]) {
      write(join(home, name), `${SECRET} ${name}\n`.repeat(200));
    }
    mkdirSync(join(home, 'private/model.training'));
    write(join(home, 'record.json'), JSON.stringify({ schema: 1, kind: 'inspect', results: { text: SECRET } }));
  }

  async function makeRepository(): Promise<void> {
    cpSync(material.model, join(repo, 'model'), { recursive: true });
    cpSync(material.rows, join(repo, 'rows.json'));
    write(join(repo, 'text.txt'), 'The mill stands where it always stood.\n\n'.repeat(40));
    assert.equal((await coppice(['export', join(repo, 'model'), '--out', join(repo, 'out/m.gguf')])).code, 0);
    for (const folder of ['model', 'out', '.']) plant(join(repo, folder));
    // A model and data that are the user's.
    cpSync(join(repo, 'model'), join(repo, 'linked'), { recursive: true });
    write(join(repo, 'linked/config.json'), readFileSync(join(repo, 'model/config.json'), 'utf8'));
    link(join(repo, 'linked/notes.json'), join(home, 'notes.txt'));
    link(join(repo, 'tasks/hellaswag_val.jsonl'), join(home, '.ssh/id'));
    // Where recipes write.
    link(join(repo, 'theft/.coppice'), '../../home');
    link(join(repo, '.coppice/steps/a'), '../../../home/victim');
    for (const name of ['steps', 'replaces']) recipe(name, { a: { job: 'prune', options: PRUNE } });
    recipe('tasks', { a: { job: 'tasks', options: { data: './tasks' } } });
    recipe('replaces', { a: { job: 'prune', options: { ...PRUNE, out: '../home/private/model' } } });
    cpSync(join(repo, 'model'), join(repo, 'theft/model'), { recursive: true });
    write(
      join(repo, 'theft/theft.coppice.json'),
      JSON.stringify({
        coppice: 1,
        model: './model',
        steps: { a: { job: 'prune', options: { ...PRUNE, out: '.coppice/projects/mine' } } },
      }),
    );
    await forgeState();
    write(join(repo, 'run/run.json'), JSON.stringify(forgedRun('--kubeconfig=./evil')));
    const forged = { schema: 1, kind: 'eval', coppice: '0.1.0', started: '2026-01-01T00:00:00Z', seconds: 1 };
    const inputs = [{ role: 'text', name: '../home/notes.txt', path: '../../home/notes.txt', sha256: 'x' }];
    write(join(repo, 'records/a.json'), JSON.stringify({ ...forged, inputs, settings: {}, results: {} }));
  }

  /** Programs that say that they ran, under every name that something might start or import. */
  function plant(folder: string): void {
    const ran = JSON.stringify(join(folder, 'x.ran'));
    for (const name of ['json.py', 'site.py', 'onnxruntime_genai.py', 'modeling_own.py', 'sitecustomize.py']) {
      write(join(folder, name), `open(${ran}, 'w')\n`);
    }
    for (const name of ['node-llama-cpp', '@huggingface/transformers', 'onnxruntime-node']) {
      const place = join(folder, 'node_modules', name);
      write(join(place, 'package.json'), JSON.stringify({ name, version: '1.0.0', main: 'x.js' }));
      write(join(place, 'x.js'), `require('fs').writeFileSync(${ran}, '')`);
    }
    for (const name of ['python3', 'llama-cli', 'kubectl', 'git']) {
      chmodSync(write(join(folder, name), `#!/bin/sh\n: > ${ran}\n`), 0o755);
    }
  }

  /** A state that calls the user's model an output of the recipe, with its right digest. */
  async function forgeState(): Promise<void> {
    const other = join(temporaryFolder(), 'repo');
    cpSync(repo, other, { recursive: true, verbatimSymlinks: true });
    cpSync(join(home, 'private'), join(dirname(other), 'home/private'), { recursive: true });
    const file = write(
      join(other, 'replaces.coppice.json'),
      JSON.stringify({
        coppice: 1,
        model: './model',
        steps: { a: { job: 'prune', options: { ...PRUNE, out: './x' } } },
      }),
    );
    assert.equal((await coppice(['run', file])).code, 0);
    const state = readJson(join(other, '.coppice/replaces/state.json')) as {
      steps: { outputs: { path: string }[]; options: object }[];
      running?: object;
    };
    state.steps[0].outputs[0].path = '../home/private/model';
    state.steps[0].outputs.push({ ...state.steps[0].outputs[0], path: '../home/projects/mine' });
    const asides = [{ path: '../home/projects', aside: '../home/.projects.before.coppice-partial', seal: 'x' }];
    state.running = { step: 'a', key: 'x', outputs: ['../home/private/model'], asides, seal: 'x' };
    write(join(repo, '.coppice/replaces/state.json'), JSON.stringify(state));
    cpSync(join(other, '.coppice/replaces/a'), join(repo, '.coppice/replaces/a'), { recursive: true });
  }

  const forgedRun = (id: string): object => ({
    ...{ schema: 1, coppice: '0.1.0', kind: 'score', words: ['score', '/m'], parts: 1, scheduler: 'kubernetes' },
    ...{ asked: {}, command: ['coppice'], submissions: [{ id, parts: [1], at: '2026-01-01T00:00:00Z' }] },
  });

  async function go(expected: number, ...args: string[]): Promise<CliResult> {
    const result = await coppice(args, { cwd: repo, env: { PATH: `.:${process.env.PATH}`, PYTHONPATH: '.' } });
    assert.equal(result.code, expected, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
    assert.ok(!`${result.stdout}${result.stderr}`.includes(SECRET), `${args.join(' ')} tells a secret`);
    return result;
  }

  it('is inspected, scored, measured and verified without a harm', async () => {
    await go(0, 'inspect', 'model');
    await go(0, 'score', 'model', '--criterion', 'magnitude');
    await go(0, 'eval', 'model', '--text', 'text.txt', '--limit', '2');
    await go(0, 'verify', 'out/m.gguf', '--against', 'model', '--consumers');
    await go(0, 'generate', 'model', '--prompt', 'a', '--max-new-tokens', '2');
    await go(1, 'tasks', 'model', '--data', 'tasks');
  });

  it('has recipes that replace, remove and begin nothing of the user', async () => {
    const { stderr: linked } = await go(1, 'run', 'theft/theft.coppice.json');
    assert.match(linked, /theft\/\.coppice is a link/);
    assert.match((await go(1, 'run', 'steps.coppice.json')).stderr, /\.coppice\/steps\/a is a link/);
    assert.match((await go(1, 'run', 'replaces.coppice.json')).stderr, /model(\.training)? is not replaced/);
    await go(1, 'run', 'replaces.coppice.json', '--folder', join(home, 'projects'));
    await go(1, 'run', 'tasks.coppice.json');
  });

  it('has runs and records that start and show nothing', async () => {
    assert.match((await go(1, 'status', 'run')).stderr, /not a list of submissions/);
    await coppice(['report', 'records/a.json', '--out', 'report.html'], { cwd: repo });
    if (existsSync(join(repo, 'report.html'))) {
      assert.ok(!readFileSync(join(repo, 'report.html'), 'utf8').includes(SECRET));
    }
  });

  it('gives an agent nothing of what is outside', async () => {
    const session: McpSession = await startMcp({ args: ['--root', repo, '--device', 'cpu'], cwd: repo });
    const call = async (name: string, input: object, words?: RegExp): Promise<void> => {
      const { text, isError } = await session.call(`coppice_${name}`, input);
      assert.ok(!text.includes(SECRET), text);
      assert.equal(isError, words !== undefined, text);
      if (words) assert.match(text, words);
    };
    await call('inspect', { checkpoint: 'model' });
    await call('score', { checkpoint: 'model', criterion: 'magnitude' });
    await call('inspect', { checkpoint: 'linked' }, /link that leads outside/);
    await call('evaluate', { checkpoint: 'linked', text: 'text.txt' }, /link that leads outside/);
    await call('tasks', { checkpoints: ['model'], data: 'tasks' }, /link that leads outside/);
    await call('run_recipe', { recipe: 'theft/theft.coppice.json' }, /is a link/);
    await call('run_recipe', { recipe: 'steps.coppice.json' }, /is a link|outside the folders/);
    await call('run_recipe', { recipe: 'replaces.coppice.json' }, /outside the folders/);
    await call('run_recipe', { recipe: 'tasks.coppice.json' }, /link that leads outside/);
    await call('plan_recipe', { recipe: 'tasks.coppice.json' }, /link that leads outside/);
    await session.close();
    assert.deepEqual(session.faults, []);
  });
});
