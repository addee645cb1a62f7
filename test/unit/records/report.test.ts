/** What is made of records: digests, comparisons, reports and model cards. */
import assert from 'node:assert/strict';
import { compareRuns, resultsOf } from '../../../src/engine/records/compare';
import { digestRecord } from '../../../src/jobs/digest/digest';
import { modelCard } from '../../../src/engine/records/model-card';
import type { RunRecord } from '../../../src/engine/records/record';
import { reportHtml } from '../../../src/engine/records/report';
import { curveRecord, demoRecord, PAIRED, retrainedRecord, samplesRecord, scoreRecord } from '../../support/records';

/** As they come out of a file. */
const read = (record: RunRecord) =>
  digestRecord(
    JSON.parse(
      JSON.stringify(record, (_, value: unknown) =>
        typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
      ),
    ) as RunRecord,
  );
const RUNS = [scoreRecord(), curveRecord(), samplesRecord()].map(read);

describe('run digests', () => {
  it('keep what charts need and no losses of rows', () => {
    const [score, curve, samples] = RUNS;
    assert.deepEqual(score.score?.blocks.slice(0, 2), [
      { index: 0, score: 'Infinity', low: 100, high: 'Infinity' }, // of before there were paired intervals
      { index: 1, score: 13.25, low: 12, high: 14.5, ...PAIRED },
    ]);
    assert.equal(score.score.full, 12.5);
    assert.deepEqual(score.settings.slice(0, 3), [
      ['criterion', 'ppl'],
      ['calibration.samples', '10'],
      ['calibration.length', '64'],
    ]);
    assert.deepEqual(
      curve.curve?.points.map(({ removed }) => removed),
      [[], [1]],
    );
    assert.deepEqual(
      samples.samples?.texts.map(({ repetition }) => repetition),
      [0, 0.6],
    );
    assert.equal(samples.cost?.[0].decodeTokensPerSecond, 20);
    assert.equal(samples.cost[1].decodeTokensPerSecond, null);
  });
});

describe('digests of records of earlier versions', () => {
  it('have today’s names of settings, so that runs of both can be compared', () => {
    const { keepEnds, ...others }: Record<string, unknown> = { ...curveRecord().settings, keepEnds: false };
    const [today, earlier] = [
      { ...others, keepEnds },
      { ...others, plus: false },
    ].map((settings) => read({ ...curveRecord(), settings }));
    assert.deepEqual(earlier.settings, today.settings);
    assert.ok(today.settings.some(([name, value]) => name === 'keepEnds' && value === 'false'));
    assert.ok(compareRuns([today, earlier]).rows.every(({ differs }) => !differs));
  });
});

describe('digests of Taylor scores', () => {
  it('say no perplexity of the whole model, with which theirs could be compared', () => {
    const record = scoreRecord();
    const results = { ...record.results, criterion: 'taylor' };
    assert.equal(read({ ...record, results }).score?.full, undefined);
  });
});

describe('digests of divergences', () => {
  it('have the divergence of the whole model in place of its perplexity', () => {
    const record = scoreRecord();
    const blocks = [{ index: 0, score: 0.5, ppl: 9, meanNll: 2.2, kl: 0.5, low: 0.4, high: 0.6, ...PAIRED }];
    const results = { ...record.results, criterion: 'kl', full: { ppl: 8, meanNll: 2.1, kl: 0, tokens: 9 }, blocks };
    const { score } = read({ ...record, results });
    assert.deepEqual([score?.full, score?.fullKl], [undefined, 0]);
    assert.deepEqual(score?.blocks, [{ index: 0, score: 0.5, low: 0.4, high: 0.6, ...PAIRED }]);
  });

  it('of removals in turn name the blocks in their order', () => {
    const record = scoreRecord();
    const removals = [4, 2].map((block) => ({ block, meanNll: 1, ppl: Math.E, kl: 0.1 }));
    const { blocks: _, ...others } = record.results as { blocks?: unknown };
    const { score } = read({ ...record, results: { ...others, criterion: 'greedy', removals } });
    assert.deepEqual([score?.removals, score?.blocks], [[4, 2], []]);
  });

  it('of a search name its set', () => {
    const record = scoreRecord();
    const { blocks: _, ...others } = record.results as { blocks?: unknown };
    const search = { blocks: [2, 4], kl: 0.25, meanNll: 1, ppl: Math.E, trajectory: [{ generation: 0, kl: 0.25 }] };
    const digest = read({ ...record, results: { ...others, criterion: 'search', search } });
    assert.deepEqual([digest.score?.set, digest.score?.blocks], [{ blocks: [2, 4], kl: 0.25 }, []]);
    const facts = new Map(resultsOf(digest));
    assert.equal(facts.get('blocks removed together'), '2, 4');
    assert.equal(facts.get('KL divergence without them'), '0.25');
  });
});

