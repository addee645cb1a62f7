/** Numbers of different precisions: every page says what they were computed in, and they are never set against each other. */
import assert from 'node:assert/strict';
import { beforeAfter } from '../../../src/engine/records/before-after/before-after';
import { compareRuns } from '../../../src/engine/records/compare';
import { digestRecord } from '../../../src/jobs/digest/digest';
import type { RunDigest } from '../../../src/engine/records/digest-types';
import { modelCard } from '../../../src/engine/records/model-card';
import { newRecord, type RunFacts, type RunInput, type RunRecord } from '../../../src/engine/records/record';
import { reportHtml } from '../../../src/engine/records/report';
import type { PanelRun } from '../../../src/protocol/panel';
import { costsOf } from '../../../webview/panel/sections/costs';
import { perplexitiesOf } from '../../../webview/panel/state/grid-perplexity';
import { qualitiesOf } from '../../../webview/panel/state/qualities';
import { FULL, planOf } from '../../webview/panel/recorded';

const WHOLE: RunInput = { role: 'model', name: 'whole', identity: 'id-whole' };
const SHORT: RunInput = { role: 'model', name: 'short', identity: 'id-short' };
const TEXT: RunInput = { role: 'text', name: 'wiki.txt', sha256: 'abc' };

let minute = 0;
function record(kind: string, model: RunInput, results: object, facts: Partial<RunFacts> = {}): RunRecord {
  const started = new Date(Date.UTC(2026, 3, 1, 9, minute++));
  const inputs = [model, TEXT];
  return newRecord({ kind, inputs, results, settings: { window: 256, bos: 'stream' }, started, ...facts });
}

const evaluated = (model: RunInput, ppl: number, precision?: RunFacts['precision']): RunDigest =>
  digestRecord(record('eval', model, { ppl, tokens: 1020, windows: 4 }, { device: { provider: 'cpu' }, precision }));

describe('precision on every page', () => {
  it('is float32 for records that do not name it, and nothing for runs that computed nothing', () => {
    assert.equal(evaluated(WHOLE, 20).precision, 'float32');
    assert.equal(evaluated(WHOLE, 20, 'int8').precision, 'int8');
    assert.equal(digestRecord(record('prune', WHOLE, {})).precision, null);
  });

  it('is a row of a comparison, which says that precisions differ', () => {
    const [float, int, none] = [
      evaluated(WHOLE, 20),
      evaluated(SHORT, 21, 'int8'),
      digestRecord(record('merge', WHOLE, {})),
    ];
    const compared = compareRuns([float, int, none]);
    const row = compared.rows.find(({ name }) => name === 'precision');
    assert.deepEqual(row, {
      ...{ group: 'inputs', name: 'precision' },
      ...{ values: ['float32', 'int8', 'none'], differs: true },
    });
    assert.deepEqual(compared.precisions, ['float32', 'int8']);
    assert.equal(compareRuns([float, evaluated(SHORT, 30), none]).precisions, undefined);
  });

  it('heads a report, which warns where precisions differ', () => {
    const assets = { script: '', style: '' };
    const same = reportHtml([evaluated(WHOLE, 20), evaluated(SHORT, 30)], assets);
    assert.match(same, / · float32 on cpu</);
    assert.doesNotMatch(same, /different precisions/);
    const mixed = reportHtml([evaluated(WHOLE, 20), evaluated(SHORT, 30, 'float16')], assets);
    assert.match(mixed, / · float32 on cpu · float16 on cpu</);
    assert.match(mixed, /⚠ These runs computed in different precisions \(float32, float16\)/);
  });

  it('stands in a model card', () => {
    assert.match(modelCard([evaluated(WHOLE, 20, 'int4')]), /\| Made \| 2026-04-01, Coppice [\d.]+, int4 on cpu \|/);
  });

  it('keeps numbers apart before and after', () => {
    const only = beforeAfter([evaluated(WHOLE, 20), evaluated(SHORT, 31, 'int8')])!;
    const apart = only.rows.find(({ measure }) => measure === 'ppl')!;
    assert.equal(apart.cells.filter((cell) => cell !== null).length, 1);
    assert.ok(only.missing.some(({ what }) => what.startsWith('perplexity of')));
    const both = beforeAfter([evaluated(WHOLE, 20.5, 'int8'), evaluated(WHOLE, 20), evaluated(SHORT, 31, 'int8')])!;
    const beside = both.rows.find(({ measure }) => measure === 'ppl')!;
    assert.deepEqual(
      beside.cells.map((cell) => cell?.text),
      ['20.5', '31'],
    );
    assert.match(beside.of, /int8 on cpu/);
  });

  it('is a part of the names of qualities, speeds and perplexities in the panel', () => {
    const rowsKey = 'rows-a';
    const state = { ...FULL, text: { ...FULL.text!, rowsKey }, whatIf: { ...FULL.whatIf, rowsKey } };
    const own = { name: FULL.model.name, identity: FULL.model.identity };
    const run = (id: string, more: Partial<RunDigest>): PanelRun => {
      const facts = { started: '', finished: '', inputs: [], settings: [], versions: '', removed: [], device: 'cpu' };
      return { id, title: id, changed: [], digest: { kind: 'eval', model: own, ...facts, ...more } };
    };
    const quality = [{ label: own.name, ppl: 77, text: FULL.text!.name, rowsKey }];
    const evaluation = run('eval', { precision: 'int8', quality });
    const rows = qualitiesOf({ ...state, runs: [evaluation] });
    assert.deepEqual([rows[0].label, rows[0].ppl], [own.name, FULL.whatIf.full]);
    assert.deepEqual([rows.at(-1)!.label, rows.at(-1)!.ppl], [`${own.name} in int8`, 77]);

    const speed = (decode: number) => ({
      ...{ label: own.name, parameters: 1, bytes: 2, peakRssBytes: null, speed: 'alone' as const },
      ...{ prefillTokensPerSecond: null, decodeTokensPerSecond: decode },
    });
    const costs = costsOf(FULL.model, planOf([]), [
      run('int4', { kind: 'bench', precision: 'int4', cost: [speed(50)] }),
      run('plain', { kind: 'bench', cost: [speed(20)] }),
    ]);
    assert.deepEqual(
      costs.map(({ label, kind, decodeTokensPerSecond }) => [label, kind, decodeTokensPerSecond]),
      [
        [own.name, 'original', 20],
        [`${own.name} in int4`, 'original', 50],
      ],
    );

    const model = (removed: number[]) => ({
      ...{ label: '', ideal: null, cells: [] },
      of: { model: own.name, identity: own.identity, removed },
    });
    const grid = {
      ...{ batches: [1], newTokens: [8], runs: 1, warmup: 0, inTurns: true, limitBytes: null, prompt: '' },
      models: [model([]), model([1])],
    };
    const exact = run('exact', { quality: [{ ...quality[0], ppl: 20 }] });
    const shorter = run('shorter', { precision: 'int8', removed: [1], quality: [{ ...quality[0], ppl: 30 }] });
    assert.equal(perplexitiesOf(grid, [exact, shorter], rowsKey), undefined);
    assert.deepEqual(perplexitiesOf(grid, [exact, shorter, evaluation], rowsKey), {
      text: `${FULL.text!.name} in int8`,
      ppl: [77, 30],
    });
  });
});
