/**
 * Granite 4 (IBM 2025): Granite 3's block with gate and up in one matrix, Mamba-2 in place of attention in most blocks, and experts
 * beside the FFN in some models.
 */
import type { LayerShape } from '../architecture';
import { badField, count, flag, isSet, show, word, type Config } from '../fields';
import { MAX_DIMENSION } from '../../formats/limits';
import type { FeedForward } from '../kinds';
import type { DenseFeedForward } from '../kinds/dense';
import { MAMBA_KIND } from '../kinds/mamba';
import { plainLayer } from '../kinds/plain';
import { readRope } from '../rope';
import type { Unsupported } from '../types';
import { attentionBiases, type CommonShape, type ModelFamily } from './family';
import { granite } from './granite';
import { expanded, MAMBA_READS, readMamba } from './mamba';
import { readExperts } from './moe';
import { stackedExperts } from './stacks';
import { decoderWeights } from './weights';

const EXPERTS = 'block_sparse_moe';

export const graniteHybrid: ModelFamily = {
  modelType: 'granitemoehybrid',
  className: 'GraniteMoeHybridForCausalLM',
  name: 'Granite 4',
  models: 'Granite 4.0: 350M, 1B, micro, and the h models, also tiny and small',
  special:
    'as Granite 3, with gate and up in one matrix; Mamba-2 in place of attention in most blocks of the h models, and experts beside the FFN in tiny and small',
  defaults: { context: 2048 },
  reads: [
    ...granite.reads!,
    ...['layer_types', 'layers_block_type', 'position_embedding_type', 'shared_intermediate_size'],
    ...['num_local_experts', 'num_experts_per_tok', 'output_router_logits'],
    ...MAMBA_READS,
  ],
  layers,
  style: granite.style,
  weights: decoderWeights({
    gateUp: 'shared_mlp.input_linear',
    down: 'shared_mlp.output_linear',
    router: `${EXPERTS}.router.layer`,
    'experts.#.gate': `${EXPERTS}.experts.#.gate_proj`,
    'experts.#.up': `${EXPERTS}.experts.#.up_proj`,
    'experts.#.down': `${EXPERTS}.experts.#.down_proj`,
  }),
  stacks: (architecture, layer) =>
    stackedExperts(EXPERTS, architecture, layer, { gateUp: 'input_linear.weight', down: 'output_linear.weight' }),
  alwaysStacked: true,
};

function layers(config: Config, common: CommonShape): readonly LayerShape[] | Unsupported {
  const attends = attendingBlocks(config, common.blocks);
  if ('why' in attends) return attends;
  const rope = word(config, 'position_embedding_type') === 'rope' ? readRope(config, common) : null;
  if (rope !== null && 'why' in rope) return rope;
  const { heads, kvHeads, headDim, hidden } = common;
  const width = count(config, 'shared_intermediate_size', MAX_DIMENSION.ffn, 1024);
  const biases = attentionBiases(config);
  const attention = plainLayer({
    ...{ heads, kvHeads, headDim, ffn: width, window: null, rope, biases, qkNorm: null, fused: false },
  }).mixer;
  const mamba = attends.every(Boolean)
    ? undefined
    : readMamba(config, {
        inner: expanded(config, hidden),
        biases: flag(config, 'mamba_proj_bias', false) ? MAMBA_KIND.linears : [],
        norm: 'afterGate',
      });
  const shared: DenseFeedForward = { kind: 'dense', width, biases: [], fused: true };
  const experts = readExperts(config, { usual: { count: 8, chosen: 8 }, width: common.ffn, alwaysNormed: true });
  const ffn: FeedForward = experts ? { ...experts, shared } : shared;
  return attends.map((isAttention) => ({ mixer: isAttention ? attention : mamba!, ffn }));
}

/** The words of transformers 4 and 5. */
const ATTENTION_WORDS: readonly unknown[] = ['attention', 'full_attention'];
const MAMBA_WORDS: readonly unknown[] = ['mamba', 'linear_attention'];

/** Whether each block attends. Where the config lists no kinds, none does. */
function attendingBlocks(config: Config, blocks: number): readonly boolean[] | Unsupported {
  const field = isSet(config, 'layer_types') ? 'layer_types' : 'layers_block_type';
  const types = config[field];
  if (!isSet(config, field)) return Array<boolean>(blocks).fill(false);
  if (!Array.isArray(types) || types.length !== blocks) {
    throw badField(field, `it does not list one kind for each of the ${blocks} blocks (num_hidden_layers)`);
  }
  const odd: unknown = types.find((type) => !ATTENTION_WORDS.includes(type) && !MAMBA_WORDS.includes(type));
  if (odd === undefined) return types.map((type) => ATTENTION_WORDS.includes(type));
  return { why: `its ${field} name ${show(odd)}`, action: 'Coppice computes attention and mamba.' };
}
