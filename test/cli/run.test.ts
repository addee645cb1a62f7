/** `coppice run` as users and CI run it: plan, exit codes, the object that it prints, report, Ctrl-C and kill -9. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CliResult, coppice, jsonOf, startCoppice } from '../support/built-cli';
import { type CliMaterial, keys, makeCliMaterial, sorted } from '../support/cli';
import { hashesOf } from '../support/hashes';
import { temporaryFolder } from '../support/temporary';

interface EndJson {
  ended: string;
  ran: number;
  report: string;
  steps: { name: string; state: string; result?: Record<string, unknown>; failure?: { what: string } }[];
  limits: { limit: string; measured: number; kept: boolean }[];
}

describe('command line: run', function () {
  this.timeout('5m');
  let material: CliMaterial;
  before(() => (material = makeCliMaterial()));

  const STEPS = {
    scores: { job: 'score', options: { criterion: 'magnitude' } },
    pruned: { job: 'prune', options: { scores: '${steps.scores}', count: 1, keepEnds: false, out: './shipped' } },
    quality: { job: 'eval', options: { checkpoint: '${steps.pruned}', calibration: 'rows.json' } },
  };

  /** A folder with a model, its texts and a recipe. */
  function place(steps: object = STEPS, more: object = {}): string {
    const folder = temporaryFolder();
    cpSync(material.model, join(folder, 'model'), { recursive: true });
    cpSync(material.rows, join(folder, 'rows.json'));
    cpSync(material.text, join(folder, 'text.txt'));
    writeFileSync(join(folder, 'model.coppice.json'), JSON.stringify({ coppice: 1, model: './model', ...more, steps }));
    return folder;
  }

  const go = (cwd: string, ...more: string[]): Promise<CliResult> =>
    coppice(['run', 'model.coppice.json', '--threads', '1', '--device', 'cpu', ...more], { cwd });
  const json = (result: CliResult): EndJson => JSON.parse(result.stdout) as EndJson;

  it('plans, runs and has nothing more to do, in a page and in one object', async () => {
    const folder = place(STEPS, { title: 'Shorter', limits: { maxPpl: 1e9 } });
    const plan = jsonOf(await go(folder, '--dry-run', '--json'));
    assert.deepEqual(keys(plan), sorted('recipe model folder steps expectedSeconds unknown withheld'));
    assert.deepEqual(readdirSync(folder).sort(), ['model', 'model.coppice.json', 'rows.json', 'text.txt']);
    const page = await go(folder);
    assert.equal(page.code, 0, page.stderr);
    assert.match(
      page.stdout,
      /^Shorter\nmodel .*\n\nstep +job +plan +time +memory\nscores +score +runs: it has not run yet/,
    );
    assert.match(
      page.stdout,
      /pruned {3}without \d, .* parameters, .*s\nquality {2}perplexity \d.*\n +keeps the limit: perplexity/,
    );
    assert.match(page.stdout, /made +.*shipped\nreport +.*report\.html\nsteps +3 run, 0 there already/);
    const again = await go(folder, '--json', '--report', 'again.md');
    const object = jsonOf(again);
    assert.deepEqual(
      keys(object),
      sorted('recipe model original folder quick variables steps limits ended ran started seconds coppice report'),
    );
    const { ended, ran, steps, report } = object as unknown as EndJson;
    assert.deepEqual([ended, ran, steps.map(({ state }) => state)], ['done', 0, ['kept', 'kept', 'kept']]);
    assert.equal(typeof steps[2].result?.ppl, 'number');
    assert.match(readFileSync(report, 'utf8'), /^<!DOCTYPE html>/);
    assert.match(readFileSync(join(folder, 'again.md'), 'utf8'), /^# Shorter\n/);
  });

  it('ends with 3 at a broken limit, with 1 at a failed step, and prints the object all the same', async () => {
    const broken = await go(place(STEPS, { limits: { maxBytes: 10 } }), '--json');
    assert.equal(broken.code, 3);
    assert.deepEqual(
      json(broken).limits.map(({ limit, kept }) => [limit, kept]),
      [['maxBytes', false]],
    );
    assert.deepEqual(
      json(broken).steps.map(({ state }) => state),
      ['done', 'done', 'open'],
    );
    const failed = await go(place({ pruned: { job: 'prune', options: { blocks: [99] } } }), '--json');
    assert.equal(json(failed).ended, 'failed');
    assert.match(json(failed).steps[0].failure?.what ?? '', /names a block that does not exist/);
    assert.match(failed.stderr, /error: step “pruned”: /);
    assert.equal(failed.code, 1);
  });

  it('refuses what is wrong before anything is written', async () => {
    const folder = place();
    for (const [words, says] of [
      [['--set', 'x=1'], /no variable “x”/],
      [['--set', 'x'], /no name and value/],
      [['--step', 'none'], /no step “none”/],
      [['--report', 'missing/report.html'], /cannot write the report/],
    ] as const) {
      const { code, stderr } = await go(folder, ...words);
      assert.ok(code === 1 || code === 2, stderr);
      assert.match(stderr, says);
    }
    writeFileSync(join(folder, 'model.coppice.json'), '{ "coppice": 1,\n "steps": { "a": { "job": "scroe" } } }');
    const { code, stderr } = await go(folder);
    assert.equal(code, 1);
    assert.match(stderr, /model\.coppice\.json, line 2: The step “a” cannot be used/);
    assert.equal(existsSync(join(folder, '.coppice')), false);
  });

  it('goes on after kill -9 and Ctrl-C with the numbers of a run that was left alone', async () => {
    const options = {
      remove: [1],
      heal: 'none',
      data: ['text.txt'],
      length: 32,
      batch: 4,
      lr: 0.01,
      heldOut: 4,
      saveEvery: 1,
      merge: true,
    };
    const steps = { trained: { job: 'retrain', options: { ...options, steps: 60, out: './trained' } } };
    const alone = place(steps);
    const whole = json(await go(alone, '--json')).steps[0].result;
    const folder = place(steps);
    const source = hashesOf(join(folder, 'model'));
    const state = join(folder, 'trained.training/state.safetensors');
    for (const signal of ['SIGKILL', 'SIGINT'] as const) {
      const running = startCoppice(['run', 'model.coppice.json', '--threads', '1', '--device', 'cpu'], { cwd: folder });
      const before = existsSync(state) ? readFileSync(state) : undefined;
      const watch = setInterval(() => {
        if (!existsSync(state) || before?.equals(readFileSync(state))) return;
        clearInterval(watch);
        running.kill(signal);
      }, 5);
      const { code, stderr } = await running.result;
      clearInterval(watch);
      assert.equal(code, signal === 'SIGKILL' ? null : 130, stderr);
      assert.equal(existsSync(join(folder, 'trained')), false);
    }
    const end = json(await go(folder, '--json'));
    assert.equal(end.ended, 'done');
    assert.deepEqual(end.steps[0].result?.best, whole?.best);
    assert.deepEqual(
      hashesOf(join(folder, 'trained'))['model.safetensors'],
      hashesOf(join(alone, 'trained'))['model.safetensors'],
    );
    assert.deepEqual(hashesOf(join(folder, 'model')), source);
    assert.deepEqual(readdirSync(folder).sort(), [
      '.coppice',
      'model',
      'model.coppice.json',
      'rows.json',
      'text.txt',
      'trained',
    ]);
  });

  it('names the step that failed, also where the report cannot be written either', async function () {
    if (process.platform !== 'linux') return this.skip();
    const folder = place({
      pruned: { ...STEPS.pruned, options: { criterion: 'magnitude', count: 1, keepEnds: false } },
    });
    const full = { cwd: folder, under: "trap '' XFSZ; ulimit -f 12" }; // no file has more than 12 KB, as on a full disk
    for (const time of ['first', 'second']) {
      const { code, stderr, stdout } = await coppice(['run', 'model.coppice.json', '--json', '--device', 'cpu'], full);
      assert.equal(code, 1, stderr);
      assert.match(stderr, /warning: the report was not written: .*report\.html/, time);
      assert.match(stderr, /step “pruned”: /, time);
      assert.equal((JSON.parse(stdout) as { report: unknown }).report, null);
    }
  });
});
