/** The original beside what was made of it: which models, which numbers stand beside each other, and what is missing. */
import assert from 'node:assert/strict';
import { beforeAfter, type BeforeAfter } from '../../../src/engine/records/before-after/before-after';
import { isJudged } from '../../../src/engine/records/before-after/evaluated';
import { judgementOf } from '../../../src/engine/records/before-after/judgement';
import { beforeAfterHtml } from '../../../src/engine/records/before-after/html';
import { beforeAfterMarkdown } from '../../../src/engine/records/before-after/markdown';
import { cardSection } from '../../../src/engine/records/card-section';
import { digestRecord } from '../../../src/jobs/digest/digest';
import type { RunDigest } from '../../../src/engine/records/digest-types';
import { modelCard } from '../../../src/engine/records/model-card';
import { newRecord, type RunInput } from '../../../src/engine/records/record';
import { demoRecord, scoreRecord } from '../../support/records';

const WHOLE: RunInput = { role: 'model', name: 'whole', identity: 'id-whole' };
const SHORT: RunInput = { role: 'model', name: 'short', identity: 'id-short' };
const TEXT: RunInput = { role: 'text', name: 'wiki.txt', sha256: 'abc' };
const AGAINST = { model: 'whole', identity: 'id-whole' };

let minute = 0;
function run(kind: string, inputs: readonly RunInput[], results: object, settings: object = {}): RunDigest {
  const started = new Date(Date.UTC(2026, 3, 1, 9, minute++));
  const device = { provider: 'cpu' };
  return digestRecord(newRecord({ kind, inputs, results, settings: { ...settings }, device, started }));
}

const evaluated = (model: RunInput, results: object, window = 256): RunDigest =>
  run('eval', [model, TEXT], { tokens: 1020, windows: 4, ...results }, { window, bos: 'stream' });
const original = (): RunDigest => evaluated(WHOLE, { ppl: 20 });
const pruned = (): RunDigest =>
  evaluated(SHORT, {
    ppl: 30,
    kl: 0.4,
    top1: 0.5,
    against: AGAINST,
    repetition: { texts: 4, mean: 0.5, unpruned: 0.25 },
  });
const written = (): RunDigest =>
  run('prune', [WHOLE], {
    out: '/m/short',
    parametersBefore: 1000,
    parametersAfter: 800,
    bytesBefore: 2000,
    bytesAfter: 1600,
  });

function answered(): RunDigest {
  const task = (acc: number): object => ({
    name: 'piqa',
    items: 100,
    acc,
    accStderr: 0.05,
    reported: 'acc',
    results: [],
  });
  const model = (input: RunInput, acc: number): object => ({
    label: input.name,
    model: input.name,
    identity: input.identity,
    removed: [],
    tasks: [task(acc)],
    average: acc,
  });
  const paired = { difference: -0.1, interval: 0.04 };
  const difference = {
    label: 'short',
    tasks: [{ name: 'piqa', ...paired, lost: 12, gained: 2, pValue: 0.01 }],
    average: paired,
  };
  const results = { models: [model(WHOLE, 0.7), model(SHORT, 0.6)], differences: [difference], questions: [] };
  const items = { role: 'task', name: 'piqa.jsonl', sha256: 'beef' };
  return run('tasks', [WHOLE, SHORT, items], results, { from: 0, limit: 100 });
}

/** Copying, which is lost, and sums, which the original cannot do. */
function probed(): RunDigest {
  const score = (of: number, able: boolean): object => ({
    ...{ items: 32, score: of, stderr: 0.08, chance: 0, able, sha256: 'cafe', results: [] },
  });
  const model = (input: RunInput, copy: number, sums: number): object => ({
    ...{ label: input.name, model: input.name, identity: input.identity, removed: [], tasks: [], average: null },
    probes: { copy: score(copy, copy > 0.5), sums: score(sums, false) },
  });
  const lost = { interval: 0.15, lost: 16, gained: 0, pValue: 1e-4, differing: [1] };
  const difference = {
    ...{ label: 'short', tasks: [], average: null, probeLoss: 0.5 },
    probes: {
      copy: { difference: -0.5, ...lost, able: true, loss: 0.5 },
      sums: { difference: -0.2, ...lost, able: false, loss: null },
    },
  };
  const models = [model(WHOLE, 0.75, 0.25), model(SHORT, 0.25, 0.05)];
  return run('tasks', [WHOLE, SHORT], { models, differences: [difference], questions: [] });
}

