/** Jobs through the sidecar: the engine's own numbers, records, cancelling, and short requests in between. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { CancelledError, UserError } from '../../src/engine/errors';
import { generate } from '../../src/engine/evaluate/generate';
import { loadCalibration } from '../../src/engine/importance/calibration';
import { scoreBlocks } from '../../src/engine/importance/criteria/ppl';
import type { Suggestion } from '../../src/engine/importance/choice';
import { InputWatch } from '../../src/engine/records/changes';
import { readRecord } from '../../src/engine/records/record';
import { loadTokenizer } from '../../src/engine/tokenizer/tokenizer';
import { viewWithout } from '../../src/engine/model/view';
import type { ProgressInfo } from '../../src/protocol/jobs';
import type { TrainingEvent } from '../../src/protocol/training';
import { Ticket, ticketFolder } from '../../src/sharing/tickets';
import { brokenCheckpoint } from '../support/broken';
import { withModel } from '../support/model';
import { temporaryFolder } from '../support/temporary';
import { material } from './material';
import { describedClient, newClient } from './started';
import { evaluatePerplexity } from '../support/measuring';

const PROMPT = 'The river';

describe('sidecar: jobs', function () {
  this.timeout(120_000);
  const { model, text } = material();
  const client = describedClient();
  const calibration = { file: text, samples: 4, length: 32, seed: 7 };
  const drawn = { calibration: text, samples: 4, length: 32, seed: 7 };
  const source = { checkpoint: model, device: 'cpu' } as const;

  it('score: the numbers of the engine, a record with the losses of single rows, progress', async () => {
    const records = join(temporaryFolder(), 'workspace', '.coppice', 'runs');
    const reports: ProgressInfo[] = [];
    const spec = { kind: 'score', ...source, criterion: 'ppl', ...drawn, records: [records] } as const;
    const { result, record, device } = await client().run(spec, { onProgress: (p) => reports.push(p) });
    const { rows } = await loadCalibration(text, calibration, await loadTokenizer(model));
    const own = await withModel(model, (m) => scoreBlocks(m, rows, { seed: 7 }));
    assert.deepEqual(
      result.blocks,
      own.blocks.map(({ rows: _rows, tokens: _tokens, ...block }) => block),
    );
    assert.deepEqual(result.order, own.order);
    assert.equal(device?.provider, 'cpu');
    assert.equal(record && dirname(record), records);
    assert.equal(readdirSync(records).length, 1);
    assert.equal(readFileSync(join(dirname(records), '.gitignore'), 'utf8'), '*\n');
    const kept = await readRecord(record!);
    assert.equal(kept.kind, 'score');
    assert.equal((kept.results.blocks as { rows: number[] }[])[0].rows.length, 4);
    const { done, total } = reports.at(-1)!;
    assert.ok(Math.abs(done - total) < 1e-6, `${done} of ${total}`);
  });

  it('a job waits for memory that a job of the terminal may take, and says so', async () => {
    const other = await Ticket.take(await ticketFolder(), { job: 'retrain', bytes: 1e18, threads: 0 });
    await other?.begin();
    const waits: string[] = [];
    const onProgress = ({ label }: ProgressInfo): void => {
      if (!label.startsWith('waiting: ')) return;
      waits.push(label);
      void other?.end();
    };
    const spec = { kind: 'score', ...source, criterion: 'deepest' } as const;
    const { result } = await client().run(spec, { onProgress });
    assert.match(waits.join(), /^waiting: 1 job of this machine may take .+ of memory/);
    assert.ok(result.order && result.order.length > 0);
  });

  it('what makes numbers no numbers is among the warnings of score, curve and evaluate', async () => {
    const name = 'model.layers.1.mlp.up_proj.weight';
    const checkpoint = await brokenCheckpoint(name, [3], NaN);
    const broken = { checkpoint, device: 'cpu' } as const;
    const place = /the mean loss .* is NaN: its hidden states are not finite after block 1/;
    const scored = await client().run({ kind: 'score', ...broken, criterion: 'ppl', ...drawn });
    assert.match(scored.warnings.join(), place);
    const evaluated = await client().run({ kind: 'eval', ...broken, text, window: 32, limit: 2 });
    assert.match(evaluated.warnings.join(), place);
    assert.ok(!('warning' in evaluated.result));
    const curve = await client().run({ kind: 'curve', ...broken, criterion: 'deepest', keepEnds: false, ...drawn });
    assert.match(curve.warnings.join(), place);
    const whole = await client().run({ kind: 'score', ...source, criterion: 'ppl', ...drawn });
    assert.doesNotMatch(whole.warnings.join(), /finite|NaN/);
  });

  it('every other criterion', async () => {
    for (const criterion of [
      'kl',
      'taylor',
      'magnitude',
      'block-influence',
      'angular',
      'greedy',
      'healed',
      'deepest',
    ] as const) {
      const count = criterion === 'greedy' || criterion === 'healed' ? { count: 2 } : {};
      const { result } = await client().run({ kind: 'score', ...source, criterion, ...drawn, ...count });
      assert.ok(result.order ?? result.windows ?? result.removals, criterion);
    }
  });

  it('evaluate and generate: the numbers of the engine, on a view', async () => {
    const tokenizer = await loadTokenizer(model);
    const ids = await tokenizer.encode(readFileSync(text, 'utf8'), { addSpecialTokens: false });
    const view = viewWithout(6, [{ block: 2 }, { block: 4, part: 'ffn' }]);
    const promptIds = await tokenizer.encode(PROMPT, { addSpecialTokens: true });
    const own = await withModel(model, async (m) => ({
      ppl: (await evaluatePerplexity(m, ids, { window: 32, bos: 'stream', limit: 5, view })).ppl,
      ids: (await generate(m, promptIds, { maxNewTokens: 9, greedy: true, view })).ids,
    }));
    const remove = [2, '4.ffn'];
    const steps: string[] = [];
    const evaluated = await client().run(
      { kind: 'eval', ...source, remove, text, window: 32, limit: 5, bos: 'stream' },
      { onProgress: ({ label }) => steps.push(label) },
    );
    assert.equal(steps[0], 'reading text.txt as tokens'); // which takes long of a long text
    assert.ok(steps.length > 1);
    assert.equal(evaluated.result.ppl, own.ppl);
    assert.deepEqual(evaluated.result.removed, remove);

    const pieces: string[] = [];
    const seen: number[] = [];
    const generated = await client().run(
      { kind: 'generate', ...source, remove, prompt: PROMPT, maxNewTokens: 9 },
      {
        onEvent: ({ text: piece, ids: some }) => {
          pieces.push(piece);
          seen.push(...some);
        },
      },
    );
    assert.ok('ids' in generated.result);
    assert.deepEqual(generated.result.ids, own.ids);
    assert.deepEqual(seen, own.ids);
    assert.equal(pieces.join(''), generated.result.text);
  });

  it('samples: each column as if it wrote alone, in turns', async () => {
    const turns: number[] = [];
    const columns = [
      { label: 'original', checkpoint: model },
      { label: 'plan', checkpoint: model, remove: [1, 3] },
    ];
    const settings = { temperature: 0.9, topK: 40, seed: 11, maxNewTokens: 13, ignoreEos: true };
    const { result } = await client().run(
      { kind: 'samples', device: 'cpu', prompts: [PROMPT, 'In the'], columns, ...settings },
      { onEvent: ({ column, ids }) => ids.length > 0 && turns.push(column) },
    );
    assert.deepEqual(turns.slice(0, 6), [0, 1, 0, 1, 0, 1]);
    assert.equal(result.samples.length, 4);
    for (const { prompt, column, ids, stopped } of result.samples) {
      const { label: _, ...source } = columns[column];
      const alone = await client().run({
        kind: 'generate',
        device: 'cpu',
        ...source,
        ...settings,
        prompt: [PROMPT, 'In the'][prompt],
      });
      assert.ok('ids' in alone.result);
      assert.deepEqual(ids, alone.result.ids, `${prompt} ${column}`);
      assert.equal(stopped, 'length');
    }
  });

  it('samples: cancelling ends them with what there is', async () => {
    const controller = new AbortController();
    const { result } = await client().run(
      {
        kind: 'samples',
        device: 'cpu',
        prompts: [PROMPT],
        columns: [{ label: 'a', checkpoint: model }],
        maxNewTokens: 240,
        ignoreEos: true,
      },
      { onEvent: () => controller.abort(), signal: controller.signal },
    );
    assert.equal(result.samples[0].stopped, 'cancelled');
    assert.ok(result.samples[0].ids.length > 0 && result.samples[0].ids.length < 240);
  });

  it('curve: each point is the evaluation of its plan', async () => {
    const { result } = await client().run({
      kind: 'curve',
      ...source,
      criterion: 'ppl',
      ...drawn,
      text,
      window: 32,
      limit: 4,
      keepEnds: false,
    });
    assert.deepEqual(
      result.points.map(({ count }) => count),
      [0, 1, 2, 3, 4, 5],
    );
    for (const { removed, ppl } of result.points) {
      const alone = await client().run({
        kind: 'eval',
        ...source,
        remove: removed,
        text,
        window: 32,
        limit: 4,
      });
      assert.equal(ppl, alone.result.ppl, removed.join());
    }
  });

  it('prune, and what was pruned can be opened', async () => {
    const out = join(temporaryFolder(), 'pruned');
    const { result } = await client().run({ kind: 'prune', checkpoint: model, blocks: [4, 1], out });
    assert.deepEqual(
      [result.removed, result.kept],
      [
        [1, 4],
        [0, 2, 3, 5],
      ],
    );
    assert.equal((await openCheckpoint(out)).architecture?.layers.length, 4);
  });

  it('prune says why these blocks go, and where the text is that chose them', async () => {
    const [folder, records] = [temporaryFolder(), join(temporaryFolder(), 'runs')];
    const scored = await client().run({ kind: 'score', ...source, criterion: 'ppl', ...drawn, records: [records] });
    const { source: name, sha256, samples, length, seed } = scored.result.calibration!;
    const choice: Suggestion = {
      criterion: 'ppl',
      goal: { kind: 'count' as const, count: 1 },
      blocks: [4],
      calibration: { name, sha256, samples, length, seed, file: calibration.file },
    };
    const out = join(folder, 'pruned');
    const run = { kind: 'prune', checkpoint: model, records: [records] } as const;
    const { record } = await client().run({ ...run, blocks: [4, 1], out, choice });
    const { inputs, settings } = await readRecord(record!);
    assert.equal(inputs.find(({ role }) => role === 'calibration')?.place, relative(records, calibration.file));
    const given = [model, calibration.file];
    assert.deepEqual(await new InputWatch().check(inputs, records, { given }), { changed: [], unchecked: [] });
    assert.deepEqual([settings.criterion, settings.suggested, settings.removedByHand], ['ppl', [4], [1]]);
    const card = readFileSync(join(out, 'README.md'), 'utf8');
    assert.match(card, /Block 4 was suggested by the criterion `ppl`.* block 1 also removed\./s);
    assert.ok(!`${card}${readFileSync(join(out, 'coppice.json'), 'utf8')}`.includes(dirname(calibration.file)));

    // Scores of an earlier version know no path: then there is no place, rather than one that nothing is at.
    const nameless = { name, sha256, samples, length, seed };
    const old = await client().run({
      ...run,
      blocks: [4],
      out: join(folder, 'old'),
      choice: { ...choice, calibration: nameless },
    });
    const text = (await readRecord(old.record!)).inputs.find(({ role }) => role === 'calibration');
    assert.deepEqual(text, { role: 'calibration', name, sha256 });
  });

  it('what is made from a pruned model inherits the text that chose its blocks', async () => {
    const [one, two] = ['one', 'two'].map((name) => join(temporaryFolder(), name));
    const calibration = { name: 'prose.txt', sha256: 'abc' };
    const choice = { criterion: 'ppl', goal: { kind: 'count', count: 1 }, blocks: [4], calibration } as const;
    await client().run({ kind: 'prune', checkpoint: model, blocks: [4], out: one, choice });
    await client().run({ kind: 'prune', checkpoint: one, blocks: [1], out: two, choice: 'hand' });
    const { inputs } = await readRecord(join(two, 'coppice.json'));
    assert.deepEqual(
      inputs.filter(({ role }) => role === 'calibration'),
      [{ role: 'calibration', ...calibration }],
    );
    assert.match(readFileSync(join(two, 'README.md'), 'utf8'), /The blocks were chosen by hand\./);
  });

  it('retrain a view, merge what came of it, and see that it helps', async () => {
    const out = join(temporaryFolder(), 'adapter');
    const events: TrainingEvent[] = [];
    const settings = { rank: 4, data: [text], length: 32, batch: 4, steps: 8, lr: 0.01 };
    const { result } = await client().run(
      { kind: 'retrain', ...source, remove: [2], heal: 'none', ...settings, out },
      { onEvent: (event) => events.push(event) },
    );
    assert.equal(result.steps, 8);
    assert.equal(events[0].type, 'start');
    assert.deepEqual(
      events.flatMap((event) => (event.type === 'step' ? event.step : [])),
      [1, 2, 3, 4, 5, 6, 7, 8],
    );
    const merged = join(temporaryFolder(), 'merged');
    const done = await client().run({ kind: 'merge', checkpoint: model, adapter: out, out: merged });
    assert.deepEqual(done.result.removed, [2]);
    const card = readFileSync(join(merged, 'README.md'), 'utf8');
    assert.match(card, /- data: `text\.txt` \(\w+\); [\d,]+ examples, \d+ held out\n/);
    assert.match(card, /- training: 8 steps of 4 rows, learning rate 0\.01\n/);
    const [first, kept] = [result.evaluations[0], result.best!].map(({ ppl }) => ppl.toPrecision(4));
    assert.ok(card.includes(`held out: ${first} before, ${kept} after`), card);
    const ppl = async (more: object): Promise<number> =>
      (await client().run({ kind: 'eval', ...source, text, window: 32, ...more })).result.ppl;
    assert.ok((await ppl({ checkpoint: merged })) < (await ppl({ remove: [2] })));
  });

  it('keeps records out of checkpoints and hub caches, and takes the next folder', async () => {
    const spec = { kind: 'score', ...source, criterion: 'deepest' } as const;
    const hub = join(temporaryFolder(), 'models--org--name', 'snapshots', 'runs');
    await assert.rejects(
      client().run({ ...spec, records: [join(model, '.coppice', 'runs'), hub] }),
      (error) => error instanceof UserError && error.why.includes('Hugging Face'),
    );
    const good = join(temporaryFolder(), 'runs');
    const { record } = await client().run({ ...spec, records: [join(model, 'runs'), good] });
    assert.ok(record?.startsWith(good));
    assert.ok(!existsSync(join(model, 'runs')) && !existsSync(hub));
  });

  it('says what is wrong as the engine does', async () => {
    const missing = client().run({ kind: 'score', checkpoint: join(model, 'none'), criterion: 'deepest' });
    await assert.rejects(missing, (error) => error instanceof UserError && error.why.includes('there is no'));
  });

  it('reports the device, and why', async () => {
    const rows = { calibration: text, samples: 2, length: 16 };
    const score = { kind: 'score', checkpoint: model, criterion: 'block-influence', ...rows, device: 'cpu' } as const;
    const { device } = await client().run(score);
    assert.deepEqual([device?.provider, device?.why], ['cpu', 'asked for']);
  });
});

describe('sidecar: while a long job runs', function () {
  this.timeout(120_000);
  const { model, text } = material(16);
  const client = describedClient();
  const calibration = { file: text, samples: 10, length: 64 };
  const drawn = { calibration: text, samples: 10, length: 64 };
  const long = {
    kind: 'score',
    checkpoint: model,
    device: 'cpu',
    criterion: 'greedy',
    count: 15,
    ...drawn,
  } as const;

  it('short requests are answered before it ends', async () => {
    const controller = new AbortController();
    const job = client().run(long, { signal: controller.signal });
    await started(client());
    const plan = { checkpoint: model, device: 'cpu', remove: [3], calibration } as const;
    const { ppl } = await client().request('view/perplexity', plan);
    const asked = { id: 's', checkpoint: model, tensor: 'model.norm.weight' };
    const statistics = await client().request('tensor/statistics', asked);
    assert.deepEqual(
      client().jobs.map(({ state }) => state),
      ['running'],
    );
    controller.abort();
    await assert.rejects(job, CancelledError);
    assert.equal(statistics.elements, 64);
    const scored = await client().run({ kind: 'score', ...plan, ...drawn, remove: [], criterion: 'ppl' });
    assert.equal(ppl, scored.result.blocks![3].ppl);
  });

  it('a text is written beside it, and the next long job waits', async () => {
    const controller = new AbortController();
    const job = client().run(long, { signal: controller.signal });
    const next = client().run(long, { signal: controller.signal });
    await started(client());
    const text = client().run({ kind: 'generate', checkpoint: model, device: 'cpu', prompt: PROMPT, maxNewTokens: 4 });
    const { result } = await text;
    assert.ok('ids' in result && result.ids.length > 0);
    assert.deepEqual(
      client().jobs.map(({ state }) => state),
      ['running', 'queued'],
    );
    controller.abort();
    await Promise.all([job, next].map((each) => assert.rejects(each, CancelledError)));
  });

  it('a text is written beside it where this machine takes one job at a time', async () => {
    const before = process.env.COPPICE_JOBS;
    process.env.COPPICE_JOBS = '1'; // the sidecar inherits it
    const one = newClient();
    const controller = new AbortController();
    try {
      const job = one.run(long, { signal: controller.signal });
      await started(one);
      const text = one.run({ kind: 'generate', checkpoint: model, device: 'cpu', prompt: PROMPT, maxNewTokens: 4 });
      assert.ok('ids' in (await text).result);
      controller.abort();
      await assert.rejects(job, CancelledError);
    } finally {
      void one.dispose();
      if (before === undefined) delete process.env.COPPICE_JOBS;
      else process.env.COPPICE_JOBS = before;
    }
  });

  it('the newest what-if wins, and computes only what follows the first difference', async () => {
    const ask = (remove: number[]) =>
      client().request('view/perplexity', { checkpoint: model, device: 'cpu', remove, calibration });
    await ask([5]);
    const overtaken = ask([0]);
    overtaken.catch(() => undefined);
    const newest = await ask([5, 14]);
    await assert.rejects(overtaken, CancelledError);
    assert.equal(newest.steps, 14);
    const next = await ask([5, 13]);
    assert.deepEqual([next.steps, next.stepsComputed], [14, 2]); // blocks 14 and 15
    assert.equal((await ask([5, 14])).stepsComputed, 0); // remembered
  });

  it('it can be cancelled, and so can what waits behind it', async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const running = client().run(long, { signal: first.signal });
    const waiting = client().run(long, { signal: second.signal });
    await started(client());
    assert.deepEqual(
      client().jobs.map(({ state }) => state),
      ['running', 'queued'],
    );
    second.abort();
    await assert.rejects(waiting, CancelledError);
    first.abort();
    await assert.rejects(running, CancelledError);
    assert.deepEqual(client().jobs, []);
  });

  it('it can be cancelled by its id', async () => {
    const running = client().run(long);
    await started(client());
    await client().cancel(client().jobs[0].id);
    await assert.rejects(running, CancelledError);
  });
});

/** Resolves at the first progress. */
function started(client: ReturnType<ReturnType<typeof describedClient>>): Promise<void> {
  return new Promise((go) => {
    const subscription = client.onProgress(() => {
      subscription.dispose();
      go();
    });
  });
}
