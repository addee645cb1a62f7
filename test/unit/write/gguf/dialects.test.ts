/** Each of llama.cpp's architectures that Coppice knows: a model is written in it, read from the file, and is the same. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Architecture } from '../../../../src/engine/checkpoint/architecture';
import { readConfigArchitecture } from '../../../../src/engine/checkpoint/config';
import { DIALECTS, dialectNamed } from '../../../../src/engine/checkpoint/gguf/dialects';
import { oddField } from '../../../../src/engine/checkpoint/gguf/style';
import { GgufFields } from '../../../../src/engine/checkpoint/gguf/fields';
import { openCheckpoint } from '../../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../../src/engine/checkpoint/types';
import { weightKeys } from '../../../../src/engine/checkpoint/weight-key';
import { readTokenizerTexts } from '../../../../src/engine/tokenizer/files';
import { withWeights } from '../../../../src/engine/weights/checkpoint';
import { readWide } from '../../../../src/engine/weights/source';
import { writeGguf } from '../../../../src/engine/write/gguf/write-gguf';
import { expertToy } from '../../../support/expert-toys';
import { openToy } from '../../../support/model';
import { temporaryFolder } from '../../../support/temporary';
import { tinyCheckpoint, type TinyName } from '../../../support/tiny-models';
import { toyLayer } from '../../../support/tiny-tensors';

const unlike = [
  toyLayer({}),
  toyLayer({ num_attention_heads: 2, num_key_value_heads: 1, intermediate_size: 40 }),
  toyLayer({ num_attention_heads: 6, num_key_value_heads: 3, intermediate_size: 128 }),
  toyLayer({ intermediate_size: 24 }),
];

const longrope = {
  type: 'longrope',
  short_factor: [1, 1, 1, 1.25, 1.25, 1.5, 1.5, 2],
  long_factor: [1, 2, 3, 4, 5, 6, 7, 8],
};

const NO_EXPERTS = { num_local_experts: 0, num_experts_per_tok: undefined };

const GRANITE = {
  model_type: 'granitemoehybrid',
  ...{ embedding_multiplier: 1.5, residual_multiplier: 0.5, attention_multiplier: 0.25, logits_scaling: 2 },
  ...{ shared_intermediate_size: 40, mamba_n_heads: 16, mamba_d_head: 8, mamba_n_groups: 2, mamba_d_state: 4 },
};

/** Configs of such toys for dialects with experts or with other mixers than attention. */
const OTHERS: readonly (readonly [dialect: string, config: Readonly<Record<string, unknown>>])[] = [
  ['qwen3moe', { model_type: 'qwen3_moe', norm_topk_prob: true, moe_intermediate_size: 24 }],
  ['llama', { model_type: 'mixtral', sliding_window: null }],
  ['olmoe', { model_type: 'olmoe', num_key_value_heads: 4 }],
  [
    'lfm2',
    {
      ...{ model_type: 'lfm2', num_local_experts: undefined, num_experts_per_tok: undefined },
      ...{ layer_types: ['conv', 'full_attention'], block_auto_adjust_ff_dim: false },
    },
  ],
  [
    'qwen35',
    {
      ...{ model_type: 'qwen3_5_text', num_local_experts: undefined, num_experts_per_tok: undefined },
      ...{ head_dim: 16, layer_types: ['linear_attention', 'full_attention'] },
      ...{ linear_num_key_heads: 2, linear_num_value_heads: 6, linear_key_head_dim: 8, linear_value_head_dim: 8 },
    },
  ],
  [
    'falcon-h1',
    {
      ...{ model_type: 'falcon_h1', num_local_experts: undefined, num_experts_per_tok: undefined },
      ...{ mamba_d_ssm: 32, mamba_n_heads: 4, mamba_d_head: 8, mamba_n_groups: 2, mamba_d_state: 4 },
    },
  ],
  ['granitehybrid', { ...GRANITE, ...NO_EXPERTS, layer_types: ['mamba', 'attention'], intermediate_size: 40 }],
  ['granitehybrid', { ...GRANITE, layer_types: ['mamba', 'attention'] }],
  ['granitemoe', { ...GRANITE, layer_types: ['attention', 'attention'], position_embedding_type: 'rope' }],
];

