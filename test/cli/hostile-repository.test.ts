/**
 * A repository that means ill, beside the folder of a user. Whatever is run on it, by hand or by an agent, nothing of the
 * user's is changed, run, or told to anybody. The same in the editor is test/host/main/hostile.test.ts.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { type CliResult, coppice, coppiceProcess } from '../support/built-cli';
import { makeCliMaterial, run } from '../support/cli';
import { makeHostile, ranIn, SECRET, stateOf } from '../support/hostile';
import { endSessions, type McpSession, startMcp } from '../support/mcp';
import { temporaryFolder } from '../support/temporary';

describe('a hostile repository', function () {
  this.timeout('3m');
  let home: string;
  let repo: string;
  let untouched: string[];

  before(async function () {
    if (process.platform === 'win32') return this.skip(); // links to files need rights
    const { model } = makeCliMaterial();
    const user = realpathSync(temporaryFolder());
    [home, repo] = [join(user, 'home'), join(user, 'repo')];
    await makeHostile({ home, repo, model, coppice: run });
    untouched = stateOf(home);
  });
  after(endSessions);
  afterEach(() => {
    assert.deepEqual(stateOf(home), untouched, 'something of the user changed');
    assert.deepEqual(ranIn(repo), [], 'something of the repository ran');
  });

  async function go(expected: number, ...args: string[]): Promise<CliResult> {
    const result = await coppiceProcess(args, { cwd: repo, env: { PATH: `.:${process.env.PATH}`, PYTHONPATH: '.' } });
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
