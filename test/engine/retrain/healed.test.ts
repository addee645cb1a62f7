/** Training on healed weights: it starts from them, and what it writes belongs to them or includes them. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readAdapter } from '../../../src/engine/adapter/files';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { readTensor } from '../../../src/engine/formats/read-tensor';
import { openForComputing, withModel } from '../../../src/engine/model/opened';
import { readRecord } from '../../../src/engine/records/record';
import type { RetrainResult } from '../../../src/engine/retrain/report';
import { retrain } from '../../../src/engine/retrain/retrain';
import type { RetrainSettings } from '../../../src/engine/retrain/settings';
import { readStopped } from '../../../src/engine/retrain/loop/stopped';
import { loadTokenizer } from '../../../src/engine/tokenizer/tokenizer';
import { type HealFacts, writeHealed } from '../../../src/engine/write/healed';
import { assertAllClose } from '../../support/close';
import { decodedLogits } from '../../support/model';
import { writePatch } from '../../support/patches';
import { losses, newPlace, refused, textFile, tiny } from '../../support/retraining';
import { temporaryFolder } from '../../support/temporary';

const IDS = [5, 17, 250, 3, 99, 41, 8, 111];
const source = tiny('llama-plain');
const patch = (seed?: number): Promise<string> =>
  writePatch(join(temporaryFolder(), 'healed.safetensors'), source, [1], { seed });

/** A short run on a checkpoint, with healed weights or without. */
async function trained(path: string, heal: string | undefined, settings: Partial<RetrainSettings> = {}, stop?: true) {
  const { checkpoint, removed, changes, healed } = await openForComputing(path, { heal });
  const tokenizer = await loadTokenizer(path);
  const all: RetrainSettings = {
    method: { kind: 'lora', dropout: 0 },
    data: [textFile()],
    out: newPlace(),
    length: 24,
    batch: 2,
    steps: 4,
    learningRate: 0.01,
    ...settings,
  };
  const cancel = new AbortController();
  const hooks = { onStep: ({ step }: { step: number }) => (stop && step === 2 ? cancel.abort() : undefined) };
  return withModel(checkpoint, { device: 'cpu', changes }, (model) =>
    retrain(model, all, { removed, tokenizer, healed, hooks }, { signal: cancel.signal }),
  );
}

async function logitsOf(path: string, selection: { heal?: string; adapter?: string } = {}): Promise<Float32Array> {
  const { checkpoint, changes, view } = await openForComputing(path, selection);
  return withModel(
    checkpoint,
    { device: 'cpu', changes },
    async (model) => (await decodedLogits(model, [IDS], view))[0],
  );
}

async function writtenFrom(heal: string): Promise<string> {
  const { checkpoint, healed, removed } = await openForComputing(source, { heal });
  const likeness = { meanNll: 1, ppl: 2.7, kl: 0.1, top1: 0.5 };
  const stages = { before: likeness, after: likeness, rounded: likeness, rows: 1 };
  const facts: HealFacts = {
    method: 'refit',
    ridge: 1,
    step: 0.5,
    stepCut: 0.8,
    tokens: 100,
    fit: stages,
    heldOut: null,
    weights: 'healed',
    texts: [],
    steps: [],
  };
  const model = { removed, patches: healed!.patches };
  return (await writeHealed(checkpoint, model, join(temporaryFolder(), 'healed'), { facts })).out;
}

describe('retrain on healed weights', function () {
  this.timeout(120_000);

  it('has the losses of training on the checkpoint that is written from them', async () => {
    const heal = await patch();
    const data = [textFile()];
    const onView = await trained(source, heal, { data });
    assert.deepEqual(losses(onView), losses(await trained(await writtenFrom(heal), undefined, { data })));
    assert.notDeepEqual(losses(onView), losses(await trained(source, await patch(6), { data })));
  });

  it('an adapter belongs to them, and says so', async () => {
    const heal = await patch();
    const { out, removed } = await trained(source, heal);
    assert.deepEqual(removed, [1]);
    const checkpoint = await openCheckpoint(source);
    const { healed } = await openForComputing(source, { heal });
    const { digest } = healed!.note;
    assert.equal((await readAdapter(out, checkpoint, { healed: digest })).healed, digest);
    await refused(readAdapter(out, checkpoint), /trained on healed weights .*--heal FILE/);
    assert.notDeepEqual(await logitsOf(source, { heal, adapter: out }), await logitsOf(source, { heal }));
    const { inputs, settings } = await readRecord(join(out, 'coppice.json'));
    assert.equal(settings.healed, digest);
    assert.deepEqual(
      inputs.filter(({ role }) => role === 'patch'),
      [healed!.input],
    );
  });

  it('merged at once: a checkpoint with both', async () => {
    const heal = await patch();
    const data = [textFile()];
    const { out: adapter } = await trained(source, heal, { data });
    const { out: merged, kind } = await trained(source, heal, { data, merge: true });
    assert.equal(kind, 'checkpoint');
    assertAllClose(await logitsOf(merged), await logitsOf(source, { heal, adapter }), { absolute: 5e-5 }, 'logit');
  });

  it('of some blocks with all their weights: the others keep the healed ones', async () => {
    const heal = await patch();
    const settings = { method: { kind: 'full', start: 'checkpoint' }, where: 'cuts' } as const;
    const { out } = await trained(source, heal, settings);
    const { tensors, shards } = await openCheckpoint(out);
    const { healed, changes } = await openForComputing(source, { heal });
    assert.equal(shards[0].metadata['coppice.healed'], healed!.note.digest);
    const found = await readTensor(tensors.get('model.layers.2.mlp.down_proj.weight')!); // block 3 before the removal
    const [, stored] = changes[0].find(([key]) => typeof key !== 'string' && key.layer === 3 && key.name === 'down')!;
    assert.ok(stored.kind === 'stored');
    assert.deepEqual(found, await readTensor(stored.tensor));
  });

  it('is resumed with the same weights only', async () => {
    const [heal, other] = [await patch(), await patch(6)];
    const settings = { out: newPlace(), data: [textFile()] };
    const whole = await trained(source, heal, { ...settings, out: newPlace() });
    await assert.rejects(trained(source, heal, settings, true), { name: 'CancelledError' });
    assert.equal((await readStopped(settings.out))?.request?.heal, heal);
    await refused(trained(source, other, { ...settings, resume: true }), /healed/);
    const resumed = await trained(source, heal, { ...settings, resume: true });
    assert.deepEqual(losses(resumed), losses(whole));
    assert.ok(!existsSync(`${settings.out}.training`));
  });

  it('starts from an adapter of the same weights', async () => {
    const heal = await patch();
    const data = [textFile()];
    const first = await trained(source, heal, { data });
    const method = { kind: 'lora', dropout: 0, start: first.out } as const;
    const more: RetrainResult = await trained(source, heal, { data, method, steps: 1 });
    assert.ok(more.trace[0].loss < first.trace[0].loss - 0.01, `${more.trace[0].loss} ${first.trace[0].loss}`);
  });
});
