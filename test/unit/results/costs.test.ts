/** What models cost: figures of several runs put together, one row a model. */
import assert from 'node:assert/strict';
import type { CostDigest, PanelRun, RunDigest } from '../../../src/protocol/panel';
import { costsOf } from '../../../webview/panel/costs';
import { EMPTY, planOf } from '../../webview/panel/recorded';

const { model } = EMPTY;
const nothing = { prefillTokensPerSecond: null, decodeTokensPerSecond: null, peakRssBytes: null };

const run = (kind: string, cost: readonly Partial<CostDigest>[], more: Partial<RunDigest> = {}): PanelRun => ({
  ...{ id: `${kind}.json`, title: kind, changed: [] },
  digest: {
    ...{ kind, started: '', finished: '', model: { name: model.name }, removed: [], device: 'cpu', inputs: [] },
    ...{ settings: [], versions: '' },
    cost: cost.map((each) => ({ label: model.name, parameters: null, bytes: null, ...nothing, ...each })),
    ...more,
  },
});

describe('what models cost', () => {
  it('is the size of the model and of the plan before anything was measured', () => {
    assert.deepEqual(costsOf(model, planOf([]), []), [
      { label: model.name, kind: 'original', parameters: model.parameters, bytes: model.bytes, ...nothing },
    ]);
    const plan = planOf([3, 4, 7]);
    assert.deepEqual(
      costsOf(model, plan, []).map(({ label, parameters }) => [label, parameters]),
      [
        [model.name, model.parameters],
        ['Without 3–4, 7', plan.parameters],
      ],
    );
  });

  it('gathers original, plan and retrained from samples, measurements and trainings', () => {
    const removed = [3, 4, 7];
    const runs = [
      run('bench', [{ peakRssBytes: 300, decodeTokensPerSecond: 61 }], { removed, adapter: 'healed' }),
      run('bench', [{ peakRssBytes: 200, decodeTokensPerSecond: 60 }], { removed }),
      run('bench', [{ peakRssBytes: 400, decodeTokensPerSecond: 50 }]),
      run('samples', [
        { label: 'Original', decodeTokensPerSecond: 1, prefillTokensPerSecond: 500 },
        { label: 'Without 3–4, 7', decodeTokensPerSecond: 2, prefillTokensPerSecond: 600 },
        { label: 'healed', prefillTokensPerSecond: 590 },
      ]),
      run('retrain', [], {
        ...{ removed, settings: [['rank', '8']], training: { output: 'healed', steps: [], looks: [] } },
      }),
    ];
    const figures = costsOf(model, planOf(removed), runs).map((cost) => [
      ...[cost.label, cost.parameters, cost.prefillTokensPerSecond, cost.decodeTokensPerSecond, cost.peakRssBytes],
    ]);
    const left = planOf(removed).parameters;
    assert.deepEqual(figures, [
      [model.name, model.parameters, 500, 50, 400],
      ['Without 3–4, 7', left, 600, 60, 200],
      ['healed', left, 590, 61, 300],
    ]);
  });

  it('tells the plan from plans of before, and adapters from models', () => {
    const runs = [
      run('samples', [{ label: 'Without 3' }, { label: 'Without 9' }, { label: 'healed' }, { label: 'whole' }]),
      ...(['healed', 'whole'] as const).map((output) =>
        run('retrain', [], {
          ...{ removed: [3], settings: output === 'healed' ? [['rank', '8'] as const] : [] },
          training: { output, steps: [], looks: [] },
        }),
      ),
    ];
    assert.deepEqual(
      costsOf(model, planOf([9]), runs).map(({ label, kind, adapter }) => [label, kind, adapter ?? false]),
      [
        [model.name, 'original', false],
        ['Without 9', 'plan', false],
        ['Without 3', 'earlier', false],
        ['healed', 'made', true],
        ['whole', 'made', false],
      ],
    );
  });

  it('keeps apart what leaves out single modules', () => {
    const [, row] = costsOf(model, undefined, [run('bench', [{ peakRssBytes: 1 }], { removed: [3, '5.ffn'] })]);
    assert.equal(row.label, 'Without 3, 5.ffn');
  });
});