function speeds(): RunDigest {
  const model = (input: RunInput, decode: number): object => ({
    label: input.name,
    model: input.name,
    identity: input.identity,
    removed: [],
    prefillTokensPerSecond: 100,
    decodeTokensPerSecond: decode,
    ...{ prefillRange: [95, 105], decodeRange: [decode - 2, decode + 2.05] },
  });
  return run('speeds', [WHOLE, SHORT], { models: [model(WHOLE, 50), model(SHORT, 60)] });
}

const wrote = (model: RunInput, prompt: string, text: string): RunDigest =>
  run(
    'generate',
    [model],
    { text, ids: [1, 2, 3, 4, 5], stopped: 'length' },
    { prompt, greedy: true, maxNewTokens: 5 },
  );
const texts = (): RunDigest[] =>
  ['A', 'B', 'C'].flatMap((prompt) => [
    wrote(WHOLE, prompt, ` ${prompt} whole`),
    wrote(SHORT, prompt, ` ${prompt} <b>short`),
  ]);

const all = (): RunDigest[] => [original(), pruned(), written(), answered(), speeds(), ...texts()];
const lines = ({ rows }: BeforeAfter): unknown[] =>
  rows.map(({ name, cells }) => [
    name,
    ...cells.map((cell) => (cell === null ? null : `${cell.text} ${cell.change}`.trim())),
  ]);

