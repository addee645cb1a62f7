/** Which models the results panel lets write, and what becomes of those that cannot. */
import assert from 'node:assert/strict';
import { cpSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../src/engine/checkpoint/open';
import { fullWidth, narrowCheckpoint } from '../../src/engine/checkpoint/width';
import { saveWidth } from '../../src/engine/weights/width-file';
import type { PanelState } from '../../src/protocol/panel';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';
import { material } from './material';
import { ShownPanel } from './shown-panel';
import { describedClient } from './started';

const WRITE = { prompt: 'The river', settings: { maxNewTokens: 6, chat: false, sampling: null } } as const;

describe('columns of the results panel', function () {
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
    inputFolders: [folder],
  };
  const child = join(folder, 'pruned');
  const broken = join(folder, 'aaa-broken.safetensors');
  const speechless = tinyCheckpoint('mistral-window');
  const unknown = join(folder, 'unknown');
  const stranger = join(folder, 'stranger');
  const other = tinyCheckpoint('qwen3-qknorm', { tokenizer: true });
  let panel: ShownPanel;

  before(async () => {
    await client().run({ kind: 'prune', checkpoint: model, blocks: [1, 4], out: child });
    writeFileSync(broken, Buffer.from('ffffffffffffff7f', 'hex'));
    cpSync(model, unknown, { recursive: true });
    writeFileSync(join(unknown, 'config.json'), JSON.stringify({ model_type: 'mamba' }));
    newStranger();
    const checkpoints = [broken, speechless, stranger, unknown, child, model];
    panel = await ShownPanel.open(model, {
      client: client(),
      settings: () => settings,
      neighbours: () => ({ adapters: [], checkpoints }),
    });
  });
  after(() => panel.close());
  const newStranger = (): void => cpSync(other, stranger, { recursive: true });
  const breakStranger = (): void => truncateSync(join(stranger, 'model.safetensors'), 100);
  const labels = ({ columns }: PanelState): string[] => columns.map(({ label }) => label);

  it('lists what can write alone, and what has to do with the checkpoint first', () => {
    assert.deepEqual(labels(panel.state), ['Original', 'pruned', 'stranger']);
    const related = panel.state.columns.filter((column) => column.related).map(({ label }) => label);
    assert.deepEqual(related, ['Original', 'pruned']);
  });

  it('lists nothing of a checkpoint without a tokenizer', async () => {
    const neighbours = () => ({ adapters: [], checkpoints: [speechless, model] });
    const second = await ShownPanel.open(speechless, { client: client(), settings: () => settings, neighbours });
    assert.deepEqual(labels(second.state), [basename(model)]);
    assert.ok(!second.state.columns[0].related);
    second.close();
  });

  it('lists and lets write what a saved width keeps of the checkpoint, and no width of another', async () => {
    const width = join(folder, 'half.width.safetensors');
    const strange = join(folder, 'strange.width.safetensors');
    for (const [of, file] of [
      [model, width],
      [other, strange],
    ]) {
      const whole = await openCheckpoint(of);
      const layers = fullWidth(requireArchitecture(whole)).layers.map(({ groups, neurons }) => {
        return { groups, neurons: neurons.slice(0, neurons.length / 2) };
      });
      await saveWidth(file, narrowCheckpoint(whole, { layers }), { method: 'flap', texts: [], facts: {} });
    }
    const neighbours = () => ({ adapters: [], widths: [width, strange], checkpoints: [model] });
    const second = await ShownPanel.open(model, { client: client(), settings: () => settings, neighbours });
    assert.deepEqual(labels(second.state), ['Original', 'half']);
    const columns = second.state.columns.map(({ id }) => id);
    await second.session.receive({ type: 'samples/write', ...WRITE, columns });
    const { texts } = second.state.writing!;
    assert.deepEqual(
      texts.map(({ tokens, failure }) => [tokens, failure]),
      [
        [6, undefined],
        [6, undefined],
      ],
    );
    assert.notEqual(texts[0].text, texts[1].text);
    second.close();
  });

  it('lets each model in fewer bits draft for it: the texts are the same, and the run says what stayed', async () => {
    const columns = panel.state.columns.map(({ id }) => id).slice(0, 2);
    const written = async (settings: typeof WRITE.settings & { draft?: 'int4' }): Promise<string[]> => {
      await panel.session.receive({ type: 'samples/write', ...WRITE, settings, columns });
      return panel.state.writing!.texts.map(({ text }) => text);
    };
    const alone = await written(WRITE.settings);
    assert.deepEqual(await written({ ...WRITE.settings, draft: 'int4' }), alone);
    for (const { draft } of panel.state.writing!.texts) {
      assert.ok(draft?.model === 'int4' && draft.drafted > 0 && draft.accepted <= draft.drafted);
    }
    const { samples, settings } = panel.state.runs[0].digest;
    assert.deepEqual(
      samples!.texts.map(({ draft }) => draft),
      panel.state.writing!.texts.map(({ draft }) => draft),
    );
    const words = new Map(settings);
    assert.deepEqual([words.get('draft'), words.get('draftLength')], ['int4', '4']);
  });

  it('lets the others write when one cannot be opened any more, and says why in its column', async () => {
    breakStranger();
    const columns = panel.state.columns.map(({ id }) => id);
    await panel.session.receive({ type: 'samples/write', ...WRITE, columns });
    const { writing, failure, runs } = panel.state;
    assert.equal(failure, null);
    assert.equal(writing?.status, 'done');
    const [original, pruned, gone] = writing.texts;
    for (const { tokens, stopped, failure: why } of [original, pruned]) {
      assert.deepEqual([tokens, stopped, why], [6, 'length', undefined]);
    }
    assert.deepEqual([gone.tokens, gone.stopped], [0, 'failed']);
    assert.match(gone.failure!, /model\.safetensors/);
    const kept = runs[0].digest.samples!.texts;
    assert.deepEqual(
      kept.map(({ stopped, failure: why }) => [stopped, why]),
      writing.texts.map(({ stopped, failure: why }) => [stopped, why]),
    );
  });

  it('says it in the column too where it is the only one', async () => {
    newStranger();
    await panel.session.refresh();
    breakStranger();
    const [{ id }] = panel.state.columns.filter(({ label }) => label === 'stranger');
    await panel.session.receive({ type: 'samples/write', ...WRITE, columns: [id] });
    const { writing, failure } = panel.state;
    assert.equal(failure, null);
    assert.equal(writing?.status, 'failed');
    assert.match(writing.texts[0].failure!, /model\.safetensors/);
  });

  it('forgets a checkpoint that cannot be opened any more', async () => {
    await panel.session.refresh();
    assert.deepEqual(labels(panel.state), ['Original', 'pruned']);
  });
});
