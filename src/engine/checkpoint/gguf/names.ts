/** llama.cpp's names of the weights in a GGUF file. */
import { expertOf } from '../kinds/experts';
import type { ConvolutionWeight } from '../kinds/convolution';
import type { DeltaNetWeight } from '../kinds/delta-net';
import type { MambaWeight } from '../kinds/mamba';
import type { PlainWeightName } from '../kinds/plain';
import type { Architecture } from '../architecture';
import type { BlockWeightName, LayerWeightKey, OuterWeightName, WeightKey } from '../weight-key';

const GGUF_OUTER_NAMES: Readonly<Record<OuterWeightName, string>> = {
  embed: 'token_embd.weight',
  finalNorm: 'output_norm.weight',
  head: 'output.weight',
};

type NamedWeight =
  | Exclude<PlainWeightName, 'sinks'>
  | 'router'
  | Extract<ConvolutionWeight, 'convIn' | 'convKernel' | 'convOut'>
  | Exclude<DeltaNetWeight, `${string}Bias`>
  | Exclude<MambaWeight, `${'ssmIn' | 'ssmOut'}Bias`>;

export const GGUF_BLOCK_NAMES: Readonly<Record<NamedWeight, string>> = {
  inputNorm: 'attn_norm.weight',
  qkv: 'attn_qkv.weight',
  q: 'attn_q.weight',
  k: 'attn_k.weight',
  v: 'attn_v.weight',
  o: 'attn_output.weight',
  qkvBias: 'attn_qkv.bias',
  qBias: 'attn_q.bias',
  kBias: 'attn_k.bias',
  vBias: 'attn_v.bias',
  oBias: 'attn_output.bias',
  qNorm: 'attn_q_norm.weight',
  kNorm: 'attn_k_norm.weight',
  attentionOutNorm: 'post_attention_norm.weight',
  postNorm: 'ffn_norm.weight',
  // llama.cpp has gate and up on top of each other under the name of up.
  gateUp: 'ffn_up.weight',
  gate: 'ffn_gate.weight',
  up: 'ffn_up.weight',
  down: 'ffn_down.weight',
  gateUpBias: 'ffn_up.bias',
  gateBias: 'ffn_gate.bias',
  upBias: 'ffn_up.bias',
  downBias: 'ffn_down.bias',
  ffnOutNorm: 'post_ffw_norm.weight',
  router: 'ffn_gate_inp.weight',
  convIn: 'shortconv.in_proj.weight',
  convKernel: 'shortconv.conv.weight',
  convOut: 'shortconv.out_proj.weight',
  ssmIn: 'ssm_in.weight',
  ssmKernel: 'ssm_conv1d.weight',
  ssmKernelBias: 'ssm_conv1d.bias',
  ssmTime: 'ssm_dt.bias',
  ssmLog: 'ssm_a',
  ssmSkip: 'ssm_d',
  ssmNorm: 'ssm_norm.weight',
  ssmOut: 'ssm_out.weight',
  deltaQkv: 'attn_qkv.weight',
  deltaGate: 'attn_gate.weight',
  deltaBeta: 'ssm_beta.weight',
  deltaDecay: 'ssm_alpha.weight',
  deltaKernel: 'ssm_conv1d.weight',
  deltaTime: 'ssm_dt.bias',
  deltaLog: 'ssm_a',
  deltaNorm: 'ssm_norm.weight',
  deltaOut: 'ssm_out.weight',
};

/** The matrices of all experts of a block lie on top of each other in one tensor. */
const STACKS = { gate: 'ffn_gate_exps.weight', up: 'ffn_up_exps.weight', down: 'ffn_down_exps.weight' } as const;

/** Divisors of the rotation's frequencies, one for each pair. */
export const ROPE_FACTORS = 'rope_freqs.weight';

