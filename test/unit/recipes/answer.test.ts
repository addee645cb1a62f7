/** The answer of a recipe's report: the original beside what ships, first, in one table, with one size of each file. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../../src/format/json';
import { newRecord, recordText } from '../../../src/engine/records/record';
import { answerOf } from '../../../src/recipes/report/answer';
import { reportHtml } from '../../../src/recipes/report/html';
import { reportMarkdown } from '../../../src/recipes/report/markdown';
import type { RecipeStep } from '../../../src/recipes/recipe';
import type { RecipeEnd, StepEnd, LimitCheck } from '../../../src/recipes/types';
import { temporaryFolder } from '../../support/temporary';

const MODEL = '/models/smol';
const HEALED = '/w/.coppice/r.quick/healed/healed';
const SHIPPED = '/w/.coppice/r.quick/outputs/smol-shorter.gguf';

type Job = StepEnd['job'];
type Written = readonly [path: string, bytes: number];

function step(name: string, job: Job, options: JsonObject, result: JsonObject, ...written: Written[]): StepEnd {
  const outputs = written.map(([path, bytes]) => ({ option: 'out', path, bytes, digest: 'd'.repeat(64) }));
  const nothing = {
    key: '',
    run: '',
    result: '',
    resultSha256: '',
    record: null,
    notes: [],
    warnings: [],
    coppice: '0.1.0',
  };
  const finished = { ...nothing, name, job, options, outputs, device: 'cpu', started: '', seconds: 1 };
  return { name, job, state: 'done', result, finished };
}

const speed = (writing: readonly number[], reading: readonly number[]): JsonObject => ({
  ...{ repeats: 3, precision: 'float32' },
  ...{ decodeTokensPerSecond: writing[1], decodeRange: [writing[0], writing[2]] },
  ...{ prefillTokensPerSecond: reading[1], prefillRange: [reading[0], reading[2]] },
});

const TEXT = { text: '/w/data/test.txt', limit: 4 };

const STEPS: readonly StepEnd[] = [
  step('scores', 'score', { checkpoint: MODEL }, { criterion: 'ppl', order: [18, 17] }),
  step('pruned', 'prune', { checkpoint: MODEL }, { removed: [17, 18], bytesAfter: 254_869_632 }, [
    '/w/.coppice/r.quick/pruned/pruned',
    256_465_958,
  ]),
  step('healed', 'heal', { checkpoint: MODEL, remove: [17, 18] }, { removed: [17, 18] }, [HEALED, 256_478_733]),
  step('shipped', 'export', { checkpoint: HEALED }, { format: 'gguf', type: 'q8_0', removed: [], parametersAfter: 127e6 }, [
    SHIPPED,
    138_800_000,
  ]),
  step('before', 'eval', { checkpoint: MODEL, ...TEXT }, { ppl: 42.909, tokens: 508 }),
  step('speedBefore', 'bench', { checkpoint: MODEL }, speed([45.8, 48, 50.6], [430, 570, 623])),
  step('speed', 'bench', { checkpoint: SHIPPED }, speed([42.4, 44.8, 48.9], [735, 807, 810])),
  step('sampleBefore', 'generate', { checkpoint: MODEL, prompt: 'Once' }, { text: ' upon a time' }),
  step('sample', 'generate', { checkpoint: SHIPPED, prompt: 'Once' }, { text: ' <b>a</b> time' }),
  step('quality', 'eval', { checkpoint: SHIPPED, against: MODEL, ...TEXT }, { ppl: 55.5, kl: 0.2317, top1: 0.719, tokens: 508 }),
]; // prettier-ignore

function endOf(steps: readonly StepEnd[], more: Partial<RecipeEnd> = {}): RecipeEnd {
  const named = steps.map(({ name, job }): RecipeStep => ({ name, job, options: {}, limits: {}, after: [] }));
  const title = 'smol without ${count} of its 30 blocks';
  const recipe = { file: '/w/r.coppice.json', name: 'r', title, variables: { count: 6 }, quick: { count: 2 } };
  return {
    recipe: { ...recipe, steps: named, limits: {}, tables: [] },
    ...{ model: MODEL, original: { bytes: 273_300_000, type: 'bf16', blocks: 30, parameters: 134.5e6 } },
    ...{ folder: '/w/.coppice/r.quick', quick: true, variables: { count: 2 }, steps, limits: [], ended: 'done' },
    ...{ ran: steps.length, started: '2026-01-01T00:00:00.000Z', seconds: 168, coppice: '0.1.0' },
    ...more,
  };
}

const without = (...names: string[]): StepEnd[] => STEPS.filter(({ name }) => !names.includes(name));

/** The lines of the table by their labels. */
const rowsOf = (end: RecipeEnd): Record<string, string[]> =>
  Object.fromEntries(
    answerOf(end)!.rows.map(({ label, original, shipped, change }) => [label, [original, shipped, change]]),
  );

