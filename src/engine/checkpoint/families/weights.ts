/** Names and shapes of a model's weights. Most families use LLaMA's names. Linear weights are stored (out, in). */
import type { Architecture, LinearName } from '../architecture';
import type { BlockWeights, OuterWeights, Weight } from '../weight-names';

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
  attentionOutNorm: 'post_attention_layernorm',
  postNorm: 'post_attention_layernorm',
  gateUp: 'mlp.gate_up_proj',
  gate: 'mlp.gate_proj',
  up: 'mlp.up_proj',
  down: 'mlp.down_proj',
  ffnOutNorm: 'post_feedforward_layernorm',
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
  const { heads, kvHeads, headDim, ffn, biases, qkNorm, fused } = layers[layer];
  const queryWidth = heads * headDim;
  const keyWidth = kvHeads * headDim;
  const weight = (module: keyof ModuleNames, ...shape: number[]): Weight => {
    return { name: `model.layers.${layer}.${names[module]}.weight`, shape };
  };
  const bias = (linear: LinearName, width: number): object | false =>
    biases.includes(linear) && {
      [`${linear}Bias`]: { name: `model.layers.${layer}.${names[linear]}.bias`, shape: [width] },
    };
  const norm = (module: NormModule, where: 'before' | 'after'): object | false =>
    (style.norms === where || style.norms === 'both') && { [module]: weight(module, hidden) };
  const allHeads = qkNorm === 'width';
  return {
    ...norm('inputNorm', 'before'),
    ...(fused
      ? { qkv: weight('qkv', queryWidth + 2 * keyWidth, hidden) }
      : { q: weight('q', queryWidth, hidden), k: weight('k', keyWidth, hidden), v: weight('v', keyWidth, hidden) }),
    o: weight('o', hidden, queryWidth),
    ...bias('qkv', queryWidth + 2 * keyWidth),
    ...bias('q', queryWidth),
    ...bias('k', keyWidth),
    ...bias('v', keyWidth),
    ...bias('o', hidden),
    ...(qkNorm && {
      qNorm: weight('qNorm', allHeads ? queryWidth : headDim),
      kNorm: weight('kNorm', allHeads ? keyWidth : headDim),
    }),
    ...norm('attentionOutNorm', 'after'),
    ...norm('postNorm', 'before'),
    ...(fused
      ? { gateUp: weight('gateUp', 2 * ffn, hidden) }
      : { gate: weight('gate', ffn, hidden), up: weight('up', ffn, hidden) }),
    down: weight('down', hidden, ffn),
    ...bias('gateUp', 2 * ffn),
    ...bias('gate', ffn),
    ...bias('up', ffn),
    ...bias('down', hidden),
    ...norm('ffnOutNorm', 'after'),
  };
}

type NormModule = 'inputNorm' | 'attentionOutNorm' | 'postNorm' | 'ffnOutNorm';