describe('digests of what retraining brought back', () => {
  it('come from evaluations with an adapter', () => {
    const { retrained, quality } = read(retrainedRecord());
    assert.deepEqual(retrained, [{ label: 'healed', removed: [1], ppl: 12.75, text: 'prose.txt' }]);
    assert.equal(quality?.[0].label, 'healed');
    const record = retrainedRecord();
    const inputs = record.inputs.filter(({ role }) => role !== 'adapter');
    assert.equal(read({ ...record, inputs }).retrained, undefined, 'of the model itself');
  });

  it('tell beside the perplexity how near the model is to the unpruned one', () => {
    const record = retrainedRecord();
    const against = { model: 'toy', identity: 'beef' };
    const results = { ...record.results, kl: 0.25, top1: 0.625, against, repetition: { mean: 0.1, unpruned: null } };
    const digest = read({ ...record, results });
    assert.deepEqual(digest.retrained, [
      { label: 'healed', removed: [1], ppl: 12.75, kl: 0.25, top1: 0.625, against, text: 'prose.txt' },
    ]);
    assert.deepEqual([digest.quality?.[0].repetition, digest.quality?.[0].unprunedRepetition], [0.1, undefined]);
    assert.deepEqual(resultsOf(digest).slice(1), [
      ['KL of healed to toy', '0.25'],
      ['same next token of healed to toy', '63 %'],
      ['repetition of healed', '10 %'],
    ]);
    assert.match(modelCard([digest]), /\| KL of healed to toy \| 0\.25 \|/);
  });

  it('come from the demo, whose models write side by side', () => {
    const { retrained, samples, cost, quality } = read(demoRecord());
    assert.deepEqual(retrained, [{ label: 'retrained', removed: [1], ppl: 13, text: 'test.txt' }]);
    assert.deepEqual(samples?.columns, ['toy', 'toy, pruned', 'toy, retrained']);
    assert.deepEqual(
      samples?.texts.map(({ prompt, column, text }) => [prompt, column, text]),
      [
        [0, 0, 'a12'],
        [0, 1, 'a15'],
        [0, 2, 'a13'],
        [1, 0, 'b12'],
        [1, 1, 'b15'],
        [1, 2, 'b13'],
      ],
    );
    assert.deepEqual([cost?.length, quality?.length], [3, 3]);
    const without = read(demoRecord({ healed: false }));
    assert.equal(without.retrained, undefined);
    assert.equal(without.samples?.columns.length, 2);
  });
});

describe('comparison of runs', () => {
  it('marks what differs', () => {
    const again = read({ ...scoreRecord(), settings: { criterion: 'ppl', calibration: { samples: 20, length: 64 } } });
    const { titles, rows } = compareRuns([RUNS[0], again]);
    assert.deepEqual(titles, ['score · ppl', 'score · ppl']);
    const row = (name: string) => rows.find((each) => each.name === name)!;
    assert.deepEqual(row('calibration.samples'), {
      group: 'settings',
      name: 'calibration.samples',
      values: ['10', '20'],
      differs: true,
    });
    assert.equal(row('calibration.length').differs, false);
    assert.equal(row('least important blocks').values[0], '1, 2, 0');
  });
});

describe('report', () => {
  const html = reportHtml(RUNS, { script: 'console.log("drawn")', style: 'body{}' });

  it('carries everything and lets nothing in', () => {
    assert.doesNotMatch(html, /(?:src|href)="https?:|url\(https?:/);
    assert.match(html, /default-src 'none'; script-src 'sha256-[A-Za-z0-9+/]{43}='/);
    assert.equal(html.match(/<script/g)?.length, 2);
    assert.ok(!html.includes('</script><b>'), 'markup that a model wrote');
    const data = /<script type="application\/json" id="data">(.*)<\/script>\n<script>/.exec(html)![1];
    assert.equal((JSON.parse(data) as { runs: unknown[] }).runs.length, 3);
  });

  it('names each version once, also beside runs that opened no session', () => {
    const record = scoreRecord();
    const { coppice } = record.versions;
    const runs = [
      { ...record, versions: { ...record.versions, onnxruntime: '1.30.0' } },
      { ...record, versions: { ...record.versions, onnxruntime: null } },
    ].map(read);
    const page = reportHtml(runs, { script: '', style: '' });
    assert.ok(page.includes(` · Coppice ${coppice}, onnxruntime 1.30.0 · `));
    assert.ok(!page.includes(`Coppice ${coppice} · `));
  });

  it('has its tables without a program', () => {
    assert.match(html, /<th scope="row">perplexity of the original<\/th><td>12.5<\/td>/);
  });
});

describe('model card', () => {
  const card = modelCard(RUNS);

  it('says what was measured', () => {
    assert.match(card, /^## How toy was pruned and measured/);
    assert.match(card, /\| 1 \| 13.25 \| 1.06× \| 2,000 \|/);
    assert.match(card, /\| Repetition of Without 1 \| 60 % \|/);
  });

  it('keeps what a model wrote from becoming markup', () => {
    assert.doesNotMatch(card, /(?<!\\)<b|(?<!\\)<\/script/);
    assert.ok(card.includes('> Once \\| upon a'));
  });
});