describe('before and after', () => {
  it('has every number of both models, each with its conditions', () => {
    const found = beforeAfter(all())!;
    assert.deepEqual(found.models, ['whole', 'short']);
    assert.deepEqual(lines(found), [
      ['Perplexity', '20', '30 1.5×'],
      ['KL divergence from the original', null, '0.4 nats'],
      ['Same next token', null, '50 %'],
      ['Repetition of greedy texts', '25 %', '50 %'],
      ['Accuracy, mean of the tasks', '70.0 %', '60.0 % −10.0 points ± 4.0'],
      ['Accuracy: piqa', '70.0 %', '60.0 % −10.0 points ± 4.0'],
      ['Parameters', '1,000', '800 −20 %'],
      ['Size', '2.0 kB', '1.6 kB −20 %'],
      ['Prefill speed', '100 tokens/s (95–105)', '100 tokens/s (95–105) ≈'],
      ['Decoding speed', '50 tokens/s (48–52)', '60 tokens/s (58–62) 1.2×'],
    ]);
    const [ppl, , , , accuracy] = found.rows;
    assert.match(ppl.of, /^wiki\.txt \(1,020 tokens\); float32 on cpu, Coppice/);
    assert.match(accuracy.of, /^100 items of piqa\.jsonl \(first 100 records each\); float32 on cpu/);
    assert.deepEqual(found.samples.map(({ prompt, texts: both }) => [prompt, ...both.map(({ text }) => text)]).sort(), [
      ['A', ' A whole', ' A <b>short'],
      ['B', ' B whole', ' B <b>short'],
      ['C', ' C whole', ' C <b>short'],
    ]);
    const probes = {
      kind: 'probes',
      what: 'probes of short',
      command: 'coppice tasks whole short --probes --record FILE.json',
    };
    assert.deepEqual(found.missing, [{ ...probes, optional: true }]);
  });

  it('has probes, and no difference where the original is no better than a model that guesses', () => {
    const found = beforeAfter([...all(), probed()])!;
    assert.deepEqual(found.missing, [], 'no probe is missing any more');
    assert.deepEqual(lines(found).slice(4, 8), [
      ['Accuracy, mean of the tasks', '70.0 %', '60.0 % −10.0 points ± 4.0'],
      ['Accuracy: piqa', '70.0 %', '60.0 % −10.0 points ± 4.0'],
      ['Probe: copying', '75.0 %', '25.0 % −50.0 points ± 15.0'],
      ['Probe: sums', '25.0 %', '5.0 %'],
    ]);
    const [copy, sums] = found.rows.filter(({ measure }) => measure.startsWith('probe '));
    assert.match(copy.of, /^32 questions that a seed makes; float32 on cpu/);
    assert.match(sums.of, /; the original cannot do this either$/);
    assert.equal(judgementOf(found).probeLoss, 0.5);
    assert.equal(judgementOf(beforeAfter(all())!).probeLoss, undefined);
    assert.match(cardSection(found), /Probe: copying.*−50\.0 points ± 15\.0/);
  });

  it('puts no numbers of other rows, other items or other runs beside each other', () => {
    const elsewhere = evaluated(WHOLE, { ppl: 5 }, 512);
    const found = beforeAfter([elsewhere, pruned(), { ...speeds(), cost: speeds().cost?.slice(1) }])!;
    const byName = new Map(lines(found).map((line) => [(line as string[])[0], line]));
    assert.deepEqual(byName.get('Perplexity'), ['Perplexity', null, '30']);
    assert.deepEqual(byName.get('Decoding speed'), ['Decoding speed', null, '60 tokens/s (58–62)']);
  });

  it('has three digits of what it measures, and no factor of a speed that may be the same', () => {
    const exact = [
      evaluated(WHOLE, { ppl: 44.2963 }),
      evaluated(SHORT, { ppl: 46.0742, kl: 0.116823, top1: 0.5, against: AGAINST }),
    ];
    const found = beforeAfter([...exact, speeds()])!;
    assert.deepEqual(lines(found).slice(0, 2), [
      ['Perplexity', '44.3', '46.07 1.04×'],
      ['KL divergence from the original', null, '0.117 nats'],
    ]);
    const page = beforeAfterHtml(found, '');
    assert.match(page, /<strong>60 tokens\/s \(58–62\)<\/strong><span class="muted">1\.2× of 50 tokens\/s/);
    const close = { ...speeds(), cost: speeds().cost!.map((cost) => ({ ...cost, decodeRange: [49, 61] as const })) };
    const near = beforeAfterHtml(beforeAfter([...exact, close])!, '');
    assert.match(
      near,
      /<strong>60 tokens\/s \(49–61\)<\/strong><span class="muted">≈ the original’s 50 tokens\/s \(49–61\)/,
    );
    assert.match(beforeAfterMarkdown(beforeAfter([...exact, close])!), /60 tokens\/s \(49–61\) \(≈\)/);
    const once = { ...speeds(), cost: speeds().cost!.map((cost) => ({ ...cost, decodeRange: undefined })) };
    assert.match(beforeAfterHtml(beforeAfter([...exact, once])!, ''), /≈ 60 tokens\/s.*original ≈ 50 tokens\/s/);
  });

  it('says which command measures what is missing', () => {
    const found = beforeAfter([pruned(), written()])!;
    assert.deepEqual(
      found.missing.map(({ command }) => command),
      [
        'coppice eval whole --text FILE --repetition 8 --record FILE.json',
        'coppice tasks whole short --data DIR --record FILE.json',
        'coppice tasks whole short --probes --record FILE.json',
        'coppice bench whole --record FILE.json',
        'coppice bench short --record FILE.json',
        'coppice generate whole --prompt TEXT --record FILE.json',
        'coppice generate short --prompt TEXT --record FILE.json',
      ],
    );
    const plan = run(
      'eval',
      [WHOLE, TEXT],
      { ppl: 25, tokens: 1020, windows: 4, removed: [3] },
      { window: 256, bos: 'none', removed: [3] },
    );
    const { models, missing } = beforeAfter([original(), plan])!;
    assert.deepEqual(models, ['whole', 'without 3']);
    assert.ok(missing.some(({ command }) => command.startsWith('coppice eval whole --remove 3 --text')));
  });

  it('takes throughputs of the smallest and the largest batch of a grid for speeds', () => {
    const cells = (speed: number): object[] =>
      [1, 4, 16].map((batch) => {
        const throughput = { mean: speed * batch, sd: 0 };
        return { batch, newTokens: 32, predicted: { total: 1 }, outcome: 'measured', measured: { throughput } };
      });
    const model = (input: RunInput, speed: number): object => ({
      ...{ label: input.name, model: input.name, identity: input.identity, removed: [] },
      cells: cells(speed),
    });
    const results = {
      batches: [1, 4, 16],
      newTokens: [32],
      runs: 5,
      inTurns: true,
      models: [model(WHOLE, 10), model(SHORT, 12)],
    };
    const found = beforeAfter([original(), run('grid', [WHOLE, SHORT], results)])!;
    assert.deepEqual(lines(found).slice(1), [
      ['Throughput, one text', '10 tokens/s', '12 tokens/s 1.2×'],
      ['Throughput, 16 texts', '160 tokens/s', '192 tokens/s 1.2×'],
    ]);
    assert.ok(!found.missing.some(({ what }) => what.startsWith('speed')));
  });

  it('takes the original that the caller names, and is undefined for one model alone', () => {
    assert.equal(beforeAfter([original(), digestRecord(scoreRecord())].slice(0, 1)), undefined);
    assert.equal(beforeAfter(all(), { original: 'other' }), undefined);
    const { models, rows } = beforeAfter([pruned()], { original: 'id-whole' })!;
    assert.deepEqual([models, rows[0].cells[0]], [['whole', 'short'], null], 'known from its comparison only');
    assert.deepEqual(beforeAfter(all(), { original: 'id-short' })?.models, ['short', 'whole']);
  });

  it('reads the demo, which names its models by labels', () => {
    const found = beforeAfter([digestRecord(demoRecord())])!;
    assert.deepEqual(found.models, ['toy', 'toy, pruned', 'toy, retrained']);
    assert.deepEqual(lines(found)[0], ['Perplexity', '12', '15 1.25×', '13 1.08×']);
    assert.equal(found.samples.length, 2);
  });

  it('names the programs that ran files of its models, each once, by its newest run', () => {
    const consumer = (name: string, of: string, more: object): object => ({ name, of, seconds: 1, ...more });
    const same = { version: '3.22.1', tokens: 16, equal: true };
    const exported = (model: RunInput, out: string, consumers: readonly object[]): RunDigest =>
      run('export', [model], { out, parametersAfter: 700, bytes: 900, consumers }, { removed: [] });
    const other = { version: '4.3.1', tokens: 16, equal: false, firstDifference: 5 };
    const runs = [
      ...all(),
      exported(SHORT, 'short.gguf', [consumer('llama.cpp', 'gguf', { ...same, equal: false, firstDifference: 2 })]),
      exported(SHORT, 'page', [
        consumer('transformers.js', 'q4', other),
        consumer('<i>genai', 'fp32', { failure: 'Error: /home/me/model' }),
        consumer('transformers.js', 'fp32', { version: '4.3.1', tokens: 0, equal: true }),
      ]),
      exported({ role: 'model', name: 'third', identity: 'id-third' }, 'third.gguf', [
        consumer('llama.cpp', 'gguf', same),
      ]),
      run('verify', [SHORT], { out: '/m/short.gguf', consumers: [consumer('llama.cpp', 'gguf', same)] }),
      run('verify', [SHORT], { out: '/m/short', consumers: [] }),
    ];
    const found = beforeAfter(runs)!;
    assert.deepEqual(found.ran, [
      { file: 'short.gguf', programs: 'llama.cpp 3.22.1 (16 of 16 tokens the same)' },
      {
        file: 'page',
        programs:
          'transformers.js 4.3.1 on q4 (5 of 16 tokens the same), <i>genai on fp32 (did not run), ' +
          'transformers.js 4.3.1 on fp32 (no tokens compared)',
      },
    ]);
    const html = beforeAfterHtml(found, '');
    assert.match(html, /<h2>Ran in<\/h2><ul><li>short\.gguf: llama\.cpp 3\.22\.1 \(16 of 16 tokens the same\)<\/li>/);
    assert.doesNotMatch(html, /<i>|home\/me/);
    assert.match(
      beforeAfterMarkdown(found),
      /\nshort\.gguf ran in: llama\.cpp 3\.22\.1 \(16 of 16 tokens the same\)\.\n/,
    );
    assert.match(modelCard(runs.slice(-2)), /\| Ran in \| short\.gguf: llama\.cpp 3\.22\.1 \(16 of 16/);
    assert.deepEqual(beforeAfter(all())!.ran, []);
    assert.doesNotMatch(beforeAfterHtml(beforeAfter(all())!, ''), /Ran in/);
  });

  it('is a page without a program, Markdown, and a part of the model card; foreign text stays text', () => {
    const found = beforeAfter(all())!;
    const html = beforeAfterHtml(found, 'p { color: red }');
    assert.match(html, /<strong>30<\/strong><span class="muted">1\.5× of 20<\/span>/);
    assert.match(html, />A &#60;b&#62;short/);
    assert.doesNotMatch(html, /<script|<b>/);
    const markdown = beforeAfterMarkdown(found);
    assert.match(markdown, /^## whole and short\n\n\| {2}\| whole \| short \| Measured on \|/);
    assert.match(markdown, /\| Perplexity \| 20 \| 30 \(1\.5×\) \| wiki\.txt/);
    assert.match(markdown, /> &nbsp;A \\<b\\>short/);
    assert.match(modelCard(all()), /\n### whole and short\n/);
    assert.doesNotMatch(modelCard([original()]), /### whole and/);
  });

  it('is about one result, whose sizes are known from its files, and lacks nothing that decides', () => {
    const known = [
      {
        name: 'whole',
        identity: 'id-whole',
        parameters: 1000,
        bytes: 4000,
        shipped: { name: 'GGUF, q8_0', bytes: 1500, planned: true as const },
      },
      {
        name: 'short',
        identity: 'id-short',
        parameters: 700,
        bytes: 3000,
        shipped: { name: 'short.gguf', bytes: 1000 },
      },
    ];
    const about = { original: 'id-whole', subject: 'id-short', known };
    const bare = beforeAfter([], about)!;
    assert.deepEqual(lines(bare), [
      ['Parameters', '1,000', '700 −30 %'],
      ['Size', '4.0 kB', '3.0 kB −25 %'],
      ['Size as it ships', '1.5 kB', '1.0 kB −33 %'],
    ]);
    assert.deepEqual(
      bare.missing.map(({ kind, optional }) => [kind, optional ?? false]),
      [
        ['perplexity', false],
        ['perplexity', false],
        ['accuracy', true],
        ['probes', true],
        ['speed', false],
        ['speed', false],
        ['texts', false],
        ['texts', false],
      ],
    );
    const html = beforeAfterHtml(bare, '');
    assert.match(html, /Size as it ships<\/dt><dd><strong>1\.0 kB<\/strong><span class="muted">0\.667× of 1\.5 kB/);
    assert.doesNotMatch(html, /<dt>Size<\/dt>/);
    // Another model that was measured more often, elsewhere, takes nothing from the pair.
    const third: RunInput = { role: 'model', name: 'third', identity: 'id-third' };
    const others = [evaluated(WHOLE, { ppl: 10 }, 512), evaluated(third, { ppl: 12 }, 512)];
    const found = beforeAfter([original(), pruned(), speeds(), ...texts(), ...others], about)!;
    assert.deepEqual(found.models, ['whole', 'third', 'short']);
    assert.deepEqual(lines(found)[0], ['Perplexity', '20', null, '30 1.5×']);
    assert.deepEqual(
      found.missing.filter(({ optional }) => !optional),
      [],
    );
    assert.equal(beforeAfter([original()], { ...about, subject: 'id-whole' }), undefined);
  });

  it('takes no text that was cancelled, and no speed of one that was written once', () => {
    const about = { original: 'id-whole', subject: 'id-short' };
    const column = (input: RunInput): object => ({
      label: input.name,
      model: input.name,
      identity: input.identity,
      removed: [],
    });
    const sample = (column: number, stopped: string): object => {
      return {
        prompt: 0,
        column,
        text: ' x',
        ids: [1, 2, 3, 4],
        stopped,
        decodeTokensPerSecond: 9,
        prefillTokensPerSecond: 9,
      };
    };
    const side = (stopped: string): RunDigest =>
      run(
        'samples',
        [WHOLE, SHORT],
        { columns: [column(WHOLE), column(SHORT)], samples: [sample(0, 'length'), sample(1, stopped)] },
        { prompts: ['A'], greedy: true },
      );
    const kinds = (found: BeforeAfter): string[] =>
      found.missing.filter(({ optional }) => !optional).map(({ kind }) => kind);
    const whole = beforeAfter([original(), pruned(), side('length')], about)!;
    assert.deepEqual([whole.samples.length, kinds(whole)], [1, ['speed', 'speed', 'texts', 'texts']]);
    const cut = beforeAfter([original(), pruned(), side('cancelled')], about)!;
    assert.equal(cut.samples.length, 0);
  });

  it('knows which windows a model was judged by', () => {
    const at = (run: RunDigest): RunDigest => ({ ...run, settings: [...run.settings, ['limit', '64']] });
    const runs = [at(original()), at(pruned())];
    const windows = { sha256: 'abc', window: 256, limit: 64 };
    assert.deepEqual(
      [
        isJudged(runs, 'id-whole', windows, false),
        isJudged(runs, 'id-whole', windows, true),
        isJudged(runs, 'id-short', windows, true),
        isJudged(runs, 'id-short', { ...windows, share: 'judge' }, true),
        isJudged(runs, 'id-short', { ...windows, limit: 16 }, true),
      ],
      [true, false, true, false, false],
    );
  });
});

describe('a text that chose the blocks', () => {
  const SHA = 'ab'.repeat(32);
  const OTHER = 'cd'.repeat(32);
  const on = (model: RunInput, input: Partial<RunInput>, ppl: number): RunDigest => {
    const text = { role: 'text', name: 'text.txt', sha256: SHA, ...input };
    const against = model === SHORT ? { kl: 0.1, top1: 0.9, against: AGAINST } : {};
    return run('eval', [model, text], { tokens: 1020, windows: 4, ppl, ...against }, { window: 256, bos: 'none' });
  };
  const both = (input: Partial<RunInput>, ratio: number): RunDigest[] => [
    on(WHOLE, input, 20),
    on(SHORT, input, 20 * ratio),
  ];
  const about = { original: 'id-whole', subject: 'id-short', known: [] };
  const chose = { sha256: SHA };

  it('says so beside its numbers, and its comparison is still missing', () => {
    const found = beforeAfter(both({}, 1.04), { ...about, used: [chose] })!;
    const [row] = found.rows;
    assert.equal(row.flatters, true);
    assert.match(row.of, /on a text that chose the blocks or fitted the weights, so it is too good$/);
    assert.match(beforeAfterMarkdown(found), /so it is too good/);
    const missing = found.missing.filter(({ kind }) => kind === 'perplexity').map(({ what }) => what);
    assert.deepEqual(missing, [
      'perplexity of whole on a text that chose nothing',
      'perplexity of short on a text that chose nothing',
    ]);
    assert.deepEqual(judgementOf(found), { ratio: 1.04, flatters: true, same: 0.9 });
  });

  it('gives way to another text, and to its own rest where the beginning alone chose', () => {
    for (const [judging, used] of [
      [{ sha256: OTHER }, chose],
      [{ share: 'judge' }, { ...chose, share: 'choose' }],
    ] as const) {
      const newest = [...both(judging, 1.2), ...both({}, 1.04)];
      const found = beforeAfter(newest, { ...about, used: [used] })!;
      assert.equal(found.rows[0].flatters, undefined);
      assert.equal(judgementOf(found).ratio, 1.2);
      assert.ok(!found.missing.some(({ kind }) => kind === 'perplexity'));
    }
  });

  it('is found in runs that scored, healed or trained, where nobody names it', () => {
    for (const [kind, role] of [
      ['score', 'calibration'],
      ['heal', 'data'],
      ['retrain', 'data'],
    ]) {
      const chosen = run(kind, [WHOLE, { role, name: 'text.txt', sha256: SHA }], {});
      assert.equal(beforeAfter([chosen, ...both({}, 1.04)])!.rows[0].flatters, true, kind);
    }
    const measured = run('curve', [WHOLE, { role: 'text', name: 'text.txt', sha256: SHA }], {});
    assert.equal(beforeAfter([measured, ...both({}, 1.04)])!.rows[0].flatters, undefined);
  });

  it('decides by the file that ships, where that was measured too', () => {
    const FILE: RunInput = { role: 'model', name: 'short.gguf', identity: 'id-file' };
    const runs = [...both({ sha256: OTHER }, 1.2), { ...on(FILE, { sha256: OTHER }, 25) }];
    const found = beforeAfter(runs, { ...about, used: [chose], shipped: 'id-file' })!;
    assert.deepEqual(found.models, ['whole', 'short.gguf', 'short']);
    assert.equal(judgementOf(found).ratio, 1.25);
  });
});
