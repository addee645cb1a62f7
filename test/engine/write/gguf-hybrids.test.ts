/** GGUF files of models that mix attention with other mixers: what llama.cpp continues with, what is read of them, and what is refused by name. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type Architecture, withLayers } from '../../../src/engine/checkpoint/architecture';
import { readConfigArchitecture } from '../../../src/engine/checkpoint/config';
import { ggufArchitecture } from '../../../src/engine/checkpoint/gguf/as-gguf';
import { spellingOf } from '../../../src/engine/checkpoint/gguf/spelling';
import { ropeOf } from '../../../src/engine/checkpoint/kinds/parts';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { UserError } from '../../../src/engine/errors';
import { openGguf } from '../../../src/engine/formats/gguf/file';
import { openForComputing } from '../../../src/engine/model/opened';
import { verifyCheckpoint } from '../../../src/engine/verify/verify';
import type { GgufOptions } from '../../../src/engine/write/gguf/write-gguf';
import { writePruned } from '../../../src/engine/write/write-pruned';
import { familyToy } from '../../support/family-toys';
import { checkpointFolder, type GoldenName } from '../../support/golden';
import { checkLogits } from '../../support/golden-checks';
import { asGguf, assertContinues, logitsOf } from '../../support/golden-gguf';
import { itLlamaCpp } from '../../support/llamacpp';
import { describedModel, openToy } from '../../support/model';
import { describeShared, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

type Toy = 'lfm2-conv' | 'qwen35-text' | 'qwen35-nested' | 'granite4-dense' | 'falconh1-parallel';

const F32: GgufOptions = { type: 'f32' };

const toy = (name: Toy, config: Readonly<Record<string, unknown>> = {}): Promise<Checkpoint> =>
  openToy(familyToy(name, config, 'families3'));

const UNROTATED = { position_embedding_type: 'nope' };

const worstDifference = (a: readonly Float32Array[], b: readonly Float32Array[]): number =>
  Math.max(...a.flatMap((row, i) => Array.from(row, (value, j) => Math.abs(value - b[i][j]))));

const ofFile = (name: string): Promise<Checkpoint> => openCheckpoint(shared('models/gguf-families3', `${name}.gguf`));

/** What a file can say of a model. */
const comparable = ({ family, layers, hidden, vocabulary, rmsNormEps, tied }: Architecture): object => {
  return { family, layers, hidden, vocabulary, rmsNormEps, tied };
};

