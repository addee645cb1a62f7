/** GGUF files of Granite 4 with Mamba, with experts, or with both: written, read, quantized, pruned, and what llama.cpp makes of them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type Architecture, withLayers } from '../../../src/engine/checkpoint/architecture';
import { readConfigArchitecture } from '../../../src/engine/checkpoint/config';
import { ggufArchitecture } from '../../../src/engine/checkpoint/gguf/as-gguf';
import { spellingOf } from '../../../src/engine/checkpoint/gguf/spelling';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { UserError } from '../../../src/engine/errors';
import { withFile } from '../../../src/engine/files/regular-file';
import { openGguf } from '../../../src/engine/formats/gguf/file';
import type { GgufTensor } from '../../../src/engine/formats/gguf/tensors';
import { openForComputing } from '../../../src/engine/model/opened';
import { ROUNDED_TOLERANCE } from '../../../src/engine/verify/verdict';
import { verifyCheckpoint } from '../../../src/engine/verify/verify';
import { type GgufOptions, planGguf } from '../../../src/engine/write/gguf/write-gguf';
import { withWeights } from '../../../src/engine/weights/checkpoint';
import { writePruned } from '../../../src/engine/write/write-pruned';
import { expertToy } from '../../support/expert-toys';
import { familyToy } from '../../support/family-toys';
import { asGguf, assertContinues, logitsOf } from '../../support/golden-gguf';
import { editGguf } from '../../support/gguf-edits';
import { value } from '../../support/gguf-files';
import { itLlamaCpp, logitsOfLlamaCpp } from '../../support/llamacpp';
import { decodedLogits, openToy, withModelOf } from '../../support/model';
import { describeShared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

const F32: GgufOptions = { type: 'f32' };
const NAME = 'families3/granite4-hybrid';
const REMOVED = [0, 2];

const hybrid = (): Promise<Checkpoint> => openToy(familyToy('granite4-hybrid', {}, 'families3'));

/** A toy whose rows are whole blocks of quantized types, with two groups of heads. */
const toy = (config: Readonly<Record<string, unknown>> = {}): string =>
  expertToy({
    ...{ model_type: 'granitemoehybrid', num_local_experts: 4, shared_intermediate_size: 96 },
    ...{ embedding_multiplier: 1.5, residual_multiplier: 0.5, attention_multiplier: 0.25, logits_scaling: 2 },
    ...{ mamba_n_heads: 16, mamba_d_head: 8, mamba_n_groups: 2, mamba_d_state: 16 },
    ...{ num_hidden_layers: 3, layer_types: ['mamba', 'attention', 'mamba'] },
    ...config,
  });

const worstDifference = (a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): number =>
  Math.max(...a.flatMap((row, i) => Array.from(row, (value, j) => Math.abs(value - b[i][j]))));

/** The tensors of a file by their names, without the block's number at its place. */
async function bytesOf(file: string): Promise<ReadonlyMap<string, Buffer>> {
  const { tensors } = await openGguf(file);
  return withFile(file, async (opened) => {
    const read = async ({ name, offset, bytes }: GgufTensor) => [name, await opened.readRange(offset, bytes)] as const;
    const found = new Map<string, Buffer>();
    for (const tensor of tensors) found.set(...(await read(tensor)));
    return found;
  });
}

