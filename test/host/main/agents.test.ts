/**
 * A coding agent in VS Code's chat, asked "make this model a quarter smaller and tell me what it costs": the calls that it
 * makes, through the API that it makes them by, and what it reads.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import { AGENT_TOOLS } from '../../../src/agents';
import { formatNumber } from '../../../src/format/numbers';
import type { EvaluateSpec } from '../../../src/protocol/jobs';
import { coppice, fileLines, inWorkspace } from '../support/coppice';
import { type Staged, stageSample, unstage } from '../support/sample';
import { hashesOf } from '../../support/hashes';
import { until } from '../../support/until';

/** The text of a tool's answer. */
async function call(name: string, input: object = {}): Promise<string> {
  const options = { input, toolInvocationToken: undefined };
  const { content } = await vscode.lm.invokeTool(`coppice_${name}`, options);
  return content.map((part) => (part as vscode.LanguageModelTextPart).value).join('\n');
}

describe('an agent in the chat', () => {
  let staged: Staged;
  const text = inWorkspace('stories', 'evaluation.txt');
  const short = inWorkspace('short');

  before(async () => {
    await (await coppice()).sidecar.restart();
    staged = await stageSample();
  });
  after(() => unstage(staged));

  it('finds the tools with the schemas and texts of the package', () => {
    const found = vscode.lm.tools.filter(({ name }) => name.startsWith('coppice_'));
    assert.deepEqual(found.map(({ name }) => name).sort(), AGENT_TOOLS.map(({ name }) => name).sort());
    const score = found.find(({ name }) => name === 'coppice_score')!;
    assert.deepEqual(score.inputSchema, AGENT_TOOLS.find(({ name }) => name === 'coppice_score')!.input);
    assert.match(score.description, /least to most important/);
  });

  it('makes the model a quarter smaller, and says what that costs', async () => {
    const { checkpoint } = staged;
    const before = hashesOf(checkpoint);

    assert.match(await call('inspect', { checkpoint: 'stories' }), /12 blocks, 2,624,640 parameters/);

    const scores = await call('score', { checkpoint: 'stories' });
    assert.match(scores, /calibration\.txt, 10 rows of 128 tokens/);
    const order = /least important first: ([\d, ]+\d)/.exec(scores)![1].split(', ').map(Number);
    const [, id] = /^job: (score-\d+)/m.exec(scores)!;

    const plan = await call('plan', { checkpoint: 'stories', scores: id, ratio: 0.25 });
    const chosen = order
      .filter((block) => block > 3 && block < 10)
      .slice(0, 3)
      .sort((a, b) => a - b);
    assert.match(plan, new RegExp(`^removed +${chosen.join(', ')} \\(3 of 12 blocks`, 'm'));
    assert.match(plan, /num_hidden_layers 12 → 9/);
    assert.ok(!existsSync(short));

    const pruned = await call('prune', { checkpoint: 'stories', scores: id, ratio: 0.25, out: 'short' });
    assert.match(pruned, /2,624,640 → 2,034,048 \(−22\.50 %\)/);
    await until('the view lists it', async () =>
      (await fileLines()).some(({ item }) => JSON.stringify(item.label)?.includes('short')),
    );

    const whole = await call('evaluate', { checkpoint: 'stories', text, limit: 8 });
    const cost = await call('evaluate', { checkpoint: 'short', text, limit: 8, against: 'stories' });
    const measured = async (path: string, against?: string): Promise<{ ppl: number; kl?: number }> => {
      const spec: EvaluateSpec = { kind: 'eval', checkpoint: path, text, limit: 8, ...(against && { against }) };
      return (await (await coppice()).sidecar.run(spec)).result;
    };
    assert.ok(whole.includes(`perplexity ${formatNumber((await measured(checkpoint)).ppl, 5)} `), whole);
    const { ppl, kl } = await measured(short, checkpoint);
    assert.ok(cost.includes(`perplexity ${formatNumber(ppl, 5)} `), cost);
    assert.ok(cost.includes(`KL divergence ${formatNumber(kl!, 4)} nats`), cost);

    const texts = await call('compare_texts', {
      prompts: ['Once upon a time'],
      models: [
        { label: 'original', checkpoint: 'stories' },
        { label: 'pruned', checkpoint: 'short' },
      ],
      maxNewTokens: 12,
    });
    assert.match(texts, /^original \(12 tokens[^]*^pruned \(12 tokens/m);

    assert.deepEqual(hashesOf(checkpoint), before);
  });

  it('asks for a long job by its id, and can cancel it', async () => {
    // A search takes the minute that it is given, on any machine.
    const long = { checkpoint: 'stories', criterion: 'search', count: 6, samples: 60, length: 128 };
    const answer = await call('score', long);
    const [, id] = /^(score-\d+) is running: /.exec(answer) ?? [];
    assert.ok(id, answer);
    assert.match(await call('job_status'), new RegExp(`^${id} +stories +.*\\d+ %`, 'm'));
    assert.match(await call('cancel_job', { id }), /cancelled|next pause/);
    // Long before its minute is over. A search that has begun gives the best set so far.
    const ended = new RegExp(`^${id} .*: (cancelled|done) after `, 'm');
    await until('it has ended', async () => ended.test(await call('job_status')));
  });

  it('plans a recipe, and runs it in the sidecar with its report', async () => {
    const file = vscode.Uri.file(inWorkspace('agent.coppice.json'));
    const steps = { scores: { job: 'score', options: { criterion: 'magnitude' } } };
    const recipe = JSON.stringify({ coppice: 1, model: './stories', steps });
    await vscode.workspace.fs.writeFile(file, Buffer.from(recipe));
    try {
      assert.match(await call('plan_recipe', { recipe: 'agent.coppice.json' }), /1 of 1 step to run/);
      const end = await call('run_recipe', { recipe: 'agent.coppice.json' });
      assert.match(end, /agent\.coppice\.json: done\. 1 step ran/);
      assert.ok(existsSync(/^report: (.+)$/m.exec(end)![1]), end);
    } finally {
      await vscode.workspace.fs.delete(file);
    }
  });

  it('reads what to do where a call is wrong', async () => {
    await assert.rejects(
      call('score', { checkpoint: '/' }),
      /outside the folders that are open to agents.*Use a path inside/s,
    );
    await assert.rejects(call('prune', { checkpoint: 'stories', blocks: [5], out: 'stories/x' }), /never writes there/);
    await assert.rejects(call('plan', { checkpoint: 'stories', ratio: 0.2 }), /Run coppice_score first/);
  });
});