describeShared('write/gguf of hybrids', () => {
  itLlamaCpp('llama.cpp continues prompts as transformers does, with all blocks and without some', async () => {
    const cases: { title: string; file: string }[] = [];
    for (const [name, removed] of [
      ['lfm2-conv', [2, 3]],
      ['qwen35-text', [2, 4]],
      ['granite4-dense', [4, 6]],
      ['falconh1-parallel', [0, 2]],
    ] as const) {
      const without = `${name} without blocks ${removed.join(', ')}`;
      cases.push({ title: name, file: await asGguf(await toy(name), [], F32) });
      cases.push({ title: without, file: await asGguf(await toy(name), removed, F32) });
      if (name === 'falconh1-parallel') continue;
      cases.push({ title: without, file: await asGguf(await ofFile(name), removed, F32) });
    }
    const unrotated = await toy('granite4-dense', UNROTATED);
    cases.push({ title: 'granite4-dense, position_embedding_type nope', file: await asGguf(unrotated, [], F32) });
    assertContinues(cases);
  });

  it('Granite 4 without Mamba becomes a Granite 3: gate and up apart, with the same logits, rotated or not', async () => {
    for (const config of [{}, UNROTATED]) {
      const from = await toy('granite4-dense', config);
      const written = await openCheckpoint(await asGguf(from, [4]));
      const { layers, family } = requireArchitecture(written);
      assert.equal(family, 'granite');
      assert.equal(layers.filter((layer) => ropeOf(layer) === null).length, config === UNROTATED ? 6 : 0);
      const name = 'families3/granite4-dense';
      const [expected, found] = [await logitsOf(from, name, [4]), await logitsOf(written, name)];
      assert.ok(worstDifference(expected, found) < 1e-5);
      const folder = join(temporaryFolder(), 'pruned');
      if (config === UNROTATED) await assert.rejects(writePruned(written, [1], folder), /not rotated/);
      else {
        await writePruned(written, [1], folder);
        assert.deepEqual(await logitsOf(await openCheckpoint(folder), name), await logitsOf(written, name, [1]));
      }
    }
    const file = shared('models/gguf-families3/granite4-dense.gguf');
    const found = await logitsOf(await openCheckpoint(file), 'families3/granite4-dense');
    const expected = await logitsOf(await toy('granite4-dense'), 'families3/granite4-dense');
    assert.ok(worstDifference(expected, found) < 1e-5);
  });

  for (const [file, removed] of [
    ['lfm2-conv', [1, 2]],
    ['qwen35-text', [1, 3]],
  ] as const) {
    describe(`${file}.gguf of llama.cpp's own writer`, () => {
      const name: GoldenName = `families3/${file}`;
      const model = describedModel(() => shared('models/gguf-families3', `${file}.gguf`));

      it('is the model that it was written from, also as its config.json says', async () => {
        const { checkpoint, architecture } = model();
        const described = readConfigArchitecture(checkpoint.config!);
        assert.ok(!('why' in described));
        assert.deepEqual(comparable(described), comparable(architecture));
        const original = requireArchitecture(await toy(file));
        assert.deepEqual(comparable(architecture), comparable(original));
      });

      it('has the golden logits', () => checkLogits(model(), name));

      it('is written as safetensors and as GGUF that compute the same', async () => {
        const { checkpoint } = model();
        const folder = join(temporaryFolder(), 'pruned');
        await writePruned(checkpoint, removed, folder);
        const expected = await logitsOf(checkpoint, name, removed);
        assert.deepEqual(await logitsOf(await openCheckpoint(folder), name), expected);
        const again = await asGguf(checkpoint, removed);
        assert.deepEqual(await logitsOf(await openCheckpoint(again), name), expected);
      });

      it('differs without some blocks in the list of them, their number and names', async () => {
        const before = await openGguf(shared('models/gguf-families3', `${file}.gguf`), undefined, () => true);
        const after = await openGguf(await asGguf(model().checkpoint, removed), undefined, () => true);
        const changed = [...before.metadata].flatMap(([key, { value }]) =>
          JSON.stringify(after.metadata.get(key)?.value) === JSON.stringify(value) ? [] : [key],
        );
        assert.deepEqual(changed, [`${file.split('-')[0]}.block_count`, ...LISTS[file]]);
        const kept = before.tensors.filter(({ name }) => !removed.some((block) => name.startsWith(`blk.${block}.`)));
        assert.deepEqual(
          after.tensors.map(({ dtype, shape }) => [dtype, shape]),
          kept.map(({ dtype, shape }) => [dtype, shape]),
        );
      });
    });
  }

  it('has the factors of Falcon-H1 in its matrices, and computes the same', async () => {
    const name = 'families3/falconh1-parallel';
    const written = await openCheckpoint(await asGguf(await toy('falconh1-parallel'), [4], F32));
    const expected = await logitsOf(await toy('falconh1-parallel'), name, [4]);
    const found = await logitsOf(written, name);
    assert.ok(worstDifference(expected, found) < 1e-4);
    const folder = join(temporaryFolder(), 'pruned');
    await writePruned(written, [1], folder);
    const pruned = await logitsOf(written, name, [1]);
    assert.deepEqual(await logitsOf(await openCheckpoint(folder), name), pruned);
    assert.deepEqual(await logitsOf(await openCheckpoint(await asGguf(written, [1])), name), pruned);
  });

  it('is the model that it was written from, weight by weight', async () => {
    for (const [name, remove, type = 'f32'] of [
      ['lfm2-conv', [0, 2]],
      ['qwen35-text', [0, 7]],
      ['qwen35-text', [0, 7], 'q8_0'],
      ['granite4-dense', [1]],
      ['falconh1-parallel', [5]],
    ] as const) {
      const source = await openForComputing(familyToy(name, {}, 'families3'), { remove });
      const written = await openCheckpoint(await asGguf(source.checkpoint, remove, { type }));
      const { verified } = await verifyCheckpoint(source, written, {}, {});
      assert.equal(verified.why, undefined, name);
      assert.equal(verified.exact, type === 'f32', name);
    }
  });

  it('refuses by name what llama.cpp computes otherwise, or not at all', async () => {
    const refused = (architecture: Architecture, why: RegExp): void => {
      assert.throws(
        () => spellingOf(architecture),
        (error) => error instanceof UserError && why.test(error.why),
      );
    };
    const described = (checkpoint: Checkpoint, config: Readonly<Record<string, unknown>>): Architecture => {
      const architecture = readConfigArchitecture({ ...checkpoint.config, ...config });
      assert.ok(!('why' in architecture));
      return architecture;
    };
    const lfm2 = described(await toy('lfm2-conv'), {});
    refused(described(await toy('lfm2-conv'), { conv_bias: true }), /conv_bias/);
    refused(requireArchitecture(await openCheckpoint(checkpointFolder('families3/gptoss-sinks'))), /sinks/);
    const falcon = await toy('falconh1-parallel');
    refused(ggufArchitecture(described(falcon, { mamba_rms_norm: true })), /mamba_rms_norm/);
    refused(ggufArchitecture(described(falcon, { mamba_proj_bias: true })), /Mamba have biases/);
    refused(ggufArchitecture(described(falcon, { time_step_limit: [0, 1] })), /time_step_limit/);
    refused(requireArchitecture(await toy('qwen35-nested')), /keys of 12 numbers and values of 20/);
    const delta = requireArchitecture(await toy('qwen35-text'));
    refused(withLayers(delta, [0, 1, 2, 4, 5, 6]), /no block of it has attention/);
    refused(withLayers(delta, [3, 7]), /a gate on what attention gives/);
    refused(withLayers(lfm2, [0, 1, 3, 4, 6, 8]), /no block of it has attention/);
  });
});

const LISTS = {
  'lfm2-conv': ['lfm2.attention.head_count_kv'],
  'qwen35-text': ['qwen35.attention.recurrent_layers'],
} as const;