describe('write/gguf of Granite 4 with Mamba or experts', () => {
  describeShared('the reference model', () => {
    itLlamaCpp('llama.cpp continues prompts as transformers does, with all blocks and without some', async () => {
      const from = await hybrid();
      const whole = await asGguf(from, [], F32);
      const without = 'granite4-hybrid without blocks 0, 2';
      assertContinues([
        { title: 'granite4-hybrid', file: whole },
        { title: without, file: await asGguf(from, REMOVED, F32) },
        { title: without, file: await asGguf(await openCheckpoint(whole), REMOVED) },
      ]);
    });

    it('is read as the model that it was written from, also as its config.json says, and written as safetensors', async () => {
      const from = await hybrid();
      const file = await openCheckpoint(await asGguf(from, [], F32));
      assert.deepEqual(file.notes, []);
      const { layers } = requireArchitecture(from);
      assert.deepEqual(requireArchitecture(file).layers, layers);
      const described = readConfigArchitecture(file.config!);
      assert.ok(!('why' in described));
      assert.deepEqual(described.layers, layers);
      const folder = join(temporaryFolder(), 'pruned');
      await writePruned(file, REMOVED, folder);
      const pruned = await openCheckpoint(folder);
      assert.deepEqual(pruned.tensors.get(`model.layers.0.${STACK}`)?.shape, [6, 48, 48]);
      const expected = await logitsOf(from, NAME, REMOVED);
      assert.deepEqual(await logitsOf(pruned, NAME), expected);
      assert.deepEqual(await logitsOf(await openCheckpoint(await asGguf(file, REMOVED)), NAME), expected);
    });
  });

  itLlamaCpp('llama.cpp computes the other forms: two groups, no experts, no Mamba, rotated', async () => {
    const attends = { layer_types: ['attention', 'attention', 'attention'] };
    const rotated = { position_embedding_type: 'rope' };
    const forms = [
      ['granitehybrid', toy()],
      ['granitehybrid', toy({ num_local_experts: 0, attention_bias: true, ...rotated })],
      ['granitemoe', toy({ attention_bias: true, ...attends, ...rotated })],
    ] as const;
    const checkpoints: Checkpoint[] = [];
    const files: string[] = [];
    for (const [architecture, folder] of forms) {
      const checkpoint = await openToy(folder);
      checkpoints.push(checkpoint);
      files.push(await asGguf(checkpoint, [], F32));
      const said = (await openGguf(files.at(-1)!)).metadata.get('general.architecture')?.value;
      assert.equal(said, architecture);
    }
    // What says elsewhere that nothing is rotated changes nothing in granitemoe: such models are refused.
    const unrotated = join(temporaryFolder(), 'unrotated.gguf');
    await editGguf(files[2], unrotated, ({ metadata }) =>
      metadata.set('granitemoe.rope.scaling.finetuned', value('bool', Buffer.of(0))),
    );
    const rows = [ROW, ROW.slice(0, 1)];
    const found = logitsOfLlamaCpp([...files, unrotated], rows, 32);
    assert.deepEqual(found[3], found[2]);
    for (const [i, checkpoint] of checkpoints.entries()) {
      await withModelOf(checkpoint, async (model) => {
        for (const [j, row] of rows.entries()) {
          // 5e-6 were seen, where logits reach 3; a factor or a rotation that is wrong gives 1 and more.
          const off = worstDifference(await decodedLogits(model, [row]), [found[i][j]]);
          assert.ok(off < 1e-4, `${forms[i].join(' ')}: off by ${off}`);
        }
      });
    }
  });

  it('is pruned in a quantized file to one with the bytes of the blocks that stay', async () => {
    const file = await asGguf(await openToy(toy()), [], { type: 'q4_0' });
    const before = await bytesOf(file);
    const after = await bytesOf(await asGguf(await openCheckpoint(file), [0]));
    const kept = [...before].flatMap(([name, bytes]) => {
      const block = /^blk\.(\d+)\./.exec(name)?.[1];
      if (block === '0') return [];
      return [[name.replace(/^blk\.\d+/, `blk.${Number(block) - 1}`), bytes] as const];
    });
    assert.deepEqual([...after], kept);
  });

  it('is verified where rounding moves logits far, and not where a setting does', async () => {
    // Weights of these sizes make much of small differences: 0.98 of the length of the logits were seen.
    const source = await openForComputing(toy(), {});
    const file = await asGguf(source.checkpoint, [], { type: 'q4_0' });
    const written = await openCheckpoint(file);
    const { verified } = await verifyCheckpoint(source, written, {}, {});
    assert.ok(verified.relative > ROUNDED_TOLERANCE, `${verified.relative}`);
    assert.equal(verified.why, undefined);
    const edited = join(temporaryFolder(), 'edited.gguf');
    await editGguf(file, edited, ({ metadata }) =>
      metadata.set('granitehybrid.embedding_scale', value('f32', Buffer.from(Float32Array.of(40).buffer))),
    );
    const other = await verifyCheckpoint(source, await openCheckpoint(edited), {}, {});
    assert.match(other.verified.why ?? '', /which rounding does not explain/);
  });

  it('is written as safetensors from quantized files, in which gate and up may have types of their own', async () => {
    const file = await openCheckpoint(await asGguf(await openToy(toy()), [], { type: 'q8_0' }));
    const folder = join(temporaryFolder(), 'wide');
    await writePruned(file, [2], folder);
    const wide = await openCheckpoint(folder);
    assert.equal(wide.tensors.get('model.layers.0.shared_mlp.input_linear.weight')?.dtype, 'F32');
    const logits = (checkpoint: Checkpoint): Promise<Float32Array[]> =>
      withModelOf(checkpoint, (model) => decodedLogits(model, [ROW]));
    const again = await openCheckpoint(await asGguf(file, [2]));
    assert.deepEqual(await logits(wide), await logits(again));
  });

  it('refuses by name what llama.cpp computes otherwise, or not at all', async () => {
    const described = (config: Readonly<Record<string, unknown>>): Architecture => {
      const architecture = readConfigArchitecture({ ...checkpoint.config, ...config });
      assert.ok(!('why' in architecture));
      return ggufArchitecture(architecture);
    };
    const checkpoint = await openToy(toy());
    for (const [config, why] of [
      [{ mamba_proj_bias: true }, /mamba_proj_bias/],
      [{ mamba_conv_bias: false }, /mamba_conv_bias/],
      [{ time_step_limit: [0, 1] }, /time_step_limit/],
    ] as const) {
      assert.throws(
        () => spellingOf(described(config)),
        (error) => error instanceof UserError && why.test(error.why),
      );
    }
    assert.throws(() => spellingOf(withLayers(described({}), [0, 2])), /no block of it has attention/);
    // From safetensors it becomes a model of attention alone; a file of both kinds stays one.
    const attends = (config: Readonly<Record<string, unknown>>): Architecture => withLayers(described(config), [1]);
    assert.equal(spellingOf(attends({ position_embedding_type: 'rope' })).dialect.name, 'granitemoe');
    assert.throws(
      () => spellingOf(attends({})),
      (error) => error instanceof UserError && /does not rotate[^]*granitemoe does/.test(error.why),
    );
    const file = await openCheckpoint(await asGguf(await openToy(toy({ position_embedding_type: 'rope' })), [], F32));
    await withWeights(file, (weights) =>
      assert.rejects(planGguf(file, weights, { kept: [1] }), /granitehybrid is for models of both kinds/),
    );
  });
});

const STACK = 'block_sparse_moe.input_linear.weight';
const ROW = [5, 17, 99, 250, 3, 41, 7, 123, 200, 64, 12, 33];
