/** A healed model as a patch and as a checkpoint: the same numbers, and card, notes and record say what was done. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { adapterDigest, adapterPatches } from '../../../src/engine/adapter/adapter';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { UserError } from '../../../src/engine/errors';
import { type Changes, openModelOver } from '../../../src/engine/model/model';
import { fullView, type RemovedPart, viewWithout } from '../../../src/engine/model/view';
import { calibrationsOf } from '../../../src/engine/records/calibrations';
import { digestRecord } from '../../../src/jobs/digest/digest';
import { readRecord } from '../../../src/engine/records/record';
import { withChanges } from '../../../src/engine/weights/overlay';
import { readPatchFile } from '../../../src/engine/weights/patch-file';
import type { KeyedPatch } from '../../../src/engine/weights/patches';
import { Rounded } from '../../../src/engine/weights/rounded';
import { checkpointWeights } from '../../../src/engine/weights/checkpoint';
import { type HealedModel, type HealFacts, writableBlocks, writeHealed } from '../../../src/engine/write/healed';
import { randomAdapter } from '../../support/adapters';
import { assertAllClose } from '../../support/close';
import { decodedLogits, withModel } from '../../support/model';
import { randomPatches, writePatch } from '../../support/patches';
import { temporaryFolder } from '../../support/temporary';
import { TINY_MODELS, tinyCheckpoint } from '../../support/tiny-models';

const IDS = [5, 17, 250, 3, 99, 41, 8, 111];
const WITHOUT_1: readonly RemovedPart[] = [{ block: 1 }];
const stages = {
  rows: 4,
  before: { meanNll: 3, ppl: 20.09, kl: 0.9, top1: 0.4 },
  after: { meanNll: 2.5, ppl: 12.18, kl: 0.45, top1: 0.6 },
  rounded: { meanNll: 2.5, ppl: 12.19, kl: 0.46, top1: 0.6 },
};
const FACTS: HealFacts = {
  method: 'refit',
  ridge: null,
  step: 0.5,
  stepCut: 0.8,
  tokens: 8192,
  fit: stages,
  heldOut: { ...stages, rows: 2 },
  weights: 'healed',
  texts: ['book.txt'],
  steps: [{ block: 0, tensor: 'down_proj', removed: [1], ridge: 0.7, errorBefore: 9, errorAfter: 4 }],
};

/** Logits of the view without block 1, of weights under changes. */
async function logitsOf(checkpoint: Checkpoint, changes: Changes, rounded: boolean): Promise<Float32Array> {
  const stored = checkpointWeights(checkpoint);
  const changed = withChanges(stored, changes);
  const model = await openModelOver(rounded ? new Rounded(changed, stored) : changed, checkpoint, { device: 'cpu' });
  try {
    return (await decodedLogits(model, [IDS], viewWithout(4, WITHOUT_1)))[0];
  } finally {
    await model.close();
  }
}

const logitsIn = (folder: string): Promise<Float32Array> =>
  withModel(folder, async (model) => (await decodedLogits(model, [IDS], fullView(3)))[0]);

async function written(
  checkpoint: Checkpoint,
  model: Omit<HealedModel, 'removed'>,
  facts: HealFacts = FACTS,
): Promise<string> {
  const out = join(temporaryFolder(), 'healed');
  const provenance = {
    inputs: [{ role: 'data', name: 'book.txt', sha256: 'ab'.repeat(32) }],
    settings: { method: facts.method, removed: [1] },
  };
  await writeHealed(checkpoint, { removed: WITHOUT_1, ...model }, out, { facts, choice: 'hand', provenance });
  return out;
}

function requireSame(actual: Float32Array, expected: Float32Array): void {
  assert.equal(
    actual.reduce((count, value, i) => (Object.is(value, expected[i]) ? count : count + 1), 0),
    0,
  );
}

