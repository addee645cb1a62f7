/** The config.json that transformers would have for the model of a GGUF file. */
import type { Architecture, Rope } from '../architecture';
import { familyOf } from '../families';
import { longRopeMagnitude } from '../rope';

const TYPES: Readonly<Record<string, string>> = { F16: 'float16', BF16: 'bfloat16' };

type Fields = Readonly<Record<string, unknown>>;

/**
 * Of the first block's shape: what differs from block to block, beyond what the family lists, is described when a checkpoint is
 * written.
 * @param stored the type of a matrix in the file
 */
export function configOf(architecture: Architecture, stored: string | undefined): Fields {
  const { family, layers, hidden, vocabulary, context, rmsNormEps, tied, bosTokenId, eosTokenIds } = architecture;
  const [{ heads, kvHeads, headDim, ffn, biases }] = layers;
  const rope = globalRope(architecture);
  return {
    architectures: [familyOf(architecture).className],
    model_type: family,
    vocab_size: vocabulary,
    hidden_size: hidden,
    intermediate_size: ffn,
    num_hidden_layers: layers.length,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: headDim,
    hidden_act: 'silu',
    max_position_embeddings: context,
    rms_norm_eps: rmsNormEps,
    rope_theta: rope?.theta,
    rope_scaling: (rope && scalingConfig(rope, context)) ?? null,
    tie_word_embeddings: tied,
    ...(family === 'llama' && { attention_bias: biases.includes('o'), mlp_bias: biases.includes('down') }),
    ...(family === 'qwen3' && { attention_bias: biases.includes('q') }),
    ...(family.startsWith('qwen') && { use_sliding_window: false }),
    ...FAMILIES[family]?.(architecture, rope),
    bos_token_id: bosTokenId ?? null,
    eos_token_id: eosTokenIds.length === 1 ? eosTokenIds[0] : eosTokenIds.length > 1 ? eosTokenIds : null,
    torch_dtype: TYPES[stored ?? ''] ?? 'float32',
  };
}

/** Of the blocks without a window, where others turn otherwise. */
function globalRope({ layers }: Architecture): Rope | null {
  const rotated = layers.filter(({ rope }) => rope !== null);
  return (rotated.find(({ window }) => window === null) ?? rotated.at(0))?.rope ?? null;
}

const layerTypes = ({ layers }: Architecture): string[] =>
  layers.map(({ window }) => (window === null ? 'full_attention' : 'sliding_attention'));

const gemma = (): Fields => ({ hidden_act: 'gelu_pytorch_tanh', hidden_activation: 'gelu_pytorch_tanh' });

function windowed(architecture: Architecture): Fields {
  const { style, layers } = architecture;
  const window = layers.find((layer) => layer.window !== null)?.window ?? null;
  const query = (style.scoreScale ?? 1 / Math.sqrt(layers[0].headDim)) ** -2;
  const whole = Math.abs(query - Math.round(query)) < 1e-6 ? Math.round(query) : query;
  return {
    ...gemma(),
    query_pre_attn_scalar: whole,
    attn_logit_softcapping: style.scoreCap,
    final_logit_softcapping: style.logitCap,
    sliding_window: window,
    layer_types: layerTypes(architecture),
  };
}

/** What a family's config has beside the usual fields, or otherwise. */
const FAMILIES: Readonly<Record<string, (architecture: Architecture, rope: Rope | null) => Fields>> = {
  gemma,
  gemma2: windowed,
  gemma3_text: (architecture) => ({
    ...windowed(architecture),
    rope_local_base_freq: architecture.layers.find(({ window }) => window !== null)?.rope?.theta ?? 10_000,
  }),
  phi3: ({ layers: [{ headDim }], context }, rope) => ({
    partial_rotary_factor: (rope?.turned ?? headDim) / headDim,
    original_max_position_embeddings: rope?.scaling.kind === 'longrope' ? rope.scaling.originalContext : context,
    sliding_window: null,
  }),
  granite: ({ style, layers: [{ headDim, biases }] }) => ({
    embedding_multiplier: style.embedScale,
    residual_multiplier: style.residualScale,
    attention_multiplier: style.scoreScale ?? 1 / Math.sqrt(headDim),
    logits_scaling: 1 / style.logitScale,
    attention_bias: biases.includes('o'),
    mlp_bias: biases.includes('down'),
  }),
  olmo2: () => ({ attention_bias: false }),
  smollm3: ({ layers }) => ({
    no_rope_layers: layers.map(({ rope }) => (rope === null ? 0 : 1)),
    use_sliding_window: false,
    sliding_window: null,
  }),
};

function scalingConfig({ scaling }: Rope, context: number): Fields | undefined {
  switch (scaling.kind) {
    case 'default':
      return undefined;
    case 'linear':
      return { rope_type: 'linear', factor: scaling.factor };
    case 'llama3':
      return {
        rope_type: 'llama3',
        factor: scaling.factor,
        low_freq_factor: scaling.lowFreqFactor,
        high_freq_factor: scaling.highFreqFactor,
        original_max_position_embeddings: scaling.originalContext,
      };
    case 'yarn': {
      const { factor, originalContext, magnitude } = scaling;
      const usual = factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1;
      return {
        rope_type: 'yarn',
        factor,
        original_max_position_embeddings: originalContext,
        ...(magnitude !== usual && { attention_factor: magnitude }),
      };
    }
    case 'longrope':
      return {
        rope_type: 'longrope',
        original_max_position_embeddings: scaling.originalContext,
        short_factor: scaling.short,
        long_factor: scaling.long,
        ...(scaling.magnitude !== longRopeMagnitude(context / scaling.originalContext, scaling.originalContext) && {
          attention_factor: scaling.magnitude,
        }),
      };
    case 'factors':
    case 'dynamic':
      // No config says the first, and no GGUF file the second.
      return { rope_type: scaling.kind };
  }
}
