/** GGUF files of mixtures of experts: what llama.cpp continues with, what is read of them, and what is refused by name. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type Architecture } from '../../../src/engine/checkpoint/architecture';
import { readConfigArchitecture } from '../../../src/engine/checkpoint/config';
import { expertLinear } from '../../../src/engine/checkpoint/kinds/experts';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { spellingOf } from '../../../src/engine/checkpoint/gguf/spelling';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { UserError } from '../../../src/engine/errors';
import { openGguf } from '../../../src/engine/formats/gguf/file';
import { withWeights } from '../../../src/engine/weights/checkpoint';
import type { GgufOptions } from '../../../src/engine/write/gguf/write-gguf';
import { writePruned } from '../../../src/engine/write/write-pruned';
import { expertToy } from '../../support/expert-toys';
import { familyToy } from '../../support/family-toys';
import { checkpointFolder } from '../../support/golden';
import { checkLogits } from '../../support/golden-checks';
import { asGguf, assertContinues, logitsOf } from '../../support/golden-gguf';
import { itLlamaCpp } from '../../support/llamacpp';
import { describedModel, openToy } from '../../support/model';
import { describeShared, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

type Toy = 'qwen3moe-norm' | 'mixtral-top2' | 'olmoe-clip';

const toy = (name: Toy, config: Readonly<Record<string, unknown>> = {}): Promise<Checkpoint> =>
  openToy(familyToy(name, config, 'families3'));

const UNBOUNDED = { clip_qkv: null };
const F32: GgufOptions = { type: 'f32' };

/** What a file can say of a model. */
const comparable = ({ family, layers, hidden, vocabulary, rmsNormEps, tied }: Architecture): object => {
  return { family, layers, hidden, vocabulary, rmsNormEps, tied };
};

describeShared('write/gguf of mixtures of experts', () => {
  itLlamaCpp('llama.cpp continues prompts as transformers does, with all blocks and without some', async () => {
    const from = await openCheckpoint(shared('models/gguf-families3/qwen3moe-norm-without-2.gguf'));
    const cases = [
      { title: 'qwen3moe-norm without blocks 2, 4', file: await asGguf(await toy('qwen3moe-norm'), [2, 4], F32) },
      // Block 3 of this file is block 4 of the toy.
      { title: 'qwen3moe-norm without blocks 2, 4', file: await asGguf(from, [3], F32) },
      { title: 'mixtral-top2', file: await asGguf(await toy('mixtral-top2'), [], F32) },
      { title: 'mixtral-top2 without blocks 1, 3', file: await asGguf(await toy('mixtral-top2'), [1, 3], F32) },
      { title: 'olmoe-clip with clip_qkv null', file: await asGguf(await toy('olmoe-clip', UNBOUNDED), [], F32) },
    ];
    assertContinues(cases);
  });

  for (const [file, name, removed] of [
    ['mixtral-top2', 'families3/mixtral-top2', []],
    ['qwen3moe-norm-without-2', 'families3/qwen3moe-norm', [2]],
  ] as const) {
    describe(`${file}.gguf of llama.cpp's own writer`, () => {
      const model = describedModel(() => shared('models/gguf-families3', `${file}.gguf`));

      it('is the model that it was written from, also as its config.json says', async () => {
        const { checkpoint, architecture } = model();
        const described = readConfigArchitecture(checkpoint.config!);
        assert.ok(!('why' in described));
        assert.deepEqual(comparable(described), comparable(architecture));
        const original = await openCheckpoint(checkpointFolder(name));
        const { layers } = requireArchitecture(original);
        assert.deepEqual(
          architecture.layers,
          layers.filter((_, block) => !(removed as readonly number[]).includes(block)),
        );
        assert.deepEqual(await logitsOf(checkpoint, name), await logitsOf(original, name, removed));
      });

      if (removed.length === 0) it('has the golden logits', () => checkLogits(model(), name));

      it('is written as safetensors and as GGUF that compute the same', async () => {
        const { checkpoint } = model();
        const folder = join(temporaryFolder(), 'pruned');
        await writePruned(checkpoint, [1], folder);
        const expected = await logitsOf(checkpoint, name, [1]);
        assert.deepEqual(await logitsOf(await openCheckpoint(folder), name), expected);
        const again = await asGguf(checkpoint, [1]);
        assert.deepEqual(await logitsOf(await openCheckpoint(again), name), expected);
      });
    });
  }

  it('quantizes experts along their rows, leaves routers in float32, and gives attention beside eight more bits', async () => {
    const from = await openToy(expertToy());
    const file = await asGguf(from, [0], { type: 'q8_0' });
    const types = new Map((await openGguf(file)).tensors.map(({ name, dtype, shape }) => [name, [dtype, ...shape]]));
    assert.deepEqual(types.get('blk.0.ffn_gate_inp.weight'), ['F32', 3, 64]);
    assert.deepEqual(types.get('blk.0.ffn_down_exps.weight'), ['Q8_0', 3, 64, 32]);
    await withWeights(from, (original) =>
      openCheckpoint(file).then((checkpoint) =>
        withWeights(checkpoint, async (written) => {
          for (let expert = 0; expert < 3; expert++) {
            const name = expertLinear(expert, 'down');
            const expected = await original.read({ layer: 1, name });
            const rows = { start: 3, count: 17 };
            const found = await written.read({ layer: 0, name }, rows);
            const worst = Math.max(...found.map((value, i) => Math.abs(value - expected[3 * 32 + i])));
            assert.ok(worst > 0 && worst < 0.01, `expert ${expert} is off by ${worst}`);
          }
        }),
      ),
    );
    const eight = new Map(
      (
        await openGguf(await asGguf(await openToy(expertToy({ num_local_experts: 8 })), [], { type: 'q4_0' }))
      ).tensors.map(({ name, dtype }) => [name, dtype]),
    );
    const names = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_up_exps'];
    const dtypes = names.map((name) => eight.get(`blk.1.${name}.weight`));
    assert.deepEqual(dtypes, ['Q4_0', 'Q8_0', 'Q8_0', 'Q4_0', 'Q4_0']);
  });

  it('refuses by name what llama.cpp computes otherwise', async () => {
    const refused = async (name: Toy, config: object, why: RegExp): Promise<void> => {
      const { layers, ...architecture } = requireArchitecture(await toy(name, config as Record<string, unknown>));
      const dense = name === 'qwen3moe-norm' && !('mlp_only_layers' in config);
      const blocks = dense ? layers : layers.filter(({ ffn }) => ffn.kind === 'experts');
      assert.throws(
        () => spellingOf({ ...architecture, layers: blocks }),
        (error) => error instanceof UserError && why.test(error.why),
      );
    };
    await refused('qwen3moe-norm', {}, /block 2 has a dense FFN beside blocks with experts/);
    await refused('qwen3moe-norm', { norm_topk_prob: false, mlp_only_layers: [2] }, /norm_topk_prob is false/);
    await refused('olmoe-clip', {}, /clip_qkv/);
    await refused('olmoe-clip', { ...UNBOUNDED, norm_topk_prob: true }, /norm_topk_prob is true/);
    const grouped = requireArchitecture(await toy('olmoe-clip', UNBOUNDED));
    const layers = grouped.layers.map((layer) => ({ ...layer, mixer: { ...layer.mixer, kvHeads: 2 } }));
    assert.throws(() => spellingOf({ ...grouped, layers }), /4 query heads share 2/);
  });
});
