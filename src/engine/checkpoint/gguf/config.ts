/** The config.json that transformers would have for the model of a GGUF file. */
import type { Architecture, Rope } from '../architecture';
import { familyOf } from '../families';
import { type GgufArchitecture, ggufModel } from './shapes';
import { longRopeMagnitude } from '../rope';
import type { Dialect } from './dialects/dialect';
import { yarnMagnitude } from './scaling';

const TYPES: Readonly<Record<string, string>> = { F16: 'float16', BF16: 'bfloat16' };

type Fields = Readonly<Record<string, unknown>>;

/**
 * Of the first block's shape: what differs from block to block, beyond what the family lists, is described when a checkpoint is
 * written.
 * @param stored the type of a matrix in the file
 */
export function configOf(model: Architecture, dialect: Dialect, stored: string | undefined): Fields {
  const architecture = ggufModel(model);
  const { family, layers, hidden, vocabulary, context, rmsNormEps, tied, bosTokenId, eosTokenIds } = architecture;
  const [{ heads, kvHeads, headDim, ffn }] = layers;
  const rope = globalRope(architecture);
  return {
    architectures: [familyOf(model).className],
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
    ...dialect.config?.(architecture, rope),
    bos_token_id: bosTokenId ?? null,
    eos_token_id: eosTokenIds.length === 1 ? eosTokenIds[0] : eosTokenIds.length > 1 ? eosTokenIds : null,
    torch_dtype: TYPES[stored ?? ''] ?? 'float32',
  };
}

/** Of the blocks without a window, where others turn otherwise. */
function globalRope({ layers }: GgufArchitecture): Rope | null {
  const rotated = layers.filter(({ rope }) => rope !== null);
  return (rotated.find(({ window }) => window === null) ?? rotated.at(0))?.rope ?? null;
}

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
      return {
        rope_type: 'yarn',
        factor,
        original_max_position_embeddings: originalContext,
        ...(magnitude !== yarnMagnitude(factor) && { attention_factor: magnitude }),
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
