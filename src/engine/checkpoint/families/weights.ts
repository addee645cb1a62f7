/** Names and shapes of a model's weights. Most families use LLaMA's names. Linear weights are stored (out, in). */
import type { Architecture } from '../architecture';
import { feedForwardKind, mixerKind } from '../kinds';
import type { BlockNames, Weights } from '../kinds/kind';
import type { StreamNorm } from '../weight-key';
import type { BlockWeights, OuterWeights } from '../weight-names';

/** How a family finds its weights. */
export interface FamilyWeights {
  /** The weights of block `layer` (0-based). */
  readonly block: (architecture: Architecture, layer: number) => BlockWeights;
  readonly outer: (architecture: Architecture) => OuterWeights;
}

/** LLaMA's names of the modules in a block and around the blocks. */
const LLAMA_NAMES = {
  inputNorm: 'input_layernorm',
  qkv: 'self_attn.qkv_proj',
  q: 'self_attn.q_proj',
  k: 'self_attn.k_proj',
  v: 'self_attn.v_proj',
  o: 'self_attn.o_proj',
  qNorm: 'self_attn.q_norm',
  kNorm: 'self_attn.k_norm',
  convIn: 'conv.in_proj',
  convKernel: 'conv.conv',
  convOut: 'conv.out_proj',
  sinks: 'self_attn.sinks',
  ssmIn: 'mamba.in_proj',
  ssmKernel: 'mamba.conv1d',
  ssmTime: 'mamba.dt_bias',
  ssmLog: 'mamba.A_log',
  ssmSkip: 'mamba.D',
  ssmNorm: 'mamba.norm',
  ssmOut: 'mamba.out_proj',
  deltaQkv: 'linear_attn.in_proj_qkv',
  deltaGate: 'linear_attn.in_proj_z',
  deltaBeta: 'linear_attn.in_proj_b',
  deltaDecay: 'linear_attn.in_proj_a',
  deltaKernel: 'linear_attn.conv1d',
  deltaTime: 'linear_attn.dt_bias',
  deltaLog: 'linear_attn.A_log',
  deltaNorm: 'linear_attn.norm',
  deltaOut: 'linear_attn.out_proj',
  attentionOutNorm: 'post_attention_layernorm',
  postNorm: 'post_attention_layernorm',
  gateUp: 'mlp.gate_up_proj',
  gate: 'mlp.gate_proj',
  up: 'mlp.up_proj',
  down: 'mlp.down_proj',
  ffnOutNorm: 'post_feedforward_layernorm',
  router: 'mlp.gate',
  // # is the number of the expert.
  'experts.#.gate': 'mlp.experts.#.gate_proj',
  'experts.#.up': 'mlp.experts.#.up_proj',
  'experts.#.down': 'mlp.experts.#.down_proj',
  embed: 'model.embed_tokens',
  finalNorm: 'model.norm',
  head: 'lm_head',
} as const;

type ModuleNames = Readonly<Record<keyof typeof LLAMA_NAMES, string>>;

/** LLaMA's names, except `changes`. */
export function decoderWeights(changes: Partial<ModuleNames> = {}): FamilyWeights {
  const names: ModuleNames = { ...LLAMA_NAMES, ...changes };
  return {
    block: (architecture, layer) => blockWeights(names, architecture, layer),
    outer: ({ vocabulary, hidden, tied }) => {
      const embed = { name: `${names.embed}.weight`, shape: [vocabulary, hidden] };
      return {
        embed,
        finalNorm: { name: `${names.finalNorm}.weight`, shape: [hidden] },
        head: tied ? embed : { name: `${names.head}.weight`, shape: [vocabulary, hidden] },
      };
    },
  };
}

function blockWeights(names: ModuleNames, { layers, hidden, style }: Architecture, layer: number): BlockWeights {
  const { mixer, ffn } = layers[layer];
  const named = (module: string, end?: string): string => {
    const [expert = ''] = /\d+/.exec(module) ?? [];
    const name = names[module.replace(/\d+/, '#') as keyof ModuleNames];
    const own = `model.layers.${layer}.${name.replace('#', expert)}`;
    return end === undefined ? own : `${own}.${end}`;
  };
  const own: BlockNames = {
    hidden,
    style,
    weight: (module, ...shape) => ({ name: named(module, 'weight'), shape }),
    bias: (module, width) => ({ name: named(module, 'bias'), shape: [width] }),
    bare: (name, ...shape) => ({ name: named(name), shape }),
  };
  const norm = (module: StreamNorm, where: 'before' | 'after'): Weights =>
    style.norms === where || style.norms === 'both' ? { [module]: own.weight(module, hidden) } : {};
  return {
    mixer: {
      ...norm('inputNorm', 'before'),
      ...mixerKind(mixer).weights(mixer, own),
      ...norm('attentionOutNorm', 'after'),
    },
    ffn: {
      ...norm('postNorm', 'before'),
      ...feedForwardKind(ffn).weights(ffn, own),
      ...norm('ffnOutNorm', 'after'),
    },
  };
}
