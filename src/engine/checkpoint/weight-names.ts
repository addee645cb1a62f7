/**
 * Names and shapes of the weights. All supported families call them alike; a family differs in which optional ones it
 * has. Linear weights are stored (out, in).
 */
import type { Architecture, LinearName } from './architecture';

export interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The weights of one block; optional ones are undefined where the architecture has none. */
export interface BlockWeights {
  readonly inputNorm: Weight;
  readonly q: Weight;
  readonly k: Weight;
  readonly v: Weight;
  readonly o: Weight;
  readonly qBias?: Weight;
  readonly kBias?: Weight;
  readonly vBias?: Weight;
  readonly oBias?: Weight;
  readonly qNorm?: Weight;
  readonly kNorm?: Weight;
  readonly postNorm: Weight;
  readonly gate: Weight;
  readonly up: Weight;
  readonly down: Weight;
  readonly gateBias?: Weight;
  readonly upBias?: Weight;
  readonly downBias?: Weight;
}

/** The weights around the blocks; of a tied model `head` is `embed`. */
export interface OuterWeights {
  readonly embed: Weight;
  readonly finalNorm: Weight;
  readonly head: Weight;
}

const BLOCK_PREFIX = 'model.layers.';
export const EMBEDDING_NAME = 'model.embed_tokens.weight';
export const HEAD_NAME = 'lm_head.weight';

/** The weights of block `block` (0-based). */
export function blockWeights(a: Architecture, block: number): BlockWeights {
  const weight = (name: string, ...shape: number[]): Weight => ({ name: `${BLOCK_PREFIX}${block}.${name}`, shape });
  const { heads, kvHeads, headDim, ffn, biases, qkNorm } = a.layers[block];
  const queryWidth = heads * headDim;
  const keyWidth = kvHeads * headDim;
  const bias = (linear: LinearName, name: string, width: number) =>
    biases.includes(linear) && { [`${linear}Bias`]: weight(`${name}.bias`, width) };
  return {
    inputNorm: weight('input_layernorm.weight', a.hidden),
    q: weight('self_attn.q_proj.weight', queryWidth, a.hidden),
    k: weight('self_attn.k_proj.weight', keyWidth, a.hidden),
    v: weight('self_attn.v_proj.weight', keyWidth, a.hidden),
    o: weight('self_attn.o_proj.weight', a.hidden, queryWidth),
    ...bias('q', 'self_attn.q_proj', queryWidth),
    ...bias('k', 'self_attn.k_proj', keyWidth),
    ...bias('v', 'self_attn.v_proj', keyWidth),
    ...bias('o', 'self_attn.o_proj', a.hidden),
    ...(qkNorm && {
      qNorm: weight('self_attn.q_norm.weight', headDim),
      kNorm: weight('self_attn.k_norm.weight', headDim),
    }),
    postNorm: weight('post_attention_layernorm.weight', a.hidden),
    gate: weight('mlp.gate_proj.weight', ffn, a.hidden),
    up: weight('mlp.up_proj.weight', ffn, a.hidden),
    down: weight('mlp.down_proj.weight', a.hidden, ffn),
    ...bias('gate', 'mlp.gate_proj', ffn),
    ...bias('up', 'mlp.up_proj', ffn),
    ...bias('down', 'mlp.down_proj', a.hidden),
  };
}

export function outerWeights(a: Architecture): OuterWeights {
  const embed = { name: EMBEDDING_NAME, shape: [a.vocabulary, a.hidden] };
  return {
    embed,
    finalNorm: { name: 'model.norm.weight', shape: [a.hidden] },
    head: a.tied ? embed : { name: HEAD_NAME, shape: [a.vocabulary, a.hidden] },
  };
}

/** Every weight of the model once: embedding, blocks in order, final norm, and the head unless it is the embedding. */
export function* allWeights(a: Architecture): Generator<Weight> {
  const { embed, finalNorm, head } = outerWeights(a);
  yield embed;
  for (let block = 0; block < a.layers.length; block++) yield* Object.values(blockWeights(a, block)) as Weight[];
  yield finalNorm;
  if (head !== embed) yield head;
}

/** The block that a tensor belongs to and its name within the block; undefined for tensors outside the blocks. */
export function blockOfTensor(name: string): { readonly block: number; readonly rest: string } | undefined {
  const match = /^model\.layers\.(0|[1-9]\d{0,5})\.(.+)$/.exec(name);
  return match ? { block: Number(match[1]), rest: match[2] } : undefined;
}

/** The name of a block's tensor once the block stands at position `block`. */
export function blockTensorName(block: number, rest: string): string {
  return `${BLOCK_PREFIX}${block}.${rest}`;
}
