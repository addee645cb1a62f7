/** What models cost: figures of several runs put together, one row a model. */
import assert from 'node:assert/strict';
import type { CostDigest, PanelRun, RunDigest } from '../../../src/protocol/panel';
import { costsOf } from '../../../webview/panel/sections/costs';
import { EMPTY, planOf } from '../../webview/panel/recorded';

const { model } = EMPTY;
const nothing = { prefillTokensPerSecond: null, decodeTokensPerSecond: null, peakRssBytes: null };
/** As a digest has it. */
const ways = { bench: 'alone', samples: 'writing', turns: 'turns' } as const;

const run = (
  kind: keyof typeof ways | 'retrain',
  cost: readonly Partial<CostDigest>[],
  more: Partial<RunDigest> = {},
): PanelRun => ({
  id: `${kind}.json`,
  title: kind,
  changed: [],
  digest: {
    kind,
    started: '',
    finished: '',
    model: { name: model.name },
    removed: [],
    device: 'cpu',
    inputs: [],
    settings: [],
    versions: '',
    ...(kind === 'turns' && { kind: 'bench' }),
    cost: cost.map((each) => ({
      label: model.name,
      parameters: null,
      bytes: null,
      ...nothing,
      ...(kind !== 'retrain' && { speed: ways[kind] }),
      ...each,
    })),
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
        removed,
        settings: [['rank', '8']],
        training: { output: 'healed', steps: [], evaluations: [] },
      }),
    ];
    const figures = costsOf(model, planOf(removed), runs).map((cost) => [
      ...[cost.label, cost.parameters, cost.prefillTokensPerSecond, cost.decodeTokensPerSecond, cost.peakRssBytes],
    ]);
    const left = planOf(removed).parameters;
    assert.deepEqual(figures, [
      [model.name, model.parameters, null, 50, 400],
      ['Without 3–4, 7', left, null, 60, 200],
      ['healed', left, null, 61, 300],
    ]);
  });

  it('puts no speeds together that cannot be compared, and says how each came about', () => {
    const speeds = (prefill: number, decode: number): Partial<CostDigest> => {
      return { prefillTokensPerSecond: prefill, decodeTokensPerSecond: decode };
    };
    const runs = [
      run('samples', [
        { label: 'Original', ...speeds(1, 2) },
        { label: 'small', ...speeds(3, 4.92) },
      ]),
      run('turns', [{ label: 'Original', ...speeds(100, 50), prefillRange: [98, 103], decodeRange: [49, 51] }]),
      run('bench', [speeds(90, 40)]),
      run('turns', [
        { label: 'Original', ...speeds(70, 30) },
        { label: 'Without 3', ...speeds(80, 35) },
      ]),
    ];
    const rows = costsOf(model, planOf([3]), runs).map(
      ({ label, speed, decodeTokensPerSecond: decode, decodeRange }) => {
        return [label, speed, decode, decodeRange];
      },
    );
    assert.deepEqual(rows, [
      [model.name, 'turns', 50, [49, 51]],
      ['Without 3', 'alone', 35, undefined], // in turns with others, but not with those that are shown
      ['small', 'writing', 4.92, undefined],
    ]);
  });

  it('tells the plan from plans of before, and adapters from models', () => {
    const runs = [
      run('samples', [{ label: 'Without 3' }, { label: 'Without 9' }, { label: 'healed' }, { label: 'whole' }]),
      ...(['healed', 'whole'] as const).map((output) =>
        run('retrain', [], {
          removed: [3],
          settings: output === 'healed' ? [['rank', '8'] as const] : [],
          training: { output, steps: [], evaluations: [] },
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
