/** Checkpoints as they lie on disks: the Hugging Face cache, odd names, shards in several places. The numbers are the same. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join, relative } from 'node:path';
import { sweepLosses } from '../../../src/engine/importance/sweep';
import { scoreMagnitude } from '../../../src/engine/importance/criteria/magnitude';
import { fullView, stepsOf } from '../../../src/engine/model/view';
import { decodedLogits, withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { itFull } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint, writeTinyCheckpoint, type TinyName } from '../../support/tiny-models';

const rows = randomRows(2, 16, 288, 41);

/** Everything that reads weights in its own way: embedding and blocks, decoder, magnitude. */
const compute = (path: string) =>
  withModel(path, async (model) => ({
    losses: await sweepLosses(model, rows, stepsOf(fullView(model.architecture.layers.length)), [0]),
    logits: await decodedLogits(model, [rows[0]]),
    magnitude: await scoreMagnitude(model.weights),
  }));

/** The checkpoint as huggingface_hub stores it: a snapshot of links into a folder of blobs named by their hashes. */
function cacheSnapshot(name: TinyName): string {
  const source = tinyCheckpoint(name);
  const repository = join(temporaryFolder(), 'models--someone--toy');
  const snapshot = join(repository, 'snapshots', '0123456789abcdef0123456789abcdef01234567');
  const blobs = join(repository, 'blobs');
  for (const folder of [snapshot, blobs]) mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(source)) {
    const blob = join(
      blobs,
      createHash('sha256')
        .update(readFileSync(join(source, file)))
        .digest('hex'),
    );
    copyFileSync(join(source, file), blob);
    symlinkSync(relative(snapshot, blob), join(snapshot, file));
  }
  return snapshot;
}

describe('checkpoints on disks', () => {
  for (const name of ['llama-gqa-tied', 'mistral-window'] as const) {
    (name === 'mistral-window' ? it : itFull)(`in the Hugging Face cache: ${name}`, async () => {
      assert.deepEqual(await compute(cacheSnapshot(name)), await compute(tinyCheckpoint(name)));
    });
  }

  it('a file with spaces and other alphabets in its name and its path', async () => {
    const folder = join(temporaryFolder(), 'Modèle № 1 — 模型 #50%');
    mkdirSync(folder);
    writeTinyCheckpoint(folder, 'llama-bias');
    const file = join(folder, 'мой & модель (v2) ✓.safetensors');
    renameSync(join(folder, 'model.safetensors'), file);
    const expected = await compute(tinyCheckpoint('llama-bias'));
    assert.deepEqual(await compute(folder), expected);
    assert.deepEqual(await compute(file), expected);
  });

  it('shards with such names', async () => {
    const folder = temporaryFolder();
    writeTinyCheckpoint(folder, 'qwen3-qknorm', { shards: 3 });
    const index = join(folder, 'model.safetensors.index.json');
    let text = readFileSync(index, 'utf8');
    for (const file of readdirSync(folder).filter((f) => f.endsWith('.safetensors'))) {
      const renamed = file.replace('model-', 'peça de modelo ');
      renameSync(join(folder, file), join(folder, renamed));
      text = text.replaceAll(file, renamed);
    }
    writeFileSync(index, text);
    assert.deepEqual(await compute(folder), await compute(tinyCheckpoint('qwen3-qknorm')));
  });

  it('shards that are links to several places', async () => {
    const folder = temporaryFolder();
    writeTinyCheckpoint(folder, 'llama3-rope');
    const shards = readdirSync(folder).filter((file) => file.endsWith('.safetensors'));
    assert.equal(shards.length, 3);
    const elsewhere = [folder, temporaryFolder(), join(temporaryFolder(), 'deep', 'er')];
    for (const [i, shard] of shards.entries()) {
      if (elsewhere[i] === folder) continue;
      mkdirSync(elsewhere[i], { recursive: true });
      renameSync(join(folder, shard), join(elsewhere[i], `part ${i}`));
      symlinkSync(join(elsewhere[i], `part ${i}`), join(folder, shard));
    }
    assert.deepEqual(await compute(folder), await compute(tinyCheckpoint('llama3-rope')));
  });

  it('in one file or in many, and whatever folder the program was started in', async () => {
    const here = process.cwd();
    const expected = await compute(tinyCheckpoint('qwen2-layer-types'));
    const sharded = tinyCheckpoint('qwen2-layer-types', { shards: 30 });
    assert.deepEqual(await compute(sharded), expected);
    try {
      process.chdir(sharded);
      assert.deepEqual(await compute('.'), expected);
    } finally {
      process.chdir(here);
    }
  });
});
