/** The tools of agents for recipes, with a tiny model and jobs in this process: plan, run, limits, cancelling, and escapes. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AGENT_TOOLS } from '../../src/agents';
import { roughBudget } from '../../src/agents/answer';
import { RunnerDesk } from '../../src/agents/job-desk';
import { failureText } from '../../src/agents/naming';
import { guardedPaths } from '../../src/agents/paths';
import type { AgentContext } from '../../src/agents/tool';
import { CancelledError } from '../../src/engine/errors';
import { formatNumber } from '../../src/format/numbers';
import { MachineSpeeds } from '../../src/estimates/machine';
import { inThisProcess } from '../../src/jobs/run-spec';
import type { JobRunner } from '../../src/jobs/runner';
import { hashesOf } from '../support/hashes';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';
import { until } from '../support/until';

type Steps = Record<string, { job: string; options?: Record<string, unknown>; limits?: object; after?: string[] }>;

const STEPS: Steps = {
  scores: { job: 'score', options: { criterion: 'magnitude' } },
  pruned: { job: 'prune', options: { scores: '${steps.scores}', count: '${count}', keepEnds: false, out: 'short' } },
  quality: { job: 'eval', options: { checkpoint: '${steps.pruned}', calibration: 'rows.json' } },
};

const real = inThisProcess({ device: 'cpu', threads: 1 });

/** An agent that may use one folder, with a model, rows and a recipe. */
function agent(steps: Steps = STEPS, by: JobRunner = real) {
  const root = join(temporaryFolder(), 'root');
  mkdirSync(root);
  cpSync(tinyCheckpoint('llama-gqa-tied', { tokenizer: true }), join(root, 'model'), { recursive: true });
  const row = (seed: number): number[] => Array.from({ length: 16 }, (_, i) => 3 + ((i * 37 + seed * 101) % 250));
  writeFileSync(join(root, 'rows.json'), JSON.stringify({ rows: [0, 1].map(row) }));
  const file = join(root, 'small.coppice.json');
  const write = (given: Steps, more: object = {}): void => {
    const recipe = { coppice: 1, model: './model', variables: { count: 1 }, ...more, steps: given };
    writeFileSync(file, JSON.stringify(recipe, null, 2));
  };
  write(steps);
  const ran: string[] = [];
  const runner: JobRunner = (spec, options) => {
    ran.push(spec.kind);
    return by(spec, options);
  };
  const context: AgentContext = {
    paths: guardedPaths([root]),
    desk: new RunnerDesk(runner),
    signal: new AbortController().signal,
    budget: roughBudget(3000),
    records: [],
    waitMs: 60_000,
    speeds: MachineSpeeds.none(1),
    assets: () => Promise.resolve({ script: '', style: '' }),
  };
  const toolOf = (name: string) => AGENT_TOOLS.find((tool) => tool.name === `coppice_${name}`)!;
  const call = (name: string, input: object = { recipe: 'small.coppice.json' }, waitMs = context.waitMs) =>
    toolOf(name).run({ ...input }, { ...context, waitMs });
  const ask = (input: object = { recipe: 'small.coppice.json' }) =>
    toolOf('run_recipe').confirmation!({ ...input }, context);
  const refused = async (words: RegExp, input?: object): Promise<void> => {
    for (const name of ['plan_recipe', 'run_recipe']) {
      await assert.rejects(call(name, input), (error) => {
        assert.match(failureText(error), words);
        return true;
      });
    }
    assert.deepEqual(ran, [], 'no job ran');
  };
  return { root, file, write, ran, call, ask, refused };
}