describe('the answer of a recipe', () => {
  it('is the original beside what ships, in one table', () => {
    const answer = answerOf(endOf(STEPS))!;
    assert.deepEqual([answer.original, answer.shipped], ['original: smol', 'ships: smol-shorter.gguf']);
    assert.equal(answer.done, '2 of 30 blocks removed (17-18), chosen by ppl, healed, written as GGUF q8_0.');
    assert.deepEqual(rowsOf(endOf(STEPS)), {
      'size of the files': ['273.3 MB (bf16)', '138.8 MB (GGUF q8_0)', '0.508×'],
      'blocks': ['30 blocks, 134.5M parameters', '28 blocks, 127.0M parameters', '0.944×'],
      'perplexity on test.txt, 508 tokens': ['42.91', '55.5', '1.29×'],
      'KL divergence from the original': ['', '0.232 nats', ''],
      'same next token as the original': ['', '72 %', ''],
      'speed of writing': ['48 tokens/s (45.8 to 50.6)', '44.8 tokens/s (42.4 to 48.9)', '≈ (ranges overlap)'],
      'speed of reading': ['570 tokens/s (430 to 623)', '807 tokens/s (735 to 810)', '1.42×'],
      'verdict': ['', 'no limit was set: judge by the numbers (a quick try)', ''],
    }); // prettier-ignore
    assert.match(answer.notes.join(), /median of 3 runs of Coppice.* float32 on cpu/);
  });

  it('compares models with different vocabularies by bits per byte, and says why', () => {
    const measured = (vocabulary: number) => [
      step('before', 'eval', { checkpoint: MODEL, ...TEXT }, { ppl: 40, bitsPerByte: 1.25, tokens: 508, vocabulary: 900 }),
      step('quality', 'eval', { checkpoint: SHIPPED, ...TEXT }, { ppl: 30, bitsPerByte: 1.5, tokens: 508, vocabulary }),
    ]; // prettier-ignore
    const apart = endOf([...without('before', 'quality'), ...measured(500)]);
    assert.deepEqual(rowsOf(apart)['bits per byte on test.txt, 508 tokens'], ['1.25', '1.5', '1.2×']);
    assert.ok(!Object.keys(rowsOf(apart)).some((label) => label.startsWith('perplexity')));
    assert.match(answerOf(apart)!.notes.join(), /Their vocabularies differ/);
    const alike = endOf([...without('before', 'quality'), ...measured(900)]);
    assert.deepEqual(rowsOf(alike)['perplexity on test.txt, 508 tokens'], ['40', '30', '0.75×']);
    assert.doesNotMatch(answerOf(alike)!.notes.join(), /vocabularies/);
  });

  it('says what was not measured, and what was not written', () => {
    const few = rowsOf(endOf(without('before', 'speedBefore', 'speed', 'sampleBefore', 'sample', 'quality')));
    assert.deepEqual(few.perplexity, ['not measured', 'not measured', '']);
    assert.deepEqual(few['speed of writing'], ['not measured', 'not measured', '']);
    const open: StepEnd[] = without('quality').map((each) =>
      each.name === 'shipped' ? { name: 'shipped', job: 'export', state: 'failed' } : each,
    );
    const end = endOf(open, { ended: 'failed' });
    assert.equal(answerOf(end)!.done, 'Nothing was written yet: the step “shipped” failed.');
    assert.equal(rowsOf(end)['size of the files'][1], 'not written');
    assert.match(rowsOf(end).verdict[1], /^not finished: shipped failed/);
  });

  it('names numbers of the model before it was written, and takes those of the written file first', () => {
    const folder = '/w/smol-onnx';
    const measured = [{ type: 'q8', perplexity: { ppl: 57, tokens: 508 }, tokensPerSecond: 61.25 }];
    const result = { format: 'onnx', type: 'q8', measured };
    const onnx = [
      ...without('shipped', 'speed', 'sample', 'quality'),
      step('shipped', 'export', { checkpoint: HEALED, ...TEXT }, result, [folder, 150e6]),
      step('quality', 'eval', { checkpoint: HEALED, against: MODEL, ...TEXT }, { ppl: 55, kl: 0.23, top1: 0.7, tokens: 508 }),
    ]; // prettier-ignore
    const rows = rowsOf(endOf(onnx));
    assert.deepEqual(rows['perplexity on test.txt, 508 tokens'], ['42.91', '57', '1.33×']);
    assert.equal(rows['KL divergence from the original'][1], '0.23 nats (before it was written)');
    assert.equal(rows['speed of writing'][1], "61.3 tokens/s by the file's own runtime");
  });

  it('counts blocks once that an adapter and what is written with it leave out', () => {
    const adapter = '/w/retrained';
    const steps = [
      ...without('healed', 'shipped'),
      step('retrained', 'retrain', { checkpoint: MODEL, remove: [6, 11] }, { removed: [6, 11] }, [adapter, 7e6]),
      step('shipped', 'export', { checkpoint: MODEL, adapter }, { format: 'gguf', type: 'stored', removed: [6, 11] }, [
        SHIPPED,
        251e6,
      ]),
    ];
    assert.equal(
      answerOf(endOf(steps))!.done,
      '2 of 30 blocks removed (6, 11), chosen by ppl, retrained, written as GGUF.',
    );
    assert.match(rowsOf(endOf(steps)).blocks[1], /^28 blocks/);
  });

  it('gives no factor of speeds that were measured once', () => {
    const speeds = [speed([48, 48, 48], [1, 1, 1]), speed([30, 30, 30], [1, 1, 1])];
    const once = [
      ...without('speedBefore', 'speed'),
      ...[MODEL, SHIPPED].map((checkpoint, at) => step(`speed${at}`, 'bench', { checkpoint }, speeds[at])),
    ];
    assert.deepEqual(rowsOf(endOf(once))['speed of writing'], ['48 tokens/s (one run)', '30 tokens/s (one run)', '']);
  });

  it('takes speeds of models that took turns before others', () => {
    const cell = (...times: number[]): JsonObject => ({ cells: [{ batch: 1, newTokens: 60, measured: { times } }] });
    const grid = (...cells: JsonObject[]): StepEnd =>
      step(
        'turns',
        'grid',
        { checkpoints: [MODEL, SHIPPED] },
        { ...{ runs: 3, inTurns: true, precision: 'float32' }, models: cells },
      );
    const apart = endOf([...STEPS, grid(cell(2, 3, 1), cell(0.5, 0.6, 0.75))]);
    assert.deepEqual(rowsOf(apart)['speed of writing'], [
      '30 tokens/s (20 to 60)',
      '100 tokens/s (80 to 120)',
      '3.33×',
    ]);
    assert.match(answerOf(apart)!.notes.join(), /3 runs of Coppice in turns/);
    const alike = endOf([...without('speed', 'speedBefore'), grid(cell(2, 3, 1), cell(1.5, 2, 2))]);
    assert.equal(rowsOf(alike)['speed of writing'][2], '≈ (ranges overlap)');
    assert.equal(rowsOf(alike)['speed of reading'], undefined);
  });

  it('gives no factor of perplexities on two texts', () => {
    const other = step('before', 'eval', { checkpoint: MODEL, text: '/w/data/other.txt' }, { ppl: 20, tokens: 90 });
    const rows = rowsOf(endOf([other, ...without('before')]));
    assert.deepEqual(rows['perplexity on test.txt, 508 tokens'], ['20 (other.txt, 90 tokens)', '55.5', '']);
  });

  it('tells each limit, and the verdict', () => {
    const limit = (most: number, measured: number): LimitCheck => ({
      ...{ step: 'quality', limit: 'maxPpl', most, measured, kept: measured <= most },
    });
    const kept = rowsOf(endOf(STEPS, { quick: false, limits: [limit(60, 55.5)] }));
    assert.deepEqual(kept['limit maxPpl (quality)'], ['', 'perplexity 55.5, at most 60', 'kept']);
    assert.equal(kept.verdict[1], 'keeps 1 limit');
    const broken = rowsOf(endOf(STEPS, { quick: false, limits: [limit(50, 55.5)], ended: 'limit' }));
    assert.deepEqual([broken['limit maxPpl (quality)'][2], broken.verdict[1]], ['broken', 'breaks maxPpl']);
  });

  it('is there for recipes that write a model without an export, and not for tables of a paper', () => {
    const pruned = endOf(without('healed', 'shipped', 'speed', 'sample', 'quality'));
    assert.equal(answerOf(pruned)!.shipped, 'ships: pruned');
    const { recipe } = pruned;
    const tables = [{ title: 't', columns: ['c'], rows: [] }];
    assert.equal(answerOf({ ...pruned, recipe: { ...recipe, tables } }), undefined);
  });

  it('comes first, then the texts, then charts, as a page and as Markdown, with what this run did in the title', async () => {
    const end = endOf(STEPS);
    const html = await reportHtml(end, { script: '', style: '' });
    const places = ['smol without 2 of its 30 blocks', 'What ships', 'size of the files', 'upon a time', 'id="report"'];
    assert.deepEqual(
      places.map((text) => html.toLowerCase().indexOf(text.toLowerCase())).filter((at) => at < 0),
      [],
    );
    const order = places.slice(2).map((text) => html.indexOf(text));
    assert.deepEqual(order.toSorted((a, b) => a - b), order); // prettier-ignore
    assert.doesNotMatch(html, /<b>a<\/b>/);
    const markdown = reportMarkdown(end);
    assert.match(markdown, /^# smol without 2 of its 30 blocks$/m);
    assert.ok(markdown.indexOf('size of the files') < markdown.indexOf('## Steps'));
    for (const text of [html, markdown]) assert.doesNotMatch(text, /6 of its/);
  });

  it('has one size of each model, also where its record counts the weights alone', async () => {
    const record = join(temporaryFolder(), 'prune.json');
    const results = { out: '/w/.coppice/r.quick/pruned/pruned', bytesBefore: 269_030_016, bytesAfter: 254_869_632 };
    const facts = { kind: 'prune', inputs: [{ role: 'model', name: 'smol', identity: 'i' }], settings: {} } as const;
    const parameters = { parametersBefore: 134.5e6, parametersAfter: 127e6 };
    const made = newRecord({
      ...facts,
      results: { ...results, ...parameters, removed: [17, 18] },
      started: new Date('2026-04-01T09:00:00Z'),
    });
    writeFileSync(record, recordText(made));
    const steps = STEPS.map((each) =>
      each.name === 'pruned' ? { ...each, finished: { ...each.finished!, record } } : each,
    );
    const html = await reportHtml(endOf(steps), { script: '', style: '' });
    assert.match(html, /256465958/);
    assert.match(html, /273300000/);
    assert.doesNotMatch(html, /254\.9 MB|254869632|269030016/);
    assert.match(reportMarkdown(endOf(steps)), /256\.5 MB/);
  });
});
