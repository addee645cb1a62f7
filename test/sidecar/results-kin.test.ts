/** A checkpoint that Coppice made knows what it was made from, in the panels of both. */
import assert from 'node:assert/strict';
import { basename, join } from 'node:path';
import type { PanelState } from '../../src/protocol/panel';
import { temporaryFolder } from '../support/temporary';
import { material } from './material';
import { ShownPanel } from './shown-panel';
import { describedClient } from './started';

describe('family of the results panel', function () {
  this.timeout(60_000);
  const client = describedClient();
  const { model, text } = material();
  const folder = temporaryFolder();
  const settings = {
    compute: { device: 'cpu', threads: 1 } as const,
    calibration: { file: join(folder, 'no-such-text.txt'), samples: 4, length: 24, seed: 1234 },
    keepEnds: false,
    keep: '',
    recordFolders: [join(folder, 'runs')],
    inputFolders: [folder, text],
  };
  const { compute, recordFolders: records } = settings;
  const calibration = { ...settings.calibration, file: text };
  const drawn = { calibration: text, samples: 4, length: 24, seed: 1234 };
  const child = join(folder, 'pruned');
  const panels: ShownPanel[] = [];
  let checkpoints = [model, child];

  before(async () => {
    await client().run({ kind: 'prune', checkpoint: model, blocks: [1, 4], out: child });
  });
  after(() => {
    for (const panel of panels) panel.close();
  });
  const open = async (path: string): Promise<ShownPanel> => {
    const neighbours = () => ({ adapters: [], checkpoints });
    const panel = await ShownPanel.open(path, { client: client(), settings: () => settings, neighbours });
    panels.push(panel);
    return panel;
  };
  const known = ({ whatIf }: PanelState): boolean => whatIf.status === 'done' && whatIf.full !== null;

  it('shows what it was made from, with its size, and lets both write', async () => {
    const { state, session, opened } = await open(child);
    const { parent, children } = state.kin;
    assert.deepEqual([parent?.name, parent?.removed, children], [basename(model), [1, 4], []]);
    assert.deepEqual([parent?.there?.path, parent?.there?.blocks, parent?.there?.ppl], [model, 6, null]);
    assert.ok(parent!.there!.parameters > state.model.parameters);
    const related = state.columns.filter((column) => column.related).map(({ label }) => label);
    assert.deepEqual(related, [basename(child), basename(model)], 'ticked at first');
    await session.receive({ type: 'kin/open', path: model });
    await session.receive({ type: 'kin/open', path: folder });
    assert.deepEqual(opened, [model], 'members of the family alone');
  });

  it('compares with its perplexity, on the text that it was scored on', async () => {
    const score = { kind: 'score', checkpoint: model, criterion: 'ppl', ...drawn, ...compute, records } as const;
    const { result } = await client().run(score);
    const panel = await open(child);
    assert.equal(basename(panel.state.text!.name), basename(text));
    assert.equal(panel.state.kin.parent!.there!.ppl, result.full!.ppl);
    await panel.becomes('its own perplexity', known);
    const params = { ...compute, checkpoint: child, calibration };
    assert.equal(panel.state.whatIf.full, (await client().request('view/perplexity', params)).ppl);
  });

  it('knows the perplexity of a checkpoint without a plan from its scores, and computes nothing for it', async () => {
    const { state } = await open(model);
    assert.deepEqual(state.plan.removed, []);
    assert.equal(state.whatIf.status, 'idle');
    assert.equal(typeof state.whatIf.full, 'number');
    assert.equal(state.whatIf.rowsKey, state.text!.rowsKey);
  });

  it('lists what was made from it, and how that was retrained', async () => {
    const { state } = await open(model);
    const pruned = { name: 'pruned', path: child, removed: [1, 4], kind: 'prune', retrained: [], ppl: null };
    assert.deepEqual(state.kin, { parent: null, original: null, children: [pruned] });
    await client().run({
      kind: 'retrain',
      checkpoint: child,
      ...compute,
      records,
      out: join(folder, 'healed'),
      rank: 2,
      data: [text],
      steps: 2,
      batch: 2,
      length: 24,
    });
    await client().run({ kind: 'eval', checkpoint: child, ...drawn, ...compute, records });
    const later = await open(model);
    const [{ retrained, ppl }] = later.state.kin.children;
    assert.deepEqual(retrained, ['healed']);
    assert.equal(typeof ppl, 'number');
  });

  it('names what it was made from where that is not around', async () => {
    checkpoints = [child];
    const { state } = await open(child);
    assert.deepEqual(state.kin.parent, { name: basename(model), removed: [1, 4], there: null });
    assert.deepEqual(
      state.columns.map(({ label }) => label),
      [basename(child)],
    );
  });
});
