/** What is announced is what is written: sizes of every format and type, of toys, of the sample and of real models. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../src/engine/checkpoint/open';
import { blockBytes, checkpointReduction } from '../../src/engine/checkpoint/reduction';
import { writeAdapter } from '../../src/engine/adapter/files';
import { UserError } from '../../src/engine/errors';
import { recordAt } from '../../src/engine/records/in-gguf';
import { withWeights } from '../../src/engine/weights/checkpoint';
import { planGguf } from '../../src/engine/write/gguf/write-gguf';
import { EXPORT_FORMATS, type ExportFormat, FORMATS } from '../../src/engine/write/formats';
import { changesIn, prunedBytes, writtenBytes } from '../../src/estimates/written-bytes';
import { randomAdapter } from '../support/adapters';
import { draftRecipe } from '../../src/recipes/init/draft';
import { bytesOnDisk } from '../support/disk';
import { runOn } from '../support/jobs';
import { full, gemma3Gguf, itFull, itShared, shared, smollm2Folder, smollm2Gguf } from '../support/shared';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';

const sample = resolve(import.meta.dirname, '../../media/sample');

/** Announced and written sizes differ by no more of the written one. */
const SHARE = 0.005;
/** Card and record have other lengths for other names and settings. They count in toys alone. */
const NOTES = 4 * 2 ** 10;

interface Case {
  readonly format: ExportFormat;
  readonly type?: string;
}

const CASES: readonly Case[] = EXPORT_FORMATS.flatMap((format) => [
  ...(format === 'onnx' ? [] : [{ format }]),
  ...FORMATS[format].types.map((type) => ({ format, type })),
]);

/** As it is stored, and in the first and the last type of each format. */
const SOME = full
  ? CASES
  : CASES.filter(({ type, format }) =>
      [undefined, FORMATS[format].types[0], FORMATS[format].types.at(-1)].includes(type),
    );

/** Exports the model in each way, and compares with what was announced. @returns how many could be written */
async function assertAnnounced(path: string, removed: readonly number[], cases = CASES, notes = 0): Promise<number> {
  const checkpoint = await openCheckpoint(path);
  let count = 0;
  for (const { format, type } of cases) {
    let announced: number;
    try {
      announced = await writtenBytes(checkpoint, { format, type, removed });
    } catch (error) {
      if (error instanceof UserError) continue; // the format cannot say the model
      throw error;
    }
    const out = join(temporaryFolder(), format === 'gguf' ? 'model.gguf' : 'model');
    const types = type === undefined ? {} : { type: [type] };
    const remove = removed.length > 0 ? { remove: [...removed] } : {};
    const { result } = await runOn('export', { checkpoint: path, format, ...types, ...remove, out, verify: false });
    const written = bytesOnDisk(out);
    const what = `${path} as ${format} ${type ?? 'stored'} without ${removed.join() || 'nothing'}: ${announced}, ${written}`;
    assert.ok(Math.abs(announced - written) <= SHARE * written + notes, what);
    assert.ok(Math.abs(result.bytes - written) <= NOTES, what);
    const record = await recordAt(out);
    if (format === 'gguf') assert.equal(record?.results.bytesAfter, written, 'in its record');
    else assert.equal(record?.results.bytes, result.bytes, 'in its record');
    count++;
  }
  return count;
}