describe('a healed checkpoint', function () {
  this.timeout(60_000);

  for (const name of TINY_MODELS) {
    it(`${name}: has the bits of its patch, rounded to its type`, async () => {
      const folder = tinyCheckpoint(name);
      const checkpoint = await openCheckpoint(folder);
      const patch = await writePatch(join(temporaryFolder(), 'p.safetensors'), folder, [1]);
      const { patches } = await readPatchFile(patch, checkpoint);
      const found = await logitsIn(await written(checkpoint, { patches }));
      requireSame(found, await logitsOf(checkpoint, [patches], true));
      const exact = await logitsOf(checkpoint, [patches], false);
      if ([...checkpoint.tensors.values()].every(({ dtype }) => dtype === 'F32')) requireSame(found, exact);
      else assert.notDeepEqual(found, exact);
    });
  }

  it('has an adapter below the new weights, rounded once with them', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint('llama-plain'));
    const adapter = randomAdapter(requireArchitecture(checkpoint), { removed: [1], targets: ['q', 'o', 'down'] });
    const patches = await randomPatches(checkpoint, [2, 3]);
    const out = await written(checkpoint, { patches, adapter });
    const found = await logitsIn(out);
    assertAllClose(
      found,
      await logitsOf(checkpoint, [adapterPatches(adapter), patches], false),
      { absolute: 5e-5 },
      '',
    );
    const apart = await logitsOf(checkpoint, [patches], false);
    assert.ok(found.some((value, i) => Math.abs(value - apart[i]) > 0.01));
    const { metadata } = (await openCheckpoint(out)).shards[0];
    assert.equal(metadata['coppice.merged'], adapterDigest(adapter));
    assert.match(readFileSync(join(out, 'README.md'), 'utf8'), /A LoRA adapter of rank 4 is merged/);
  });

  it('says in notes, card and record what was done, as its patch does', async () => {
    const folder = tinyCheckpoint('llama-gqa-tied');
    const checkpoint = await openCheckpoint(folder);
    const patch = await writePatch(join(temporaryFolder(), 'p.safetensors'), folder, [1]);
    const { patches, note } = await readPatchFile(patch, checkpoint);
    const out = await written(checkpoint, { patches });
    const healed = await openCheckpoint(out);
    assert.equal(healed.shards[0].metadata['coppice.healed'], note.digest);
    const inMemory = await written(checkpoint, { patches: await randomPatches(checkpoint, [0, 2, 3]) });
    assert.equal((await openCheckpoint(inMemory)).identity, healed.identity);
    const card = readFileSync(join(out, 'README.md'), 'utf8');
    assert.match(card, new RegExp(`^# ${basename(folder)}, 3 of 4 blocks, healed$`, 'm'));
    assert.match(card, /corrected by\s+least squares, without training/);
    assert.match(card, /text: 8,192 tokens of `book\.txt`/);
    assert.match(card, /Rows that were not fitted \(2 rows\)/);
    assert.match(card, /\| pruned +\| 20\.09 +\| 0\.9000 +\| 40 % +\|/);
    assert.match(card, /\| healed and rounded +\| 12\.19/);
    assert.match(card, /chosen by hand/);
    const record = await readRecord(join(out, 'coppice.json'));
    assert.equal(record.kind, 'heal');
    assert.equal(record.settings.healed, note.digest);
    assert.deepEqual(record.results.removed, [1]);
    const { heal, cost, removed } = digestRecord(record);
    assert.deepEqual(removed, [1]);
    assert.equal(cost?.length, 2);
    assert.deepEqual(heal?.steps, FACTS.steps);
    assert.equal(heal?.heldOut?.after.kl, 0.45);
    assert.equal(heal?.tokens, 8192);
    assert.deepEqual(
      (await calibrationsOf(healed)).map(({ role, name }) => [role, name]),
      [['calibration', 'book.txt']],
    );
  });

  it('has the plain weights if these were kept, and says so', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint('llama-gqa-tied'));
    const out = await written(checkpoint, { patches: [] }, { ...FACTS, weights: 'plain' });
    requireSame(await logitsIn(out), await logitsOf(checkpoint, [], false));
    const card = readFileSync(join(out, 'README.md'), 'utf8');
    assert.match(card, /the plain ones were better, so they were kept/);
    assert.doesNotMatch(card, /^# .*healed$/m);
    assert.equal((await openCheckpoint(out)).shards[0].metadata['coppice.healed'], undefined);
    assert.equal((await readRecord(join(out, 'coppice.json'))).settings.healed, undefined);
  });

  it('says what strength its corrections have', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint('llama-plain'));
    const patches = await randomPatches(checkpoint, [2]);
    const cases = [
      [{ method: 'refit', ridge: null }, /ridge: by the number of tokens/],
      [{ method: 'refit', ridge: 'auto' }, /ridge: chosen on every fifth row/],
      [{ method: 'fold', ridge: null }, /ridge: 0\.3\n/],
      [{ method: 'fold', ridge: 2 }, /ridge: 2\n/],
    ] as const;
    for (const [facts, words] of cases) {
      const out = await written(checkpoint, { patches }, { ...FACTS, ...facts });
      assert.match(readFileSync(join(out, 'README.md'), 'utf8'), words);
    }
    const behind = await openCheckpoint(tinyCheckpoint('gemma3-pattern'));
    const out = await written(behind, { patches: await randomPatches(behind, [2]) }, { ...FACTS, ridge: null });
    assert.match(readFileSync(join(out, 'README.md'), 'utf8'), /and the norms behind them\n[^]*ridge: 0\.1\n/);
    const scalar = await written(checkpoint, { patches }, { ...FACTS, method: 'scalar' });
    assert.doesNotMatch(readFileSync(join(scalar, 'README.md'), 'utf8'), /- ridge/);
  });

  it('cannot lack single modules', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint('llama-plain'));
    const removed: RemovedPart[] = [{ block: 1 }, { block: 2, part: 'ffn' }];
    const refused = (error: unknown): boolean => {
      assert.ok(error instanceof UserError);
      assert.match(error.what, /2\.ffn cannot be written/);
      assert.match(error.action, /--patch FILE/);
      return true;
    };
    assert.throws(() => writableBlocks(removed), refused);
    const out = join(temporaryFolder(), 'out');
    const patches: KeyedPatch[] = [];
    await assert.rejects(writeHealed(checkpoint, { removed, patches }, out, { facts: FACTS }), refused);
    assert.ok(!existsSync(out));
    assert.deepEqual(
      writableBlocks([{ block: 3 }, { block: 0, part: 'ffn' }, { block: 0, part: 'attention' }]),
      [0, 3],
    );
  });
});
