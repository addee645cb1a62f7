/** Shapes of large models, as their published config.json has them. Weights are BF16. */
import { isUnsupported, readConfigArchitecture } from '../../src/engine/checkpoint/config';
import type { SizedModel } from '../../src/estimates/sweep-needs';
import { LLAMA_7B } from './synthetic';

const LLAMA_3_1 = {
  ...LLAMA_7B,
  num_key_value_heads: 8,
  max_position_embeddings: 131_072,
  rms_norm_eps: 1e-5,
  rope_theta: 500_000,
  vocab_size: 128_256,
  bos_token_id: 128_000,
  eos_token_id: 128_001,
};

const CONFIGS = {
  'LLaMA-7B': LLAMA_7B,
  'Llama 3.1 70B': {
    ...LLAMA_3_1,
    hidden_size: 8192,
    intermediate_size: 28_672,
    num_hidden_layers: 80,
    num_attention_heads: 64,
  },
  'Llama 3.1 405B': {
    ...LLAMA_3_1,
    hidden_size: 16_384,
    intermediate_size: 53_248,
    num_hidden_layers: 126,
    num_attention_heads: 128,
  },
};

/** By name, smallest first. */
export const bigModels = (): ReadonlyMap<keyof typeof CONFIGS, SizedModel> =>
  new Map(
    Object.entries(CONFIGS).map(([name, config]) => {
      const architecture = readConfigArchitecture(config);
      if (isUnsupported(architecture)) throw new Error(architecture.why);
      return [name as keyof typeof CONFIGS, { architecture, bytesPerWeight: 2 }];
    }),
  );
