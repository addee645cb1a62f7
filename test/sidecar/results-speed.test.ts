/** Measure Speed in the results panel: models take turns in one run, and none is taken for another. */
import assert from 'node:assert/strict';
import { readFileSync, truncateSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { RunRecord } from '../../src/engine/records/record';
import { costsOf } from '../../webview/panel/sections/costs';
import { temporaryFolder } from '../support/temporary';
import { material } from './material';
import { ShownPanel } from './shown-panel';
import { describedClient } from './started';

describe('speeds in the results panel', function () {
  this.timeout(60_000);
  const client = describedClient();
  const { model, text } = material();
  const folder = temporaryFolder();
  const settings = {
    compute: { device: 'cpu', threads: 1 } as const,
    calibration: { file: text, samples: 4, length: 24, seed: 1234 },
    keepEnds: false,
    keep: '',
    recordFolders: [join(folder, 'runs')],
    inputFolders: [folder, model],
  };
  const { compute, recordFolders: records } = settings;
  const child = join(folder, 'pruned');
  const panels: ShownPanel[] = [];

  before(() => client().run({ kind: 'prune', checkpoint: model, blocks: [1, 4], out: child }));
  after(() => {
    for (const panel of panels) panel.close();
  });
  const open = async (path: string): Promise<ShownPanel> => {
    const neighbours = () => ({ adapters: [], checkpoints: [model, child] });
    panels.push(await ShownPanel.open(path, { client: client(), settings: () => settings, neighbours }));
    return panels.at(-1)!;
  };
  const rowsOf = ({ state }: ShownPanel) => costsOf(state.model, state.plan, state.runs);

  it('measures the checkpoint, its plan and what was made from it in turns, and leaves a record', async () => {
    const panel = await open(model);
    await panel.session.receive({ type: 'plan/set', removed: [2] });
    await panel.session.receive({ type: 'start/speed' });
    assert.deepEqual(panel.gridded, [['Original', 'Without 2', 'pruned']]);
    const columns = [
      { label: 'a', checkpoint: model },
      { label: 'b', checkpoint: model, remove: [2] },
      { label: 'c', checkpoint: child },
    ];
    await client().run({ kind: 'speeds', columns, ...compute, records });
    await panel.session.refresh();
    const rows = rowsOf(panel);
    assert.deepEqual(
      rows.map(({ label, speed }) => [label, speed]),
      [basename(model), 'Without 2', 'pruned'].map((label) => [label, 'turns']),
    );
    for (const { prefillTokensPerSecond: prefill, prefillRange, decodeTokensPerSecond: decode, decodeRange } of rows) {
      for (const [median, [low, high]] of [
        [prefill!, prefillRange!],
        [decode!, decodeRange!],
      ] as const)
        assert.ok(low > 0 && low <= median && median <= high, `${low} ≤ ${median} ≤ ${high}`);
    }
    const [{ id, digest }] = panel.state.runs;
    assert.equal(digest.kind, 'speeds');
    const record = JSON.parse(readFileSync(join(records[0], id), 'utf8')) as RunRecord;
    assert.equal(record.settings.repeats, 5);
    assert.deepEqual(
      record.inputs.map(({ role }) => role),
      ['model', 'model'],
    );
  });

  it('calls the same models by their names in the panel of the other one', async () => {
    const labels = rowsOf(await open(child)).map(({ label, speed }) => [label, speed]);
    assert.deepEqual(labels, [
      ['pruned', 'turns'],
      [basename(model), 'turns'],
      [`${basename(model)}, without 2`, 'turns'],
    ]);
  });

  it('names the same models in a record of many texts side by side', async () => {
    const panel = await open(model);
    await panel.session.receive({ type: 'plan/set', removed: [2] });
    const columns = [
      { label: 'a', checkpoint: model },
      { label: 'b', checkpoint: model, remove: [2] },
      { label: 'c', checkpoint: child },
    ];
    const cells = { batch: [1, 2], newTokens: [2], runs: 1, warmup: 0 };
    await client().run({ kind: 'grid', columns, ...cells, ...compute, records });
    for (const [path, labels] of [
      [model, ['Original', 'Without 2', 'pruned']],
      [child, [basename(model), `${basename(model)}, without 2`, 'Original']],
    ] as const) {
      const [{ digest }] = (await open(path)).state.runs;
      assert.deepEqual(
        digest.grid?.models.map(({ label }) => label),
        labels,
      );
      assert.ok(digest.grid?.models.every(({ cells: own }) => own.every(({ measured }) => measured !== undefined)));
    }
  });

  it('knows how fast a model wrote that wrote alone, and draws no comparison from it', async () => {
    const runs = temporaryFolder();
    const columns = [{ label: 'Original', checkpoint: child }];
    const write = { kind: 'samples', prompts: ['The river'], columns, maxNewTokens: 8, ...compute } as const;
    await client().run({ ...write, records: [runs] });
    const neighbours = () => ({ adapters: [], checkpoints: [model, child] });
    const own = { ...settings, recordFolders: [runs] };
    const panel = await ShownPanel.open(model, { client: client(), settings: () => own, neighbours });
    panels.push(panel);
    const [whole, pruned] = rowsOf(panel);
    assert.deepEqual([whole.speed, whole.decodeTokensPerSecond], [undefined, null]);
    assert.deepEqual([pruned.label, pruned.speed], ['pruned', 'writing']);
    assert.ok(pruned.decodeTokensPerSecond! > 0);
    assert.equal(panel.state.runs[0].digest.samples, undefined, 'its texts are of its own panel');
  });

  it('measures the others where one cannot be opened', async () => {
    truncateSync(join(child, 'model.safetensors'), 100);
    const columns = [child, model].map((checkpoint) => ({ label: basename(checkpoint), checkpoint }));
    const { result } = await client().run({ kind: 'speeds', columns, ...compute, repeats: 1, newTokens: 4 });
    assert.match(result.models[0].failure!, /model\.safetensors/);
    assert.ok(result.models[1].decodeTokensPerSecond! > 0);
    const only = { kind: 'speeds', columns: columns.slice(0, 1), ...compute } as const;
    await assert.rejects(client().run(only), /model\.safetensors/);
  });
});
