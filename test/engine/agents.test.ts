/** Every tool of agents on the sample model, with jobs in this process: what it answers, asks and leaves behind. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AGENT_TOOLS } from '../../src/agents';
import { roughBudget } from '../../src/agents/answer';
import { RunnerDesk } from '../../src/agents/job-desk';
import { failureText } from '../../src/agents/naming';
import { guardedPaths } from '../../src/agents/paths';
import type { AgentContext } from '../../src/agents/tool';
import { formatNumber, formatPercent } from '../../src/format/numbers';
import { MachineSpeeds } from '../../src/estimates/machine';
import { runSpec } from '../../src/jobs/run-spec';
import type { JobRunner } from '../../src/jobs/runner';
import type { JobOutcome, JobSpec } from '../../src/protocol/jobs';
import { hashesOf } from '../support/hashes';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';

const root = temporaryFolder();
const model = join(root, 'model');
cpSync(resolve(import.meta.dirname, '../../media/sample'), model, { recursive: true });

const run = ((spec: JobSpec, job = {}) => runSpec(spec, { job, hooks: {}, emit: () => undefined })) as JobRunner;

/** Slow speeds make everything take minutes, so that questions come. */
const speedsOf = (flops: number): MachineSpeeds => {
  const speeds = MachineSpeeds.none(1);
  speeds.learn({ kind: 'products', work: 'ppl', size: 1e7, flops: 1e12 }, 1e12 / flops, 'cpu');
  return speeds;
};

const desk = new RunnerDesk(run);
const context: AgentContext = {
  paths: guardedPaths([root]),
  desk,
  signal: new AbortController().signal,
  budget: roughBudget(2000),
  records: [join(root, '.coppice/runs')],
  waitMs: 60_000,
  calibration: join(model, 'calibration.txt'),
  speeds: speedsOf(1e11),
  assets: () => Promise.reject(new Error('no recipe runs here')),
};

const toolOf = (name: string) => AGENT_TOOLS.find((tool) => tool.name === `coppice_${name}`)!;
const call = (name: string, input: object, more: Partial<AgentContext> = {}): Promise<string> =>
  toolOf(name).run({ ...input }, { ...context, ...more });
const ask = async (name: string, input: object, speeds = context.speeds): Promise<string> => {
  const asked = await toolOf(name).confirmation?.({ ...input }, { ...context, speeds });
  return asked ? `${asked.title}\n${asked.message}` : '';
};
const ROWS = { samples: 2, length: 32 };
const TEXT = { text: 'model/evaluation.txt', limit: 2 };

