/** Healing in the results panel: the plan healed quickly and measured, healed models as columns, and their perplexity. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { PanelState } from '../../src/protocol/panel';
import { healedWithout } from '../../webview/panel/state/healed';
import { checkpointFolder } from '../support/golden';
import { temporaryFolder } from '../support/temporary';
import { ShownPanel } from './shown-panel';
import { describedClient } from './started';

const PLAN = [4, 5, 6];
const WRITE = { prompt: 'Once upon a time', settings: { maxNewTokens: 6, chat: false, sampling: null } } as const;

describe('healing in the results panel', function () {
  this.timeout(120_000);
  const client = describedClient();
  const model = checkpointFolder('sample');
  const folder = temporaryFolder();
  const text = join(model, 'calibration.txt');
  const settings = {
    compute: { device: 'cpu' } as const,
    calibration: { file: text, samples: 6, length: 64, seed: 1234 },
    keepEnds: false,
    keep: '',
    recordFolders: [join(folder, 'runs')],
    inputFolders: [folder, model],
  };
  const child = join(folder, 'healed');
  const patch = join(folder, 'kept.patch.safetensors');
  const { compute, recordFolders: records } = settings;
  const heal = {
    kind: 'heal',
    checkpoint: model,
    remove: PLAN,
    data: [text],
    tokens: 2048,
    ...compute,
    records,
  } as const;
  let checkpoints = [model];
  let patches: string[] = [];
  let panel: ShownPanel;

  before(async () => {
    panel = await ShownPanel.open(model, {
      client: client(),
      settings: () => settings,
      neighbours: () => ({ adapters: [], patches, checkpoints }),
    });
    await panel.session.receive({ type: 'plan/set', removed: PLAN });
    await panel.becomes('the plan', ({ whatIf }) => whatIf.status === 'done' && whatIf.removed.length === 3);
  });
  after(() => panel.close());

  const healedNow = ({ plan, runs, kin: family, text: measured }: PanelState) =>
    healedWithout(plan.removed, runs, family.children, measured);

  it('measures the plan healed, better than plain on the same rows, and keeps no weights', async () => {
    assert.equal(panel.state.plan.healingTime, 'about 3 s');
    assert.equal(healedNow(panel.state), undefined);
    await panel.session.receive({ type: 'start/healed' });
    const { whatIf, runs, failure } = panel.state;
    assert.equal(failure, null);
    const measured = healedNow(panel.state)!;
    assert.equal(measured.rowsKey, whatIf.rowsKey);
    assert.ok(Number(measured.ppl) < 0.95 * Number(whatIf.ppl), `${measured.ppl} of ${whatIf.ppl}`);
    assert.ok(Number(measured.ppl) > Number(whatIf.full));
    const { heal: digest, inputs } = runs.find((run) => run.digest.kind === 'heal')!.digest;
    assert.deepEqual([digest!.removed, digest!.weights], [PLAN, 'healed']);
    assert.ok(digest!.steps.length > 10 && digest!.heldOut !== undefined);
    assert.ok(!inputs.some(({ name }) => name === basename(text)), 'not fitted to the text that is measured');
    assert.equal(readdirSync(tmpdir()).filter((name) => name.startsWith('coppice-heal-')).length, 0);
  });

  it('measures a checkpoint that a job heals, which becomes a derived model', async () => {
    checkpoints = [model, child];
    await client().run({ ...heal, out: child });
    await panel.becomes('its perplexity', ({ kin: family }) => typeof family.children[0]?.ppl === 'number');
    const [{ healed, removed, ppl }] = panel.state.kin.children;
    assert.deepEqual([healed, removed], [true, PLAN]);
    assert.equal(healedNow(panel.state)!.ppl, ppl, 'a written model before others');
  });

  it('lists files of healed weights that fit, lets them write beside the plan, and measures new ones', async () => {
    patches = [patch, join(folder, 'gone.patch.safetensors'), join(model, 'model.safetensors')];
    await client().run({ ...heal, patch });
    await panel.becomes('its point', ({ runs }) => runs.some(({ digest }) => digest.patch === basename(patch)));
    const columns = panel.state.columns.filter(({ id }) => id.startsWith('patch:'));
    assert.deepEqual(
      columns.map(({ label, related }) => [label, related]),
      [['kept', true]],
    );
    await panel.session.receive({ type: 'samples/write', ...WRITE, columns: ['plan', columns[0].id] });
    const [plain, healed] = panel.state.writing!.texts;
    assert.deepEqual([plain.tokens, healed.tokens], [6, 6]);
    const sampled = panel.state.runs.find(({ digest }) => digest.kind === 'samples')!.digest;
    assert.deepEqual(sampled.samples!.columns, ['Without 4–6', 'kept']);
  });
});
