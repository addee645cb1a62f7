/** Which module a tensor is shown in, where families have norms behind modules and several Linears in one matrix. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inspectFile } from '../../../src/editors/inspection';
import { TensorTable } from '../../../src/editors/table';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { tensorsByPlace } from '../../../src/state/model-tensors';
import { attentionWords } from '../../../src/state/words/attention-words';
import { checkpointFolder, type FURTHER_FAMILIES } from '../../support/golden';
import { describeShared } from '../../support/shared';

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
