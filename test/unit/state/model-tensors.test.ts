/** Which module a tensor is shown in, where families have norms behind modules and several Linears in one matrix. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inspectFile } from '../../../src/editors/inspection';
import { TensorTable } from '../../../src/editors/table';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { expertsOf, tensorsByPlace } from '../../../src/state/model-tensors';
import type { Entry } from '../../../src/state/library';
import { NamedPlans } from '../../../src/state/named-plans';
import type { PartNode } from '../../../src/state/nodes';
import { Offspring } from '../../../src/state/offspring';
import { attentionWords } from '../../../src/state/words/attention-words';
import { checkpointFolder, type FURTHER_FAMILIES } from '../../support/golden';
import { describeShared, shared } from '../../support/shared';

describeShared('the parts of mixtures and hybrids', () => {
  for (const [name, isOf] of [
    ['models/families3/qwen3moe-step', ({ name }) => name.includes('.experts.')],
    ['models/families3/mixtral-top2', ({ name }) => name.includes('.experts.')],
    ['models/families3/olmoe-clip', ({ name }) => name.includes('.experts.')],
    ['models/families3/gptoss-sinks', ({ name }) => name.includes('.experts.')],
    ['models/families3/granite4-hybrid', ({ name }) => /moe\.(in|out)put_linear/.test(name)],
    ['models/families3/granite4-dense', undefined],
    ['models/families3/lfm2-conv', undefined],
    ['models/families3/qwen35-text', undefined],
    ['models/families3/falconh1-parallel', undefined],
    ['models/gguf-families3/qwen3moe-norm-without-2.gguf', ({ name }) => name.includes('.experts.')],
    ['models/gguf-families3/qwen35-text.gguf', undefined],
    ['models/gguf-families3/lfm2-conv.gguf', undefined],
  ] as [string, ((tensor: Named) => boolean) | undefined][]) {
    it(`${name}: every tensor has its place, and experts are apart`, async () => {
      const parts = tensorsByPlace(await openCheckpoint(shared(name)));
      assert.ok(parts.blocks.length > 3);
      assert.deepEqual(parts.other.tensors, []);
      assert.equal(parts.norm.tensors.length, 1);
      const named = parts.blocks.flatMap(({ ffn }) => expertsOf(ffn)?.tensors ?? []);
      const expected = parts.blocks.flatMap(({ tensors }) => tensors.filter((each) => isOf?.(each)));
      assert.deepEqual(new Set(named), new Set(expected));
      assert.equal(isOf === undefined, named.length === 0);
      for (const { attention, ffn, other } of parts.blocks) {
        assert.deepEqual(other.tensors, []);
        assert.ok(attention.tensors.length > 1 && ffn.tensors.length > 1);
        assert.ok(ffn.tensors.some(({ name: each }) => each.includes('norm')));
      }
    });
  }
});

describeShared('the lines of a block with experts', () => {
  it('are one for all of them, below the router', async () => {
    const path = shared('models/families3/mixtral-top2');
    const checkpoint = await openCheckpoint(path);
    const offspring = new Offspring(
      { load: () => Promise.resolve(checkpoint) },
      new NamedPlans({ get: () => undefined, update: () => Promise.resolve() }),
    );
    const [block] = tensorsByPlace(checkpoint).blocks;
    const parent = { kind: 'checkpoint' as const, entry: { path } as Entry };
    const modules = offspring.ofBlock({ kind: 'block', block, parent, checkpoint });
    const ffn = modules.find((node) => node.kind === 'part' && node.name === 'ffn') as PartNode;
    const lines = offspring.ofPart(ffn);
    assert.deepEqual(
      lines.map((node) => (node.kind === 'tensor' ? node.tensor.name : node.kind === 'part' && node.name)),
      ['model.layers.0.block_sparse_moe.gate.weight', 'model.layers.0.post_attention_layernorm.weight', 'experts'],
    );
    const experts = lines.at(-1) as PartNode;
    assert.equal(experts.part.parameters, 3 * 8 * 56 * 28);
    assert.equal(offspring.ofPart(experts).length, 3 * 8);
  });
});

interface Named {
  readonly name: string;
}

describeShared('the parts of a checkpoint of a further family', () => {
  for (const [name, attention, ffn] of [
    [
      'phi3-partial',
      ['input_layernorm', 'o_proj', 'qkv_proj'],
      ['down_proj', 'gate_up_proj', 'post_attention_layernorm'],
    ],
    [
      'gemma2-softcap',
      ['input_layernorm', 'k_proj', 'o_proj', 'post_attention_layernorm', 'q_proj', 'v_proj'],
      ['down_proj', 'gate_proj', 'post_feedforward_layernorm', 'pre_feedforward_layernorm', 'up_proj'],
    ],
    [
      'olmo2-postnorm',
      ['k_norm', 'k_proj', 'o_proj', 'post_attention_layernorm', 'q_norm', 'q_proj', 'v_proj'],
      ['down_proj', 'gate_proj', 'post_feedforward_layernorm', 'up_proj'],
    ],
  ] as const) {
    it(`${name}: a norm is in the module that is left out with it`, async () => {
      const checkpoint = await openCheckpoint(checkpointFolder(`families2/${name}`));
      const modules = (tensors: readonly { readonly name: string }[]): string[] =>
        tensors.map((tensor) => tensor.name.split('.').at(-2)!).sort();
      const parts = tensorsByPlace(checkpoint);
      for (const block of parts.blocks) {
        assert.deepEqual([modules(block.attention.tensors), modules(block.ffn.tensors)], [attention, ffn]);
        assert.deepEqual(block.other.tensors, []);
      }
      assert.deepEqual(parts.other.tensors, []);
      const [file] = ['model.safetensors', 'model.safetensors.index.json'].filter((each) =>
        existsSync(join(checkpoint.folder, each)),
      );
      const {
        description: { strip, facts },
        rows,
      } = await inspectFile(join(checkpoint.folder, file));
      assert.equal(facts.find((fact) => fact.name === 'Can be pruned')?.value, 'Yes');
      const shown = new TensorTable(rows).page({ filter: 'block:1 part:attention' }, 0, 50).rows;
      assert.deepEqual(modules(shown), attention);
      const { parts: pieces } = strip.find(({ block }) => block === 1)!;
      assert.deepEqual(
        pieces.map(({ kind, bytes }) => [kind, bytes]),
        [
          ['attention', parts.blocks[1].attention.bytes],
          ['ffn', parts.blocks[1].ffn.bytes],
        ],
      );
    });
  }
});

describeShared('the attention of a block in words', () => {
  const wordsOf = async (name: (typeof FURTHER_FAMILIES)[number]): Promise<string[][]> =>
    requireArchitecture(await openCheckpoint(checkpointFolder(`families2/${name}`))).layers.map(attentionWords);

  it('says a window, and that there is no rotation, of the blocks that it is true of', async () => {
    const windows = await wordsOf('gemma2-softcap');
    assert.deepEqual(windows.slice(0, 3), [['Attends to the last 10 tokens'], [], ['Attends to the last 10 tokens']]);
    const rotations = await wordsOf('smollm3-nope');
    const still = rotations.flatMap((words, block) => (words.length > 0 ? [block] : []));
    assert.deepEqual(still, [3, 7]);
    assert.deepEqual(rotations[3], ['No rotary position embedding']);
  });
});