/** The same for long and for short contexts. */
export const ROPE_FACTORS_LONG = 'rope_factors_long.weight';
export const ROPE_FACTORS_SHORT = 'rope_factors_short.weight';
export const ALL_ROPE_FACTORS: readonly string[] = [ROPE_FACTORS, ROPE_FACTORS_LONG, ROPE_FACTORS_SHORT];

/** The rows of these weights are rotated. */
export const ROTATED: ReadonlySet<string> = new Set<BlockWeightName>(['q', 'k', 'qBias', 'kBias']);

/** Files have the sum of these and of what the family's norms add to them. */
export const NORMS: ReadonlySet<string> = new Set<BlockWeightName | OuterWeightName>([
  'inputNorm',
  'qNorm',
  'kNorm',
  'attentionOutNorm',
  'postNorm',
  'ffnOutNorm',
  'finalNorm',
]);

/** Names that a dialect has in place of the usual ones, without those of blocks. */
export type OwnNames = Readonly<Partial<Record<BlockWeightName | OuterWeightName, string>>>;

/** The name of the tensor with a weight, of a block at position `block` of the file. @param own names of the dialect */
export function ggufName(key: WeightKey, own: OwnNames = {}, block = typeof key === 'string' ? 0 : key.layer): string {
  if (typeof key === 'string') return own[key] ?? GGUF_OUTER_NAMES[key];
  const expert = expertOf(key.name);
  const usual = expert ? STACKS[expert.matrix] : GGUF_BLOCK_NAMES[key.name as NamedWeight];
  return `blk.${block}.${own[key.name] ?? usual}`;
}

/** What a tensor of a file holds: one weight, or a matrix of each expert of a block, on top of each other. */
export interface Held {
  readonly name: string;
  readonly keys: readonly WeightKey[];
  readonly isStack: boolean;
}

/**
 * The tensors that hold some weights, in the order of these.
 * @param own names of the dialect
 * @param block the position of the weights' block in the file; that of their layer when undefined
 */
export function heldBy(keys: Iterable<WeightKey>, own: OwnNames | undefined, block?: number): Held[] {
  const found = new Map<string, WeightKey[]>();
  for (const key of keys) {
    const name = ggufName(key, own, block);
    const others = found.get(name);
    if (others) others.push(key);
    else found.set(name, [key]);
  }
  return [...found].map(([name, held]) => ({ name, keys: held, isStack: isOfExpert(held[0]) }));
}

/** Whether a weight is one of many that lie in one tensor. */
export const isOfExpert = (key: WeightKey): boolean => typeof key !== 'string' && expertOf(key.name) !== undefined;

/** The shape of a tensor that holds weights of this shape. */
export function heldShape(
  { keys, isStack }: Held,
  shape: readonly number[],
  architecture: Pick<Architecture, 'layers'>,
): readonly number[] {
  if (isStack) return [keys.length, ...shape];
  if (isGrouped(keys[0])) {
    const { mixer } = architecture.layers[(keys[0] as LayerWeightKey).layer];
    return mixer.kind === 'mamba' ? [mixer.groups, shape[0] / mixer.groups] : shape;
  }
  if (isColumn(keys[0])) return [...shape, 1];
  return isKernel(keys[0]) ? [shape[0], ...shape.slice(2)] : shape;
}

/** Whether files have a vector as a matrix of one column. */
export const isColumn = (key: WeightKey): boolean => typeof key !== 'string' && COLUMNS.has(key.name);

/** Whether files have a vector as a matrix, with a row for each group of heads. */
export const isGrouped = (key: WeightKey): boolean => typeof key !== 'string' && key.name === 'ssmNorm';

const COLUMNS: ReadonlySet<string> = new Set<BlockWeightName>(['ssmLog', 'ssmSkip']);

/** Whether a weight is a convolution of channels by themselves: files leave out the axis of one channel. */
export const isKernel = (key: WeightKey): boolean => typeof key !== 'string' && key.name.endsWith('Kernel');
