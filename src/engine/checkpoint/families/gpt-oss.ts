/** gpt-oss (OpenAI 2025): experts with a bounded SwiGLU, sinks in attention, a window in every other block, biases everywhere. */
import { count, isSet, type Config } from '../fields';
import { MAX_DIMENSION } from '../../formats/limits';
import { readRopeOf, readRope } from '../rope';
import { ATTENTION, layersWith, type ModelFamily, type PrunedFields } from './family';
import { EXPERT_READS, readExperts, withExperts } from './moe';
import { transposedExperts } from './stacks';
import { decoderWeights } from './weights';
import { layerTypes, slidingBlocks, slidingWindows } from './windows';
import { windowOf } from '../kinds/parts';

/** Where a config says nothing of the rotation. */
const YARN: Config = {
  rope_type: 'yarn',
  factor: 32,
  beta_fast: 32,
  beta_slow: 1,
  truncate: false,
  original_max_position_embeddings: 4096,
};
const THETA = 150_000;
const WINDOW = 128;

/** Constants of the experts' form (feed-forwards/experts.ts), which files may say. */
const FORM = { swiglu_limit: 7, swiglu_alpha: 1.702 } as const;

export const gptOss: ModelFamily = {
  modelType: 'gpt_oss',
  className: 'GptOssForCausalLM',
  name: 'gpt-oss',
  models: 'gpt-oss 20b and 120b',
  special: 'experts with a bounded SwiGLU and biases; sinks in attention; windows',
  defaults: { kvHeads: 8, headDim: 64, context: 131_072, eps: 1e-5 },
  reads: ['attention_bias', 'layer_types', 'experts_per_token', ...Object.keys(FORM), ...EXPERT_READS],
  layers: (config, common) => {
    if (config.attention_bias === false) return odd('attention_bias', 'attention without biases');
    for (const [field, value] of Object.entries(FORM)) {
      if (isSet(config, field) && config[field] !== value)
        return odd(field, `another number than ${value} in its experts`);
    }
    const width = count(config, 'sliding_window', MAX_DIMENSION.context, WINDOW);
    const sliding = slidingBlocks(config, common.blocks, (block) => block % 2 === 0);
    const isSaid = ['rope_scaling', 'rope_parameters'].some((field) => isSet(config, field));
    const rules = { theta: THETA };
    const rope = isSaid ? readRope(config, common, rules) : readRopeOf(YARN, config, common, rules);
    const layers = layersWith(
      slidingWindows(sliding, width),
      { config, common },
      { biases: ATTENTION, sinks: true },
      rope,
    );
    const usual = { count: 128, chosen: 4 };
    const experts = readExperts(config, { usual, width: common.ffn, alwaysNormed: true });
    return withExperts(layers, () => experts && { ...experts, biased: true, form: 'clamped' });
  },
  weights: decoderWeights({ router: 'mlp.router' }),
  stacks: (architecture, layer) => transposedExperts('mlp.experts', architecture, layer),
  alwaysStacked: true,
  packed: 'mxfp4',
  prunedConfig: (config, layers, kept): PrunedFields =>
    isSet(config, 'layer_types') ? {} : { layer_types: layerTypes(kept, (block) => windowOf(layers[block]) !== null) },
};

const odd = (field: string, what: string) => ({
  why: `its config asks for ${what} (\`${field}\`)`,
  action: 'The checkpoint can be inspected; computing with it would give wrong numbers.',
});
