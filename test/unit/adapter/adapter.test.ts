/** Adapters on disk: what is written is what is read, and whatever does not fit is refused with its reason. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { UserError } from '../../../src/engine/errors';
import { writePruned } from '../../../src/engine/write/write-pruned';
import { keyText } from '../../../src/engine/checkpoint/weight-key';
import { Overlay } from '../../../src/engine/weights/overlay';
import { scaledB } from '../../../src/engine/weights/patches';
import { withWeights } from '../../../src/engine/weights/checkpoint';
import { type Adapter, adapterDigest, adapterPatches } from '../../../src/engine/adapter/adapter';
import { readAdapter, saveAdapter, writeAdapter } from '../../../src/engine/adapter/files';
import { newRecord, readRecord } from '../../../src/engine/records/record';
import { randomAdapter } from '../../support/adapters';
import { checkpointFolder } from '../../support/golden';
import { readSafetensors, type TestTensor, writeSafetensors } from '../../support/safetensors';
import { itShared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

const WEIGHTS = 'adapter_model.safetensors';
const CONFIG = 'adapter_config.json';

type Json = Record<string, unknown>;
const readJson = (...path: string[]): Json => JSON.parse(readFileSync(join(...path), 'utf8')) as Json;

describe('retrain/adapter', () => {
  let checkpoint: Checkpoint;
  let adapter: Adapter;
  let folder: string;

  before(async () => {
    checkpoint = await openCheckpoint(tinyCheckpoint('llama-plain'));
    adapter = randomAdapter(requireArchitecture(checkpoint), { removed: [1, 2], dropout: 0.05 });
    folder = await writeAdapter(join(temporaryFolder(), 'adapter'), adapter, checkpoint);
  });

  it('comes back as it was written', async () => {
    assert.deepEqual(await readAdapter(folder, checkpoint), adapter);
    assert.deepEqual(readdirSync(folder).sort(), [CONFIG, WEIGHTS]);
  });

  it('has the names, shapes and settings that PEFT loads', () => {
    const tensors = new Map(readSafetensors(join(folder, WEIGHTS)).map((tensor) => [tensor.name, tensor]));
    assert.equal(tensors.size, 2 * 7 * 2);
    const q = 'base_model.model.model.layers.1.self_attn.q_proj';
    assert.deepEqual(tensors.get(`${q}.lora_A.weight`)?.shape, [4, 64]);
    assert.deepEqual(tensors.get(`${q}.lora_B.weight`)?.shape, [64, 4]);
    assert.deepEqual(tensors.get('base_model.model.model.layers.0.mlp.down_proj.lora_A.weight')?.shape, [4, 96]);
    assert.ok([...tensors.values()].every(({ dtype }) => dtype === 'F32'));
    const config = readJson(folder, CONFIG);
    assert.deepEqual(
      [config.peft_type, config.task_type, config.r, config.lora_alpha, config.lora_dropout, config.bias],
      ['LORA', 'CAUSAL_LM', 4, 8, 0.05, 'none'],
    );
    assert.deepEqual(config.target_modules, [
      ...['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
    ]);
    assert.equal(config.inference_mode, true);
    assert.equal(config.fan_in_fan_out, false);
  });

  it('says nothing of where it was made', () => {
    for (const name of readdirSync(folder)) {
      assert.ok(!readFileSync(join(folder, name), 'latin1').includes(dirname(checkpoint.folder)), name);
    }
  });

  it('adds (α/r) B A to the blocks that are left', async () => {
    const patches = new Map(adapterPatches(adapter).map(([key, patch]) => [keyText(key), patch]));
    assert.equal(patches.get('1.q'), undefined);
    const { 'q.A': a, 'q.B': b } = adapter.matrices.get(1)!;
    assert.deepEqual(patches.get('3.q'), { kind: 'add', product: { rank: adapter.rank, a, b, factor: 2 } });
    const matrices = [...adapter.matrices.values()].flatMap((named) => Object.values(named));
    assert.equal(patches.size, matrices.length / 2);
    await withWeights(checkpoint, (source) => {
      const overlay = new Overlay(source, adapterPatches(adapter));
      const numbers = matrices.reduce((sum, { length }) => sum + length, 0);
      assert.equal(overlay.bytesInGraph, 4 * numbers);
      assert.deepEqual(
        scaledB(overlay.lowRank({ layer: 3, name: 'q' })!.product),
        b.map((value) => 2 * value),
      );
      return Promise.resolve();
    });
  });

  it('fits the checkpoint that was pruned to its view, and no other', async () => {
    const parent = temporaryFolder();
    const pruned = async (blocks: number[]): Promise<Checkpoint> => {
      const { out } = await writePruned(checkpoint, blocks, join(parent, blocks.join()));
      return openCheckpoint(out);
    };
    const read = await readAdapter(folder, await pruned([1, 2]));
    assert.deepEqual(read, { ...adapter, removed: [] });
    await refuses(readAdapter(folder, await pruned([0, 2])), /here the blocks 0, 2 were removed from /, /itself/);
    await refuses(readAdapter(folder, await pruned([2])), /the blocks 2 were removed/);
    rmSync(join(parent, '1,2', 'coppice.json'));
    const unknown = await openCheckpoint(join(parent, '1,2'));
    await refuses(readAdapter(folder, unknown), /whose files differ/, /--other-base/);
    assert.deepEqual((await readAdapter(folder, unknown, { anyBase: true })).removed, []);
  });

  it('is refused by other models, unless they are the same in other files', async () => {
    const sharded = await openCheckpoint(tinyCheckpoint('llama-plain', { shards: 3 }));
    await refuses(readAdapter(folder, sharded), /whose files differ/, /--other-base/);
    assert.deepEqual(await readAdapter(folder, sharded, { anyBase: true }), adapter);
    const deeper = await openCheckpoint(tinyCheckpoint('llama-plain', { config: { num_hidden_layers: 6 } }));
    await refuses(readAdapter(folder, deeper, { anyBase: true }), /has 2 blocks; this checkpoint has 6/);
    const grouped = await openCheckpoint(tinyCheckpoint('llama-bias'));
    await refuses(readAdapter(folder, grouped, { anyBase: true }), /shape is \[64, 4\], it has to be \[32, 4\]/);
  });

  it('is written whole or not at all, beside a record, never over another', async () => {
    const parent = temporaryFolder();
    const record = newRecord({ kind: 'retrain', inputs: [], settings: { steps: 3 }, results: {}, started: new Date() });
    const out = await writeAdapter(join(parent, 'a'), adapter, checkpoint, record);
    assert.deepEqual((await readRecord(join(out, 'coppice.json'))).settings, { steps: 3 });
    await refuses(writeAdapter(out, adapter, checkpoint), /exists already/);
    await refuses(writeAdapter(join(checkpoint.folder, 'a'), adapter, checkpoint), /inside the source/);
    const broken = { ...adapter, matrices: new Map([[0, { 'q.A': Float32Array.of(1) }]]) };
    await assert.rejects(writeAdapter(join(parent, 'b'), broken, checkpoint), /has 1 numbers/);
    assert.deepEqual(readdirSync(parent), ['a']);
    assert.ok(!existsSync(join(checkpoint.folder, 'a')));
  });

  it('keeps to the blocks and Linears that it was given', async () => {
    const { matrices, ...rest } = randomAdapter(requireArchitecture(checkpoint), { targets: ['v', 'up'] });
    const some: Adapter = { ...rest, matrices: new Map([...matrices].filter(([block]) => block !== 2)) };
    const out = await writeAdapter(join(temporaryFolder(), 'a'), some, checkpoint);
    assert.deepEqual(readJson(out, CONFIG).layers_to_transform, [0, 1, 3]);
    assert.deepEqual(await readAdapter(out, checkpoint), some);
  });

  itShared('of a model with fused Linears has the modules of its file', async () => {
    const fused = await openCheckpoint(checkpointFolder('families2/phi3-partial'));
    const own = randomAdapter(requireArchitecture(fused), { removed: [3] });
    const out = await writeAdapter(join(temporaryFolder(), 'a'), own, fused);
    assert.deepEqual(await readAdapter(out, fused), own);
    assert.deepEqual(readJson(out, CONFIG).target_modules, ['qkv_proj', 'o_proj', 'gate_up_proj', 'down_proj']);
    const shapes = new Map(readSafetensors(join(out, WEIGHTS)).map(({ name, shape }) => [name, shape]));
    assert.equal(shapes.size, 6 * 4 * 2);
    // 6 heads of queries, 2 of keys and 2 of values, 16 wide each; 2 × 112 neurons
    const block = 'base_model.model.model.layers.5';
    assert.deepEqual(shapes.get(`${block}.self_attn.qkv_proj.lora_A.weight`), [4, 96]);
    assert.deepEqual(shapes.get(`${block}.self_attn.qkv_proj.lora_B.weight`), [160, 4]);
    assert.deepEqual(shapes.get(`${block}.mlp.gate_up_proj.lora_B.weight`), [224, 4]);
  });

  describe('of another tool', () => {
    /** A copy of the adapter without Coppice's note, with other fields and tensors. */
    async function foreign(
      fields: Json,
      change: (tensors: TestTensor[]) => TestTensor[] = (tensors) => tensors,
    ): Promise<string> {
      const copy = temporaryFolder();
      await saveAdapter(copy, { ...adapter, removed: [] }, await whole());
      writeFileSync(join(copy, CONFIG), JSON.stringify({ ...readJson(copy, CONFIG), ...fields }));
      writeSafetensors(join(copy, WEIGHTS), change(readSafetensors(join(copy, WEIGHTS))));
      return copy;
    }
    /** Two blocks, so that the adapter fits as it is. */
    const whole = (): Promise<Checkpoint> =>
      openCheckpoint(tinyCheckpoint('llama-plain', { config: { num_hidden_layers: 2 } }));

    it('is read as it is, in any weight type', async () => {
      const checkpoint = await whole();
      assert.equal(
        adapterDigest(await readAdapter(await foreign({}), checkpoint)),
        adapterDigest({ ...adapter, removed: [] }),
      );
      const halves = await foreign({}, (tensors) => tensors.map((tensor) => ({ ...tensor, dtype: 'BF16' })));
      const { matrices } = await readAdapter(halves, checkpoint);
      assert.ok(Math.abs(matrices.get(1)!['up.A'][5] / adapter.matrices.get(1)!['up.A'][5] - 1) < 2 ** -8);
    });

    it('has the factor α/√r with rank-stabilised LoRA', async () => {
      const { alpha, rank } = await readAdapter(await foreign({ use_rslora: true }), await whole());
      assert.equal(alpha / rank, 8 / Math.sqrt(4));
    });

    it('may name modules by their ends, all, or by a pattern', async () => {
      const checkpoint = await whole();
      const onlyQ = (tensors: TestTensor[]): TestTensor[] => tensors.filter(({ name }) => name.includes('q_proj'));
      for (const modules of [['self_attn.q_proj'], '.*q_proj', ['q_proj', 'query_key_value']]) {
        const { targets } = await readAdapter(await foreign({ target_modules: modules }, onlyQ), checkpoint);
        assert.deepEqual(targets, ['q']);
      }
      await refuses(
        readAdapter(await foreign({ target_modules: 'all-linear' }, onlyQ), checkpoint),
        /k_proj of block 0 is adapted/,
      );
    });

    it('is refused where it means something else than its matrices', async () => {
      const cases: [Json, RegExp][] = [
        [{ peft_type: 'IA3' }, /peft_type/],
        [{ task_type: 'SEQ_CLS' }, /task_type/],
        [{ use_dora: true }, /use_dora.*DoRA/],
        [{ rank_pattern: { q_proj: 2 } }, /rank_pattern/],
        [{ alpha_pattern: { q_proj: 2 } }, /alpha_pattern/],
        [{ modules_to_save: ['lm_head'] }, /modules_to_save/],
        [{ bias: 'all' }, /bias/],
        [{ fan_in_fan_out: true }, /fan_in_fan_out/],
        [
          {
            layer_replication: [
              [0, 2],
              [1, 2],
            ],
          },
          /layer_replication/,
        ],
        [{ init_lora_weights: 'pissa' }, /init_lora_weights/],
        [{ r: 0 }, /r is not valid/],
        [{ r: 1e9 }, /r is not valid/],
        [{ r: '8' }, /r is not valid/],
        [{ lora_alpha: 'x' }, /lora_alpha/],
        [{ lora_dropout: 1 }, /lora_dropout/],
        [{ target_modules: [1] }, /target_modules/],
        [{ layers_to_transform: ['a'] }, /layers_to_transform/],
        [{ r: 8 }, /says r = 8/],
      ];
      for (const [fields, why] of cases) await refuses(readAdapter(await foreign(fields), await whole()), why);
    });

    it('is refused where tensors are missing, unknown, of another shape, or no numbers', async () => {
      const cases: [(tensors: TestTensor[]) => TestTensor[], RegExp][] = [
        [(all) => all.slice(1), /is missing.*its other matrix is there/],
        [(all) => all.slice(2), /is missing.*q_proj of block 0 is adapted/],
        [() => [], /is missing/],
        [
          (all) => [...all, { ...all[0], name: 'base_model.model.lm_head.lora_A.weight' }],
          /lm_head.*not a LoRA matrix/,
        ],
        [(all) => [...all, { ...all[0], name: all[0].name.replace('lora_A', 'lora_magnitude_vector') }], /DoRA/],
        [(all) => [...all, { ...all[0], name: all[0].name.replace('layers.0', 'layers.7') }], /has 2 blocks/],
        [(all) => [{ ...all[0], shape: [...all[0].shape].reverse() }, ...all.slice(1)], /has to be \[4, 64\]/],
        [(all) => [{ ...all[0], values: all[0].values.map(() => NaN) }, ...all.slice(1)], /infinities or NaN/],
      ];
      for (const [change, why] of cases) await refuses(readAdapter(await foreign({}, change), await whole()), why);
    });

    it('is refused when files are missing, pickled or broken', async () => {
      const checkpoint = await whole();
      const empty = temporaryFolder();
      await refuses(readAdapter(empty, checkpoint), /No adapter to read/);
      await refuses(readAdapter(join(empty, 'nowhere'), checkpoint), /No adapter to read/);
      writeFileSync(join(empty, 'adapter_model.bin'), '');
      await refuses(readAdapter(empty, checkpoint), /pickle/);
      const noConfig = temporaryFolder();
      cpSync(join(folder, WEIGHTS), join(noConfig, WEIGHTS));
      await refuses(readAdapter(noConfig, checkpoint), /adapter_config\.json/);
      writeFileSync(join(noConfig, CONFIG), '{"r": 8');
      await refuses(readAdapter(noConfig, checkpoint), /adapter_config\.json is not valid/);
      const cut = await foreign({});
      writeFileSync(join(cut, WEIGHTS), readFileSync(join(cut, WEIGHTS)).subarray(0, 9000));
      await refuses(readAdapter(cut, checkpoint), /adapter_model\.safetensors/);
    });

    it('is refused with a note that cannot be', async () => {
      const copy = temporaryFolder();
      cpSync(folder, copy, { recursive: true });
      const tensors = readSafetensors(join(folder, WEIGHTS));
      const note = { name: 'x', identity: checkpoint.identity, blocks: 4, removed: [1, 2] };
      for (const bad of [
        '[',
        '[]',
        { ...note, blocks: -1 },
        { ...note, removed: [2, 1] },
        { ...note, removed: [4] },
        { ...note, identity: 1 },
      ]) {
        writeSafetensors(join(copy, WEIGHTS), tensors, {
          coppice: typeof bad === 'string' ? bad : JSON.stringify(bad),
        });
        await refuses(readAdapter(copy, checkpoint), /the note "coppice"/);
      }
      writeSafetensors(join(copy, WEIGHTS), tensors, { coppice: JSON.stringify(note) });
      assert.deepEqual((await readAdapter(copy, checkpoint)).removed, [1, 2]);
    });
  });
});

/** Fails unless the promise is rejected with a `UserError` whose message, why and action match. */
async function refuses(promise: Promise<unknown>, ...words: RegExp[]): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof UserError, String(error));
    for (const word of words) assert.match(`${error.what}\n${error.why}\n${error.action}`.replaceAll('\n', ' '), word);
    return true;
  });
}