describe('announced sizes', function () {
  this.timeout(120_000);

  it('are what an export writes, in every format and type', async () => {
    assert.equal(await assertAnnounced(tinyCheckpoint('llama-gqa-tied', { tokenizer: true }), [1], CASES, NOTES), 27);
    assert.ok((await assertAnnounced(sample, [4, 5, 6], SOME)) >= 6);
  });

  it('are those of a GGUF file that keeps its types, and what it is converted to', async () => {
    const out = join(temporaryFolder(), 'toy.gguf');
    const checkpoint = tinyCheckpoint('llama-gqa-tied', { tokenizer: true });
    await runOn('export', { checkpoint, format: 'gguf', type: ['q4_0'], out, verify: false });
    assert.equal(await assertAnnounced(out, [1], SOME, NOTES), SOME.length);
  });

  it('are the same number in a plan, a pruning and an export', async () => {
    const checkpoint = await openCheckpoint(sample);
    assert.equal(checkpointReduction(checkpoint, []).bytesAfter, checkpoint.size.all);
    const removed = [2, 7];
    const plan = checkpointReduction(checkpoint, removed).bytesAfter;
    assert.equal(await prunedBytes(checkpoint, removed), plan);
    assert.equal(await writtenBytes(checkpoint, { format: 'safetensors', removed }), plan);
    const out = join(temporaryFolder(), 'short');
    const { result } = await runOn('prune', { checkpoint: sample, blocks: removed, out });
    assert.equal(result.bytesAfter, bytesOnDisk(out));
    assert.equal((await openCheckpoint(out)).size.all, bytesOnDisk(out));
    assert.ok(Math.abs(plan - bytesOnDisk(out)) <= SHARE * plan);
  });

  /** Compares with exports of the model once it is trimmed, which are planned alone. */
  const assertTrimmed = async (path: string, texts: string, share: number): Promise<void> => {
    const out = join(temporaryFolder(), path.endsWith('.gguf') ? 'trimmed.gguf' : 'trimmed');
    const free = { bits: false, maxBitsGrowth: 1e9, maxGrowth: 1e9 };
    const { result } = await runOn('vocabulary', { checkpoint: path, texts: [texts], ...free, out });
    assert.ok(result.kept < result.size);
    const [whole, trimmed] = [await openCheckpoint(path), await openCheckpoint(out)];
    for (const { format, type } of CASES) {
      const shipped = { format, type, removed: [2] };
      const [announced, real] = [
        await writtenBytes(whole, { ...shipped, tokens: result.kept }),
        await writtenBytes(trimmed, shipped),
      ];
      const what = `${path} as ${format} ${type ?? 'stored'}: ${announced}, ${real}`;
      assert.ok(announced > (1 - share / 10) * real && announced < (1 + share) * real, what);
      assert.ok(announced < (await writtenBytes(whole, shipped)), what);
    }
  };

  it('of a model with fewer tokens are about those of the trimmed one, and no less', async () => {
    // Its tokenizer is a large part of it, and tokens that stay are shorter or longer than others.
    await assertTrimmed(sample, join(sample, 'calibration.txt'), 0.03);
  });

  for (const [name, find] of [
    ['Gemma 3 270M', gemma3Gguf],
    ['SmolLM2-135M-Instruct', smollm2Folder],
  ] as const) {
    itFull(`of ${name} with fewer tokens are those of the trimmed one`, async function (this: Mocha.Context) {
      this.timeout(600_000);
      await assertTrimmed(find(), shared('data/prose/sherlock.txt'), 0.005);
    });
  }

  itShared('are those of an adapter on a file of K types, which become the next finer ones', async () => {
    const path = shared('models/toy256-gguf/toy256-q4_k_m.gguf');
    const checkpoint = await openCheckpoint(path);
    const random = randomAdapter(requireArchitecture(checkpoint), { removed: [1], targets: ['q', 'down'] });
    const adapter = await writeAdapter(join(temporaryFolder(), 'adapter'), random, checkpoint);
    const { changed, removed } = await changesIn(checkpoint, { adapter });
    assert.deepEqual(removed, [1]);
    const plain = await writtenBytes(checkpoint, { format: 'gguf', removed });
    for (const type of [undefined, 'q8_0']) {
      const announced = await writtenBytes(checkpoint, { format: 'gguf', type, removed, changed });
      const out = join(temporaryFolder(), 'model.gguf');
      const types = type === undefined ? {} : { type: [type] };
      await runOn('export', { checkpoint: path, format: 'gguf', ...types, adapter, out, verify: false });
      const written = bytesOnDisk(out);
      assert.ok(Math.abs(announced - written) <= SHARE * written, `${announced}, ${written}`);
      assert.ok(written - plain > 2 * SHARE * written, 'without the changes it would be another size');
    }
  });

  itShared('of a recipe are the most that it can write, where blocks have other types', async () => {
    const path = shared('models/toy256-gguf/toy256-q4_k_m.gguf');
    const checkpoint = await openCheckpoint(path);
    const { layers } = requireArchitecture(checkpoint);
    assert.ok(new Set(blockBytes(checkpoint)).size > 1, 'its blocks differ');
    const file = join(temporaryFolder(), 'it.coppice.json');
    const { expectedBytes, removes } = await draftRecipe(path, {
      file,
      data: 'train.jsonl',
      goal: { kind: 'fewer', share: 1 / layers.length },
    });
    assert.equal(removes, 1);
    const sizes = await Promise.all(
      [...layers.keys()].map((block) =>
        writtenBytes(checkpoint, { format: 'gguf', removed: [block], changed: 'trained' }),
      ),
    );
    assert.ok(Math.max(...sizes) <= expectedBytes, `${sizes.join()}: ${expectedBytes}`);
  });

  for (const [name, find] of [
    ['Gemma 3 270M', gemma3Gguf],
    ['SmolLM2-135M-Instruct as GGUF', smollm2Gguf],
    ['SmolLM2-135M-Instruct', smollm2Folder],
  ] as const) {
    itShared(`are those of ${name}`, async function (this: Mocha.Context) {
      this.timeout(1_800_000);
      const path = find();
      const checkpoint = await openCheckpoint(path);
      const removed = [8, 9, 14];
      const kept = [...requireArchitecture(checkpoint).layers.keys()].filter((block) => !removed.includes(block));
      const announced = checkpointReduction(checkpoint, removed).bytesAfter;
      if (checkpoint.format === 'gguf') {
        assert.equal(checkpoint.size.all, statSync(path).size);
        const { layout } = await withWeights(checkpoint, (weights) => planGguf(checkpoint, weights, { kept }));
        assert.ok(Math.abs(layout.bytes - announced) <= 4096, `${layout.bytes}, ${announced}`);
        assert.equal(await writtenBytes(checkpoint, { format: 'gguf', removed }), announced);
      }
      assert.ok(announced < checkpoint.size.all);
      if (full) assert.equal(await assertAnnounced(path, removed), 17);
    });
  }

  itShared('are those of stories260K, in one file and several', async () => {
    for (const folder of full
      ? ['stories260K-f32', 'stories260K-bf16', 'stories260K-f32-sharded']
      : ['stories260K-f32-sharded']) {
      assert.ok((await assertAnnounced(shared('models', folder), [1], SOME, NOTES)) >= (full ? 4 : 2));
    }
  });
});
