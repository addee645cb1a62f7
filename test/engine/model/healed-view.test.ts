/** Healed weights and an adapter on a checkpoint: what belongs together, in which order, and what sees them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Adapter, adapterDigest, adapterPatches } from '../../../src/engine/adapter/adapter';
import { writeAdapter } from '../../../src/engine/adapter/files';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { UserError } from '../../../src/engine/errors';
import { runCriterion } from '../../../src/engine/importance/run-criterion';
import type { Criterion } from '../../../src/engine/importance/criteria';
import { type ModelSelection, openForComputing, withModel } from '../../../src/engine/model/opened';
import { removedJson } from '../../../src/engine/model/view';
import { readPatchFile } from '../../../src/engine/weights/patch-file';
import { mergeAdapter } from '../../../src/engine/write/merge';
import { type HealFacts, writeHealed } from '../../../src/engine/write/healed';
import { writePruned } from '../../../src/engine/write/write-pruned';
import { randomAdapter } from '../../support/adapters';
import { assertAllClose } from '../../support/close';
import { decodedLogits } from '../../support/model';
import { writePatch } from '../../support/patches';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

const IDS = [5, 17, 250, 3, 99, 41, 8, 111];
const STAGES = {
  rows: 1,
  before: { meanNll: 3, ppl: 20, kl: 1, top1: 0.4 },
  after: { meanNll: 2, ppl: 7, kl: 0.5, top1: 0.5 },
  rounded: { meanNll: 2, ppl: 7, kl: 0.5, top1: 0.5 },
};
const FACTS: HealFacts = {
  method: 'refit',
  ridge: 1,
  step: 0.5,
  stepCut: 0.8,
  tokens: 100,
  fit: STAGES,
  heldOut: null,
  weights: 'healed',
  texts: [],
  steps: [],
};

const folder = (): string => tinyCheckpoint('llama-plain', { tokenizer: true });
const patchOf = (removed: readonly (number | string)[] = [1], adapter?: string): Promise<string> =>
  writePatch(join(temporaryFolder(), 'healed.safetensors'), folder(), removed, { adapter });

async function logitsOf(path: string, selection: ModelSelection): Promise<Float32Array> {
  const { checkpoint, changes, view } = await openForComputing(path, selection);
  return withModel(
    checkpoint,
    { device: 'cpu', changes },
    async (model) => (await decodedLogits(model, [IDS], view))[0],
  );
}

async function lora(checkpoint: Checkpoint, choice: Partial<Adapter> = {}, seed = 1): Promise<[Adapter, string]> {
  const made = randomAdapter(requireArchitecture(checkpoint), { removed: [1], targets: ['q', 'o', 'down'] }, seed);
  const adapter = { ...made, ...choice };
  return [adapter, await writeAdapter(join(temporaryFolder(), 'adapter'), adapter, checkpoint)];
}

async function written(checkpoint: Checkpoint, heal: string): Promise<string> {
  const { patches } = await readPatchFile(heal, checkpoint);
  const { out } = await writeHealed(checkpoint, { removed: [{ block: 1 }], patches }, join(temporaryFolder(), 'out'), {
    facts: FACTS,
  });
  return out;
}

const refused = async (opening: Promise<unknown>, what: RegExp, why: RegExp, action: RegExp): Promise<void> =>
  assert.rejects(opening, (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.what, what);
    assert.match(error.why, why);
    assert.match(error.action, action);
    return true;
  });

describe('a healed view', function () {
  this.timeout(60_000);

  it('leaves out what it was healed without, and more on request, and names its file', async () => {
    const heal = await patchOf([1, '3.ffn']);
    const opened = await openForComputing(folder(), { heal, remove: [2] });
    assert.deepEqual(removedJson(opened.removed), [1, 2, '3.ffn']);
    const { sha256 } = (await readPatchFile(heal, opened.checkpoint)).input;
    assert.deepEqual(opened.inputs, [{ role: 'patch', name: 'healed.safetensors', sha256 }]);
  });

  it('is the checkpoint that is written from it', async () => {
    const heal = await patchOf();
    const out = await written(await openCheckpoint(folder()), heal);
    assert.deepEqual(await logitsOf(out, {}), await logitsOf(folder(), { heal }));
  });

  it('can have an adapter on top, also once it is written', async () => {
    const checkpoint = await openCheckpoint(folder());
    const heal = await patchOf();
    const healed = await readPatchFile(heal, checkpoint);
    const [adapter, dir] = await lora(checkpoint, { healed: healed.note.digest });
    const onTop = await logitsOf(folder(), { heal, adapter: dir });
    const alone = await logitsOf(folder(), { heal });
    assert.ok(onTop.some((value, i) => Math.abs(value - alone[i]) > 0.01));
    const out = await written(checkpoint, heal);
    assertAllClose(await logitsOf(out, { adapter: dir }), onTop, { absolute: 1e-5 }, 'on the written one');
    const { out: merged } = await mergeAdapter(checkpoint, adapter, join(temporaryFolder(), 'm'), { healed });
    assertAllClose(await logitsOf(merged, {}), onTop, { absolute: 5e-5 }, 'merged');
    assert.equal((await openCheckpoint(merged)).shards[0].metadata['coppice.healed'], healed.note.digest);
  });

  it('can lie on an adapter, which has to be that one', async () => {
    const checkpoint = await openCheckpoint(folder());
    const [adapter, dir] = await lora(checkpoint);
    const heal = await patchOf([1], adapterDigest(adapter));
    const { changes } = await openForComputing(folder(), { heal, adapter: dir });
    const { patches } = await readPatchFile(heal, checkpoint);
    assert.deepEqual(changes, [adapterPatches(adapter), patches]);
    await refused(openForComputing(folder(), { heal }), /needs an adapter/, /healed with an adapter/, /--adapter DIR/);
    const [, other] = await lora(checkpoint, {}, 2);
    const both = openForComputing(folder(), { heal, adapter: other });
    await refused(both, /do not belong together/, /another adapter/, /--adapter DIR/);
  });

  it('is refused with an adapter of other weights, unless asked', async () => {
    const checkpoint = await openCheckpoint(folder());
    const heal = await patchOf();
    const { digest } = (await readPatchFile(heal, checkpoint)).note;
    const [, plain] = await lora(checkpoint);
    const [, onHealed] = await lora(checkpoint, { healed: digest });
    const [, onOther] = await lora(checkpoint, { healed: 'ab'.repeat(32) });
    const what = /does not belong to these weights/;
    await refused(openForComputing(folder(), { heal, adapter: plain }), what, /plain weights/, /--other-base/);
    await refused(openForComputing(folder(), { adapter: onHealed }), what, /these are not/, /--heal FILE/);
    await refused(openForComputing(folder(), { heal, adapter: onOther }), what, /these are others/, /--heal FILE/);
    const pruned = (await writePruned(checkpoint, [1], join(temporaryFolder(), 'pruned'))).out;
    await refused(openForComputing(pruned, { adapter: onHealed }), what, /these are not/, /--heal FILE/);
    await openForComputing(folder(), { heal, adapter: plain, otherBase: true });
    await openForComputing(pruned, { adapter: plain });
  });

  it('is scored by its own weights', async () => {
    const checkpoint = await openCheckpoint(folder());
    const heal = await patchOf();
    const out = await written(checkpoint, heal);
    const calibration = join(temporaryFolder(), 'rows.json');
    writeFileSync(calibration, JSON.stringify({ rows: [IDS, IDS.toReversed()] }));
    const scores = async (path: string, selection: ModelSelection, criterion: Criterion): Promise<number[]> => {
      const { changes, view, ...opened } = await openForComputing(path, selection);
      const settings = { calibration, samples: 2, length: 8, seed: 1, norm: 'l1', reduction: 'sum' } as const;
      const scope = { view, changes };
      const { result } = await runCriterion(opened.checkpoint, criterion, { ...settings, device: 'cpu' }, {}, scope);
      return result.blocks!.map(({ score }) => score);
    };
    for (const criterion of ['magnitude', 'taylor'] as const) {
      const found = await scores(folder(), { heal }, criterion);
      assert.deepEqual(found, await scores(out, {}, criterion), criterion);
      assert.notDeepEqual(found, await scores(folder(), { remove: [1] }, criterion), criterion);
    }
  });
});
