/**
 * Granite 4 (IBM 2025). Its class holds dense models, hybrids and mixtures of experts; of these, the dense ones: Granite 3's block
 * with gate and up in one matrix.
 */
import type { LayerShape } from '../architecture';
import { badField, count, isSet, show, word, type Config } from '../fields';
import { MAX_DIMENSION } from '../../formats/limits';
import { plainLayer } from '../kinds/plain';
import { readRope } from '../rope';
import type { Unsupported } from '../types';
import { attentionBiases, type CommonShape, type ModelFamily } from './family';
import { granite } from './granite';
import { decoderWeights } from './weights';

export const graniteHybrid: ModelFamily = {
  modelType: 'granitemoehybrid',
  className: 'GraniteMoeHybridForCausalLM',
  name: 'Granite 4',
  models: 'Granite 4.0 micro, 1B and 350M, not the h models',
  special: 'as Granite 3, with gate and up in one matrix',
  defaults: { context: 2048 },
  reads: [
    ...granite.reads!,
    ...['layer_types', 'layers_block_type', 'position_embedding_type', 'shared_intermediate_size'],
    ...['num_local_experts', 'num_experts_per_tok', 'output_router_logits'],
    // Of blocks that the dense models do not have.
    ...['chunk_size', 'conv_bias', 'd_conv', 'd_head', 'd_state', 'expand', 'n_groups', 'n_heads', 'proj_bias'].map(
      (name) => `mamba_${name}`,
    ),
    'time_step_limit',
  ],
  layers,
  style: granite.style,
  weights: decoderWeights({ gateUp: 'shared_mlp.input_linear', down: 'shared_mlp.output_linear' }),
};

const ACTION = 'Coppice computes its dense models; the checkpoint can be inspected.';

function layers(config: Config, common: CommonShape): readonly LayerShape[] | Unsupported {
  const experts = config.num_local_experts ?? 8;
  if (experts !== 0) return { why: `it has experts (num_local_experts ${show(experts)})`, action: ACTION };
  const odd = otherBlock(config, common.blocks);
  if (odd) return odd;
  const rope = word(config, 'position_embedding_type') === 'rope' ? readRope(config, common) : null;
  if (rope !== null && 'why' in rope) return rope;
  const { heads, kvHeads, headDim } = common;
  const width = count(config, 'shared_intermediate_size', MAX_DIMENSION.ffn, 1024);
  const biases = attentionBiases(config);
  const attention = { heads, kvHeads, headDim, window: null, rope, biases, qkNorm: null, fused: false } as const;
  const layer: LayerShape = {
    mixer: plainLayer({ ...attention, ffn: width }).mixer,
    ffn: { kind: 'dense', width, biases: [], fused: true },
  };
  return Array.from({ length: common.blocks }, () => layer);
}

/** A kind of block that is not attention. Where the config lists none, its class makes all of them Mamba. */
function otherBlock(config: Config, blocks: number): Unsupported | undefined {
  const field = isSet(config, 'layer_types') ? 'layer_types' : 'layers_block_type';
  const types = config[field];
  if (!isSet(config, field))
    return { why: 'its config lists no kinds of blocks, so that all are Mamba', action: ACTION };
  if (!Array.isArray(types) || types.length !== blocks) {
    throw badField(field, `it does not list one kind for each of the ${blocks} blocks (num_hidden_layers)`);
  }
  const odd: unknown = types.find((type) => type !== 'attention' && type !== 'full_attention');
  return odd === undefined ? undefined : { why: `its ${field} name ${show(odd)}`, action: ACTION };
}