/** A toy that has what is special in each dialect, and nothing that its files cannot say. */
const TOYS: Readonly<Record<string, readonly [name: TinyName, config?: Readonly<Record<string, unknown>>]>> = {
  llama: ['llama-linear-rope'],
  deci: ['ragged-plain', { toy_layers: unlike }],
  qwen2: ['qwen2-mixed-windows', { use_sliding_window: false }],
  qwen3: ['qwen3-qknorm'],
  gemma: ['gemma-tied'],
  gemma2: ['gemma2-softcap'],
  gemma3: ['gemma3-pattern'],
  phi3: ['phi3-longrope', { rope_scaling: longrope }],
  granite: ['granite-multipliers'],
  olmo2: ['olmo2-postnorm'],
  smollm3: ['smollm3-nope', { no_rope_layers: [1, 1, 1, 0], use_sliding_window: false }],
};

/** Float32 rounds what norms of 1 + w have. */
const ROUNDING = 2 ** -23;

function comparable({ family, layers, style, hidden, vocabulary, context, rmsNormEps, tied }: Architecture): object {
  return { family, layers, style, hidden, vocabulary, context, rmsNormEps, tied };
}

const shapesOf = ({ tensors }: Checkpoint): object =>
  Object.fromEntries([...tensors.values()].map(({ name, shape }) => [name, shape]));

function assertSameNumbers(from: Checkpoint, made: Checkpoint): Promise<void> {
  return withWeights(from, (source) =>
    withWeights(made, async (read) => {
      for (const key of weightKeys(from.architecture!)) {
        const [before, after] = await Promise.all([readWide(source, key), readWide(read, key)]);
        const odd = before.findIndex((value, i) => Math.abs(value - after[i]) > ROUNDING);
        assert.equal(odd, -1, `${JSON.stringify(key)}: ${before[odd]} became ${after[odd]}`);
      }
    }),
  );
}

describe('write/gguf: dialects', () => {
  it('have a toy each', () => {
    assert.deepEqual(
      DIALECTS.filter(({ experts, mixer }) => !experts && !mixer).map(({ name }) => name),
      Object.keys(TOYS),
    );
    assert.deepEqual(
      DIALECTS.filter(({ experts, mixer }) => experts ?? mixer).map(({ name }) => name),
      OTHERS.map(([dialect]) => dialect),
    );
  });

  const all = [
    ...Object.entries(TOYS).map(([dialect, [toy, config]]) => {
      const folder = (): string => tinyCheckpoint(toy, { tokenizer: true, ...(config && { config }) });
      return [dialect, dialect, folder] as const;
    }),
    ...OTHERS.map(([dialect, config]) => {
      const family = String(config.model_type);
      const title = `${family} as ${dialect}${config.num_local_experts === 0 ? ' without experts' : ''}`;
      return [title, dialect, () => expertToy(config)] as const;
    }),
  ];
  for (const [title, dialect, toy] of all) {
    it(`${title} writes a model, and reads the same one`, async () => {
      const folder = toy();
      const from = await openToy(folder);
      const file = join(temporaryFolder(), 'model.gguf');
      const { architecture } = await withWeights(from, (weights) => writeGguf(from, weights, file, { type: 'f32' }));
      assert.equal(architecture, dialect);
      const made = await openCheckpoint(file);
      assert.equal(made.unsupported, undefined);
      assert.deepEqual(comparable(made.architecture!), comparable(from.architecture!));
      if (dialect !== 'deci') {
        const described = readConfigArchitecture(made.config!);
        assert.ok(!('why' in described));
        assert.deepEqual(comparable(described), comparable(from.architecture!), 'its config.json');
      }
      assert.deepEqual(shapesOf(made), shapesOf(from));
      await assertSameNumbers(from, made);
      const texts = await readTokenizerTexts(file);
      assert.equal(texts.tokenizer, readFileSync(join(folder, 'tokenizer.json'), 'utf8'));
    });
  }

  it('refuse numbers of others that change what a block computes', () => {
    for (const { numbers = [] } of DIALECTS) {
      for (const { field } of numbers) {
        const entry = { key: `llama.${field}`, type: 'f32', value: 2, offset: 0, end: 0 } as const;
        const fields = new GgufFields(new Map([[entry.key, entry]]), 'model.gguf', 'llama');
        assert.match(oddField(dialectNamed('llama')!, fields, () => false) ?? '', /does not compute/, field);
      }
    }
  });
});
