/** `coppice mcp` as an agent uses it: the SDK's client over stdin and stdout, on a copy of the sample model. */
import assert from 'node:assert/strict';
import Ajv2020 from 'ajv/dist/2020.js';
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AGENT_TOOLS } from '../../src/agents';
import { buildCli } from '../support/built-cli';
import { hashesOf } from '../support/hashes';
import { endSessions, type McpSession, startMcp } from '../support/mcp';
import { temporaryFolder } from '../support/temporary';
import { until } from '../support/until';

/** Half a minute of computing: every test cancels it. */
const LONG = { checkpoint: 'model', criterion: 'greedy', count: 6, samples: 32, length: 256 };
const sample = resolve(import.meta.dirname, '../../media/sample');

describe('coppice mcp', function () {
  this.timeout(120_000);
  let root: string;
  let session: McpSession;

  before(async () => {
    buildCli();
    root = realpathSync(temporaryFolder());
    cpSync(sample, join(root, 'model'), { recursive: true });
    session = await startMcp({ args: ['--root', root, '--device', 'cpu'] });
  });
  after(endSessions);

  const call = async (name: string, input: object): Promise<string> => {
    const { text, isError } = await session.call(`coppice_${name}`, input);
    assert.ok(!isError, text);
    return text;
  };
  const calibration = 'model/calibration.txt';

  it('says what it is and lists the tools, with schemas that are valid', async () => {
    assert.equal(session.client.getServerVersion()?.name, 'coppice');
    assert.match(session.client.getInstructions() ?? '', /inspect/);
    const { tools } = await session.client.listTools();
    assert.deepEqual(
      tools.map(({ name }) => name),
      AGENT_TOOLS.map(({ name }) => name),
    );
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
    for (const { name, description, inputSchema, annotations } of tools) {
      assert.match(name, /^coppice_[a-z_]+$/);
      assert.ok(annotations?.title && description && description.length > 40, name);
      assert.equal(inputSchema.type, 'object');
      assert.ok(ajv.validateSchema(inputSchema), `${name}: ${ajv.errorsText()}`);
      ajv.compile(inputSchema);
      const { effect } = AGENT_TOOLS.find((tool) => tool.name === name)!;
      assert.equal(annotations.readOnlyHint, effect === 'reads', name);
      assert.ok(annotations.destructiveHint === false && annotations.openWorldHint === false, name);
    }
  });

  it('plans and runs a recipe, with its report', async () => {
    const steps = { scores: { job: 'score', options: { criterion: 'magnitude' } } };
    writeFileSync(join(root, 'small.coppice.json'), JSON.stringify({ coppice: 1, model: './model', steps }));
    const recipe = { recipe: 'small.coppice.json' };
    assert.match(await call('plan_recipe', recipe), /1 of 1 step to run/);
    const text = await call('run_recipe', recipe);
    assert.match(text, /small\.coppice\.json: done\. 1 step ran/);
    assert.ok(existsSync(/^report: (.+)$/m.exec(text)![1]), text);
  });

  it('inspects, scores, plans, prunes and evaluates; the original stays as it is', async () => {
    const before = hashesOf(join(root, 'model'));
    assert.match(await call('inspect', { checkpoint: 'model' }), /llama, 12 blocks/);
    assert.match(await call('score', { checkpoint: 'model', calibration }), /least important first: 6, 5, 4/);
    assert.match(await call('plan', { checkpoint: 'model', scores: 'score-1', count: 3 }), /4, 5, 6/);
    const pruned = await call('prune', { checkpoint: 'model', scores: 'score-1', count: 3, out: 'pruned' });
    assert.match(pruned, /4, 5, 6/);
    assert.ok(existsSync(join(root, 'pruned', 'model.safetensors')));
    const text = 'model/evaluation.txt';
    const perplexity = await call('evaluate', { checkpoint: join(root, 'pruned'), text, limit: 500 });
    assert.match(perplexity, /perplexity/);
    assert.deepEqual(hashesOf(join(root, 'model')), before);
    assert.deepEqual(session.faults, []);
    assert.equal(session.stderr(), '');
  });

  it('tells progress to who asks for it', async () => {
    const shares: number[] = [];
    const controller = new AbortController();
    const running = session.call(
      'coppice_score',
      { ...LONG, calibration },
      { signal: controller.signal, onprogress: ({ progress }) => void shares.push(progress) },
    );
    await Promise.race([running, until('reports', () => shares.length > 2)]);
    controller.abort();
    await assert.rejects(running);
    assert.deepEqual(
      shares,
      [...new Set(shares)].sort((a, b) => a - b),
    );
    assert.ok(shares.every((share) => share >= 0 && share <= 1));
  });

  it('reads and writes nothing outside the roots', async () => {
    const outside = realpathSync(temporaryFolder());
    cpSync(sample, join(outside, 'model'), { recursive: true });
    symlinkSync(join(outside, 'model'), join(root, 'link'));
    for (const checkpoint of ['..', '../x', join(outside, 'model'), 'link', '/', 'model/../../x']) {
      const { text, isError } = await session.call('coppice_inspect', { checkpoint });
      assert.ok(isError && text.includes('outside the folders') && text.includes(root), `${checkpoint}: ${text}`);
    }
    symlinkSync(outside, join(root, 'way-out'));
    for (const out of [join(outside, 'new'), '../new', 'way-out/new', 'model/new']) {
      const { text, isError } = await session.call('coppice_prune', { checkpoint: 'model', blocks: [4], out });
      assert.ok(isError && /outside the folders|never writes/.test(text), `${out}: ${text}`);
    }
    assert.ok(!existsSync(join(outside, 'new')));
  });

  it('answers a message that is too long with an error, and goes on', async () => {
    await assert.rejects(session.call('coppice_inspect', { checkpoint: 'x'.repeat(11e6) }), /may have at most/);
    assert.match(await call('inspect', { checkpoint: 'model' }), /llama/);
  });

  it('says what is wrong with an input, so that the model can put it right', async () => {
    for (const [input, word] of [
      [{}, /checkpoint/],
      [{ checkpoint: 7 }, /checkpoint/],
      [{ checkpoint: 'model', criterion: 'beauty' }, /criterion/],
      [{ checkpoint: 'model', colour: 'red' }, /colour/],
      [{ checkpoint: 'missing', calibration }, /missing/],
    ] as const) {
      const { text, isError } = await session.call('coppice_score', input);
      assert.ok(isError && word.test(text), text);
    }
    await assert.rejects(session.call('coppice_nothing'), /no tool coppice_nothing/);
  });

  it('uses the current folder without --root, and no record goes into the model', async () => {
    const other = await startMcp({ cwd: join(root, 'model'), args: ['--device', 'cpu'] });
    const { text, isError } = await other.call('coppice_score', { checkpoint: '.', criterion: 'magnitude' });
    assert.ok(!isError && text.includes('least important first'), text);
    assert.ok(!existsSync(join(root, 'model', '.coppice')));
    const refused = await other.call('coppice_inspect', { checkpoint: '../pruned' });
    assert.ok(refused.isError);
  });

  it('is limited by the roots of the client too, also when they change', async () => {
    const inner = join(root, 'inner');
    mkdirSync(inner);
    let roots: string[] = [join(root, 'model')];
    const other = await startMcp({ args: ['--root', root], roots: () => roots });
    const inspect = (): Promise<{ text: string; isError: boolean }> =>
      other.call('coppice_inspect', { checkpoint: join(root, 'model') });
    assert.ok(!(await inspect()).isError);
    roots = [inner];
    await other.client.sendRootsListChanged();
    const refused = await inspect();
    assert.ok(refused.isError && refused.text.includes(inner), refused.text);
    roots = [temporaryFolder()];
    await other.client.sendRootsListChanged();
    assert.match((await inspect()).text, /No folder is open.*--root/);
  });

  it('asks the user where the client can, and writes nothing without a yes', async () => {
    for (const answer of ['decline', 'accept'] as const) {
      const other = await startMcp({ args: ['--root', root, '--device', 'cpu'], answer });
      const { text, isError } = await other.call('coppice_prune', { checkpoint: 'model', blocks: [5], out: 'asked' });
      assert.match(other.questions.join(), /asked/);
      assert.equal(isError, answer === 'decline', text);
      assert.equal(existsSync(join(root, 'asked')), answer === 'accept');
      await other.call('coppice_inspect', { checkpoint: 'model' });
      assert.equal(other.questions.length, 1); // none for what only reads
    }
  });

  it('answers with an id if a job takes long, which gives its state and its result, or ends it', async () => {
    const other = await startMcp({ args: ['--root', root, '--device', 'cpu', '--wait', '0.1'] });
    const ask = async (name: string, input: object = {}): Promise<string> => (await other.call(name, input)).text;
    assert.match(await ask('coppice_score', { checkpoint: 'model', calibration }), /score-1 is running/);
    assert.match(await ask('coppice_job_status'), /score-1/);
    // It scores twelve blocks, which takes a busy machine a while.
    const isThere = async (): Promise<boolean> =>
      (await ask('coppice_job_result', { id: 'score-1' })).includes('least important first');
    await until('the result is there', isThere, 60_000);
    assert.match(await ask('coppice_score', { ...LONG, calibration }), /score-2 is running/);
    await ask('coppice_cancel_job', { id: 'score-2' });
    await until('it ends', async () => (await ask('coppice_job_status')).includes('cancelled'));
    assert.ok((await other.call('coppice_job_result', { id: 'score-9' })).isError);
  });

  it('ends a job when the client takes back its call', async () => {
    const controller = new AbortController();
    const begun = session.log.length;
    const heard = (word: string): boolean => session.log.slice(begun).some((line) => line.includes(word));
    const running = session.call('coppice_score', { ...LONG, calibration }, { signal: controller.signal });
    await Promise.race([running, until('the job runs', () => heard('score begins'))]);
    controller.abort();
    await assert.rejects(running);
    await until('it ends', () => heard('score ends'));
    // The newest comes first. The log has the end before the job has its state.
    await until('it is cancelled', async () =>
      (await session.call('coppice_job_status')).text.split('\n')[1].includes('cancelled'),
    );
  });

  it('has a prompt for the usual way', async () => {
    const { client } = session;
    const [{ name }] = (await client.listPrompts()).prompts;
    const { messages } = await client.getPrompt({ name, arguments: { model: './model', share: '30 %' } });
    assert.match(JSON.stringify(messages), /model \.\/model 30 % smaller.*Ask me for a text/);
    await assert.rejects(client.getPrompt({ name }), /needs a model/);
    await assert.rejects(client.getPrompt({ name: 'other' }), /no prompt other/);
  });

  it('keeps a record of each run in the folder of its root', () => {
    const folder = join(root, '.coppice', 'runs');
    assert.ok(existsSync(folder));
    assert.equal(readFileSync(join(root, '.coppice', '.gitignore'), 'utf8'), '*\n');
  });
});