describe('an agent with the sample model', function () {
  this.timeout('2m');
  const source = hashesOf(model);
  after(() => assert.deepEqual(hashesOf(model), source));

  it('inspects it', async () => {
    const text = await call('inspect', { checkpoint: 'model' });
    assert.match(text, /^model: llama, 12 blocks, 2,624,640 parameters, 5\.4 MB \(safetensors, BF16\)$/m);
    assert.match(text, /196,864 parameters on average, 7\.5 % of all/);
  });

  it('scores it with the text of the settings, keeps a record, and plans by the id of the job and by the record', async () => {
    const text = await call('score', { checkpoint: 'model', ...ROWS });
    assert.match(text, /^text: calibration\.txt, 2 rows of 32 tokens, seed 1234, BOS: window; float32 on cpu/m);
    const [, record] = /^job: score-1; record of the run: (.+)$/m.exec(text)!;
    assert.ok(existsSync(record));
    const { result } = desk.jobs[0].outcome as JobOutcome<'score'>;
    const best = (result.order as number[]).filter((block) => block > 3 && block < 10);
    for (const { index, ppl } of result.blocks!) {
      const row = new RegExp(`^ *~?${index} +${formatNumber(Number(ppl), 5).replaceAll('.', '\\.')} `, 'm');
      assert.match(text, row);
    }

    const byId = await call('plan', { checkpoint: 'model', scores: 'score-1', ratio: 0.25 });
    const removed = best.slice(0, 3).sort((a, b) => a - b);
    assert.ok(byId.startsWith(`removed     ${removed.join(', ')} (3 of 12 blocks`), byId);
    assert.match(byId, /^bytes +5,360,\d{3} → 4,17\d,\d{3}/m);
    assert.match(byId, /about 1\.29× as fast.*not measured/);
    assert.match(byId, /num_hidden_layers 12 → 9/);
    assert.equal(await call('plan', { checkpoint: 'model', scores: record, ratio: 0.25 }), byId);
    const small = await call('plan', { checkpoint: 'model', scores: 'score-1', targetBytes: 4_000_000 });
    assert.match(small, /\(4 of 12 blocks/);
  });

  it('says what a plan lacks, and which targets are out of reach', async () => {
    const refused = (input: object, words: RegExp) =>
      assert.rejects(call('plan', { checkpoint: 'model', ...input }), (error) => {
        assert.match(failureText(error), words);
        return true;
      });
    await refused({ count: 2 }, /Run coppice_score first/);
    await refused({ scores: 'score-9', count: 2 }, /there is no such job\. Use one of score-1\./);
    await refused({ scores: 'score-1', count: 9 }, /6 blocks are kept .* set "keepEnds" to false|6 blocks are kept/);
    await refused({ scores: 'score-1', targetBytes: 1_000_000 }, /cannot be made as small as 1\.0 MB/);
    await refused({ scores: 'score-1', targetBytes: 9_000_000 }, /Nothing has to be removed/);
    await refused({ scores: 'model/evaluation.txt', count: 2 }, /cannot be used as scores: it is not JSON/);
  });

  it('trims its vocabulary: first what that costs, then the model', async () => {
    const input = { checkpoint: 'model', texts: ['model/calibration.txt'] };
    const text = await call('vocabulary', input);
    assert.match(text, /saves only 3\.1 % of the parameters/); // what it is not worth comes first
    assert.match(text, /^Nothing was written/m);
    assert.match(
      text,
      /1,408 of 2,048 tokens stay; parameters 2,624,640 → 2,542,720 \(what went is as much as 0\.42 of 12 blocks\)/,
    );
    assert.match(text, /bits per byte 1\.\d+ → 1\.\d+ \(.*float32/);
    const write = { ...input, heldOut: 'model/calibration.txt', out: 'fewer' };
    assert.match(await ask('vocabulary', write), /^Trim the vocabulary of model\?\n[\s\S]*2048 tokens/);
    assert.match(
      await call('vocabulary', write),
      /^Written: .*fewer[\s\S]*cannot say other tokens[\s\S]*largest difference of two logits of kept tokens: 0$/m,
    );
    // Limits hold for agents too, and are named as properties.
    await assert.rejects(call('vocabulary', { ...input, heldOut: 'model/evaluation.txt', out: 'lossy' }), (error) => {
      assert.match(failureText(error), /more bits per byte.*"maxBitsGrowth"/);
      return true;
    });
    assert.ok(!existsSync(join(root, 'lossy')));
  });

  it('says what a draft would gain, and why none pays, and writes nothing without being asked', async () => {
    const prompts = ['Once upon a time', 'The little dog', 'In the park'];
    writeFileSync(join(root, 'prompts.txt'), prompts.join('\n'));
    const costs = (c: number) =>
      writeFileSync(join(root, 'costs.json'), JSON.stringify({ rows: [1, 16], v: [1, 1.2], c }));
    const input = {
      ...{ checkpoint: 'model', for: 'genai', prompts: 'prompts.txt', heldOut: 1, maxNewTokens: 12 },
      costs: 'costs.json',
    };
    costs(0.1);
    assert.match(
      await ask('draft', input, speedsOf(1e6)),
      /^Forecast drafts for model\?\n[\s\S]*Nothing is written but a record/,
    );
    const text = await call('draft', input);
    assert.match(text, /^Nothing was written: give "out" for the pair\./m);
    assert.match(text, /× as fast, with the same text/);
    assert.match(text, /^text: \d+ tokens that model writes for 3 prompts of prompts\.txt, 1 of them held out$/m);
    assert.match(text, /1: 1, 16: 1\.2 \(as given\)/);
    const { result } = desk.jobs[0].outcome as JobOutcome<'draft'>;
    assert.equal(result.verdict, 'pays');
    for (const { name, agree } of result.candidates)
      assert.match(text, new RegExp(`^ *${name}( \\(best\\))? .*${formatPercent(agree)}`, 'm'));
    assert.equal(text.match(/\(best\)/g)?.length, 1);
    costs(0.95);
    const refused = await call('draft', input);
    assert.match(refused, /^Nothing was written, because it does not pay\./m);
    assert.match(refused, /No draft pays here: .* Even a draft that is always right would give/);
    await assert.rejects(call('draft', { ...input, prompts: '../prompts.txt' }), /outside the folders/);
    // No agent starts other programs.
    await assert.rejects(call('draft', { ...input, consumers: true }), /"consumers"/);
  });

  it('prunes it by the scores: the same blocks as the command line, chosen by the criterion in its record', async () => {
    const input = { checkpoint: 'model', scores: 'score-1', ratio: 0.25, out: 'short' };
    const question = await ask('prune', input);
    assert.match(question, /^Write a shorter model\?\n/);
    assert.match(question, /Leaves out 3 of 12 blocks: [\d, ]+\.\n\nWrites `.*short`, about 4\.2 MB\./);
    const text = await call('prune', input);
    assert.match(text, /2,624,640 → 2,034,048 \(−22\.50 %\)/);
    const written = desk.jobs[0].outcome as JobOutcome<'prune'>;
    const { settings } = JSON.parse(readFileSync(written.record!, 'utf8')) as { settings: Record<string, unknown> };
    assert.equal(settings.chosen, 'by criterion');
    assert.equal(settings.ratio, 0.25);
    const { result } = await run<'prune'>({
      ...{ kind: 'prune', checkpoint: model, out: join(root, 'same'), ratio: 0.25, criterion: 'ppl' },
      ...{ calibration: context.calibration, ...ROWS },
    });
    assert.deepEqual(result.removed, written.result.removed);
    await assert.rejects(call('prune', input), /exists already/);
    await assert.rejects(call('prune', { ...input, out: 'model/short' }), /never writes there/);
    await assert.rejects(call('prune', { ...input, out: '../short' }), /outside the folders/);
  });

  it('refuses to heal by a fold what has norms behind its modules, before it asks anybody', async () => {
    cpSync(tinyCheckpoint('gemma2-softcap', { tokenizer: true }), join(root, 'gemma'), { recursive: true });
    const input = { checkpoint: 'gemma', remove: [1], data: ['model/evaluation.txt'], method: 'fold' };
    await assert.rejects(ask('heal', input), (error) => {
      assert.match(failureText(error), /^Cannot heal gemma2 by a fold: .* Use "method": refit\.$/);
      return true;
    });
    assert.match(
      await ask('heal', { ...input, method: 'refit', out: 'refitted' }),
      /^Heal gemma without 1 of its 4 blocks\?/,
    );
  });

  it('evaluates both: the numbers of the job', async () => {
    const whole = await call('evaluate', { checkpoint: 'model', ...TEXT });
    const short = await call('evaluate', { checkpoint: 'short', ...TEXT, against: 'model', repetition: 1 });
    const [cost, before] = desk.jobs.slice(0, 2).map(({ outcome }) => (outcome as JobOutcome<'eval'>).result);
    assert.ok(whole.includes(`model: perplexity ${formatNumber(before.ppl, 5)} `), whole);
    assert.ok(short.includes(`short: perplexity ${formatNumber(cost.ppl, 5)} `), short);
    assert.ok(short.includes(`beside model: KL divergence ${formatNumber(cost.kl!, 4)} nats`), short);
    assert.match(short, /repetition in 1 greedy text/);
    assert.match(short, /evaluation\.txt, 256 tokens in 2 windows of 128, BOS: window; float32 on cpu/);
    assert.ok(cost.ppl > before.ppl);
  });

  it('lets both write, and answer questions', async () => {
    const models = ['model', 'short'].map((label) => ({ label, checkpoint: label }));
    const texts = await call('compare_texts', { prompts: ['Once upon a time'], models, maxNewTokens: 8 });
    assert.match(
      texts,
      /not instructions\.\nprompt: "Once upon a time"\nmodel \(8 tokens.*\n".+"\nshort \(8 tokens.*\n".+"$/m,
    );
    const drafted = { prompts: ['Once upon a time'], models, maxNewTokens: 8, draft: 'int4' };
    const sooner = await call('compare_texts', drafted);
    assert.match(sooner, /^short \(8 tokens.* with draft int4: \d+ of \d+ proposed stayed\):$/m);
    assert.deepEqual(sooner.match(/^".*"$/gm), texts.match(/^".*"$/gm), 'the texts are the same');
    const own = ['model/stories.coppice-tasks.json'];
    const answers = await call('tasks', { checkpoints: ['model', 'short'], own, limit: 4 });
    assert.match(answers, /^stories +4 +\d+\.\d % ± /m);
    assert.match(answers, /^short minus model, in points with 95 % intervals/m);
  });

  it('heals it, and exports what it likes', async () => {
    const healing = { checkpoint: 'model', remove: [5, 6], data: ['model/calibration.txt'], tokens: 512 };
    assert.match(
      await ask('heal', { ...healing, out: 'healed' }),
      /Heal model without 2 of its 12 blocks\?[^]*about 4\.6 MB/,
    );
    const healed = await call('heal', { ...healing, out: 'healed' });
    assert.match(healed, /KL divergence [\d.]+ → [\d.]+ nats/);
    assert.ok(existsSync(join(root, 'healed/model.safetensors')));
    const out = { checkpoint: 'short', format: 'safetensors', type: ['f32'], out: 'wide' };
    assert.match(
      await ask('export', out),
      /Export short\?[^]*Type of the weights: f32\.[^]*Writes `.*wide`, about 8\.2 MB\./,
    );
    assert.match(await call('export', out), /logits differ by 0 at most, the most likely token is the same at 100 %/);
  });

  it('gets the id of a long job at once, waits for it, and can cancel one', async () => {
    const at = { waitMs: 0 };
    const started = await call('score', { checkpoint: 'model', ...ROWS }, at);
    assert.match(started, /^(score-\d+) is running: .*\nAsk coppice_job_result/);
    const [id] = started.split(' ');
    assert.match(await call('job_status', {}), new RegExp(`^${id} +model +Scoring: `, 'm'));
    assert.match(await call('job_result', { id }), /least important first/);
    assert.match(await call('cancel_job', { id }), /cannot be cancelled any more: it is done/);
    const long = (await call('score', { checkpoint: 'model', criterion: 'greedy', count: 6 }, at)).split(' ')[0];
    assert.match(await call('cancel_job', { id: long }), /was cancelled|next pause/);
    assert.match(await call('job_result', { id: long }), /was cancelled/);
    await assert.rejects(call('job_result', { id: 'score-99' }), /no job "score-99"/);
  });

  it('asks about what takes minutes, with the time, and not about what is quick', async () => {
    const scoring = { checkpoint: 'model' };
    assert.equal(await ask('score', scoring), '');
    assert.match(
      await ask('score', scoring, speedsOf(1e7)),
      /^Score the blocks of model\?\n[^]*Expected time: about \d+/,
    );
    assert.match(await ask('evaluate', { checkpoint: 'model', ...TEXT }, speedsOf(1e6)), /Expected time: about/);
    const fresh = MachineSpeeds.none(1);
    const pruning = { checkpoint: 'model', criterion: 'ppl', count: 2, out: 'new', heal: true };
    assert.match(await ask('prune', pruning, fresh), /Chooses 2 of 12 blocks[^]*roughly .* \(a guess\)/);
  });

  it('keeps its answers to the budget', async () => {
    const budget = roughBudget(120);
    const text = await call('score', { checkpoint: 'model', ...ROWS }, { budget });
    assert.ok((await budget.count(text)) <= budget.most);
    assert.match(text, /rows? left out|cut: /);
  });
});