describe('an agent with a recipe', function () {
  this.timeout('2m');
  const { COPPICE_CACHE } = process.env;
  before(() => {
    process.env.COPPICE_CACHE = temporaryFolder();
  });
  after(() => {
    if (COPPICE_CACHE === undefined) delete process.env.COPPICE_CACHE;
    else process.env.COPPICE_CACHE = COPPICE_CACHE;
  });

  it('plans it, is asked, runs it once, and reads the numbers of the jobs', async () => {
    const { root, ran, call, ask } = agent();
    const source = hashesOf(join(root, 'model'));
    const plan = await call('plan_recipe');
    assert.match(plan, /^scores +score +runs: it has not run yet +(a few seconds|about|roughly)/m);
    assert.match(plan, /^3 of 3 steps to run: (a few|about) /m);
    assert.ok(plan.includes(`writes: ${join(root, 'short')}; state, results and report in `), plan);
    assert.ok(!existsSync(join(root, '.coppice')), 'a plan writes nothing');

    const question = (await ask())!;
    assert.equal(question.title, 'Run the recipe small.coppice.json?');
    assert.match(question.message, /^Runs 3 of 3 steps: scores, pruned, quality\.\n\nReads `.*model`/);
    assert.match(question.message, /Writes `.*short`\.\n\n.*\n\nExpected time: (a few|about) /);
    assert.ok(!existsSync(join(root, '.coppice')), 'a question writes nothing');

    const text = await call('run_recipe');
    assert.deepEqual(ran, ['score', 'prune', 'eval']);
    assert.match(text, /^small\.coppice\.json: done\. 3 steps ran in .*; done before: 0\.$/m);
    const result = readFileSync(join(root, '.coppice/small/quality/result.json'), 'utf8');
    const { ppl } = JSON.parse(result) as { ppl: number };
    assert.ok(text.includes(`perplexity ${formatNumber(ppl, 4)}`), text);
    assert.ok(text.includes(`output of pruned: ${join(root, 'short')} (`), text);
    const [, report] = /^report: (.+)$/m.exec(text)!;
    assert.ok(existsSync(report));
    assert.match(text, /^job: recipe-1$/m);
    assert.deepEqual(hashesOf(join(root, 'model')), source);

    const again = await call('run_recipe');
    assert.match(again, /nothing to do\. 0 steps ran in .*; done before: 3\./);
    assert.equal(ran.length, 3);
    assert.equal(await ask(), undefined, 'nothing to do, nothing to ask');
    assert.match(await call('plan_recipe'), /^quality +eval +done: perplexity [^]*^Nothing to do\.$/m);
    assert.match(await call('job_status', {}), /^recipe-1 +small +Recipe: done after/m);
  });

  it('sets variables, tries quickly, and runs one step with what it needs', async () => {
    const { root, file, ran, call, refused } = agent();
    await refused(/no variable “counts”: the variables are count/, { recipe: file, set: { counts: 2 } });
    await refused(/"set" cannot be used/, { recipe: file, set: 3 });
    await refused(/no property "model": it takes recipe, set, quick, step/, { recipe: file, model: 'x' });
    const input = { recipe: file, set: { count: 2 }, step: ['pruned'], quick: true };
    assert.match(await call('plan_recipe', input), /^quality +eval +not asked for/m);
    assert.match(await call('run_recipe', input), /^pruned +without \d, \d, [^]*^quality +did not run/m);
    assert.deepEqual(ran, ['score', 'prune']);
    assert.ok(!existsSync(join(root, 'short')) && existsSync(join(root, '.coppice/small.quick/outputs/short')));
  });

  it('reads all problems of a recipe with their lines', async () => {
    const { write, refused } = agent();
    const { scores, pruned } = STEPS;
    write({ scores: { ...scores, options: { criterion: 'magic' } }, pruned: { ...pruned, job: 'shorten' } });
    await refused(
      /it has 2 problems\. Correct them first:\nline \d+: The step “scores”: .*\nline \d+: The step “pruned” cannot be used/,
    );
    write({ scores: { ...scores, job: 'guess' }, pruned: { ...pruned, job: 'shorten' } });
    await refused(/it has 2 problems\. Correct them first:\nline \d+: [^\n]+\nline \d+: The step “pruned”/);
  });

  it('reads plainly that a limit is broken, and what to do', async () => {
    const { ran, call, write } = agent();
    write({ ...STEPS, last: { ...STEPS.scores, after: ['quality'] } }, { limits: { maxPpl: 2 } });
    assert.match(await call('plan_recipe'), /^limits[^]*^- the last step that measures it: maxPpl 2$/m);
    const text = await call('run_recipe');
    assert.match(text, /ended, because a LIMIT IS BROKEN/);
    assert.match(text, /^Broken: quality has perplexity [\d.]+, at most 2/m);
    assert.match(text, /^What follows did not run: last\.$/m);
    assert.match(text, /Tell the user\. Then change the recipe/);
    assert.match(text, /^limit of quality: .*: BROKEN$/m);
    assert.deepEqual(ran, ['score', 'prune', 'eval']);
    write(STEPS, { limits: { maxPpl: 1e9 } });
    assert.match(await call('run_recipe'), /^limit of quality: .*: kept$/m);
  });

  it('gets an id for a long run, sees its step, cancels it, and goes on later', async () => {
    let waits = true;
    const slow = ((spec, options) => {
      if (spec.kind !== 'prune' || !waits) return real(spec, options);
      options?.onProgress?.({ label: 'writing', done: 1, total: 2, unit: 'bytes' });
      return new Promise((_, reject) => {
        options?.signal?.addEventListener('abort', () => reject(new CancelledError()));
      });
    }) as JobRunner;
    const { ran, call } = agent(STEPS, slow);
    assert.match(await call('run_recipe', undefined, 0), /^recipe-1 is running: .*\nAsk coppice_job_result/);
    let status = '';
    await until('the second step runs', async () => {
      status = await call('job_status', {}, 0);
      return status.includes('pruned, writing');
    });
    assert.match(status, /^recipe-1 +small +Recipe: pruned, writing, \d+ %/m);
    await assert.rejects(call('run_recipe'), /running already/);
    assert.match(await call('cancel_job', { id: 'recipe-1' }), /^recipe-1 was cancelled\. Steps that were done stay/);
    assert.match(await call('job_result', { id: 'recipe-1' }), /was cancelled\. Steps that were done stay/);
    waits = false;
    assert.match(await call('run_recipe'), /2 steps ran in .*; done before: 1\./);
    assert.deepEqual(ran, ['score', 'prune', 'prune', 'eval']);
  });

  it('reads why a step failed, and which are done', async () => {
    const { call, root } = agent();
    mkdirSync(join(root, 'short'));
    await assert.rejects(call('run_recipe'), (error) => {
      assert.match(
        failureText(error),
        /^step “pruned”: .*short is not replaced: .*These steps are done and stay: scores/,
      );
      return true;
    });
    assert.match(await call('job_status', {}), /^recipe-1 +small +Recipe: failed after/m);
  });

  it('does not leave the open folders: model, inputs, outputs, variables, links, state', async () => {
    const { root, write, refused, file } = agent();
    const outside = dirname(root);
    cpSync(join(root, 'model'), join(outside, 'model'), { recursive: true });
    const { scores, pruned, quality } = STEPS;
    const out = (path: string): Steps => ({ scores, pruned: { ...pruned, options: { ...pruned.options, out: path } } });
    await refused(/outside the folders/, { recipe: '../other.coppice.json' });
    write(STEPS, { model: '../model' });
    await refused(/the model: .*outside the folders/);
    write(out('../short'));
    await refused(/step “pruned”, “out”: .*outside the folders/);
    write(out('model/short'));
    await refused(/step “pruned”, “out”: .*never writes there/);
    write({ quality: { ...quality, options: { checkpoint: './model', calibration: '../rows.json' } } });
    await refused(/step “quality”, “calibration”: .*outside the folders/);
    write({ ...out('${place}'), quality }, { variables: { count: 1, place: 'short' } });
    await refused(/step “pruned”, “out”/, { recipe: file, set: { place: join(outside, 'short') } });
    symlinkSync(outside, join(root, 'link'));
    write(out('link/short'));
    await refused(/step “pruned”, “out”: .*outside the folders/);
    write(STEPS);
    symlinkSync(outside, join(root, '.coppice'));
    await refused(/\.coppice is a link, and a recipe writes only where its own folder really is/);
    assert.ok(!existsSync(join(outside, 'short')) && !existsSync(join(outside, 'small')));
  });

  it('does not leave them by what a step found or a state says either', async () => {
    const { root, call, write, ran } = agent();
    const { scores, pruned } = STEPS;
    const way = { ...pruned, options: { ...pruned.options, out: '../${steps.scores.criterion}' } };
    write({ scores, pruned: way });
    await assert.rejects(call('run_recipe'), (error) => {
      assert.match(failureText(error), /step “pruned”.*magnitude cannot be used: it is outside the folders/);
      return true;
    });
    assert.deepEqual(ran, ['score']);
    await assert.rejects(call('plan_recipe'), /outside the folders/);
    assert.ok(!existsSync(join(dirname(root), 'magnitude')));

    write({ scores });
    const state = join(root, '.coppice/small/state.json');
    const result = join(root, '.coppice/small/scores/result.json');
    renameSync(result, join(dirname(root), 'result.json'));
    writeFileSync(state, readFileSync(state, 'utf8').replace('.coppice/small/scores/result.json', '../result.json'));
    assert.match(await call('plan_recipe'), /^scores +score +runs: its result is gone/m);
  });

  it('is asked about what it replaces', async () => {
    const { root, file, call, ask } = agent();
    await call('run_recipe');
    const input = { recipe: file, set: { count: 2 } };
    const plan = await call('plan_recipe', input);
    assert.ok(plan.includes(`replaces, because this recipe wrote them: ${join(root, 'short')}`), plan);
    const { message } = (await ask(input))!;
    assert.match(message, /Replaces `.*short`, which this recipe wrote\.[^]*nothing else is replaced\.$/);
  });
});
