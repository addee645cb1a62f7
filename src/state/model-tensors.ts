/**
 * The tensors of a checkpoint in the order of the model: embedding, blocks with attention and FFN, final norm, head,
 * and other tensors. For unsupported families the names of the tensors decide.
 */
import { elements } from '../engine/checkpoint/parameters';
import type { Checkpoint } from '../engine/checkpoint/types';
import type { TensorInfo } from '../engine/formats/tensor';

export interface TensorGroup {
  readonly tensors: readonly TensorInfo[];
  readonly parameters: number;
  readonly bytes: number;
}

export interface BlockTensors extends TensorGroup {
  readonly index: number;
  /** Includes the norms before and behind it. */
  readonly attention: TensorGroup;
  /** Includes the norms before and behind it. */
  readonly ffn: TensorGroup;
  /** Tensors of the block that are neither. */
  readonly other: TensorGroup;
}

export interface ModelTensors {
  readonly embedding: TensorGroup;
  readonly blocks: readonly BlockTensors[];
  readonly norm: TensorGroup;
  /** Empty in a tied model, which uses the embedding as its head. */
  readonly head: TensorGroup;
  readonly other: TensorGroup;
}

/** Block numbers as in names of decoder models. No model has more than four digits of blocks. */
const IN_BLOCK = /(?:^|\.)(?:layers|layer|blocks|h|blk)\.(\d{1,4})\.(.+)$/;
const ATTENTION =
  /(^|\.)(self_attn|attn|attention|self_attention|linear_attn|mamba|conv|shortconv|ssm|input_layernorm|operator_norm|ln_1)(\.|_)/;
const FFN =
  /(^|\.)(mlp|shared_mlp|ffn|feed_forward|block_sparse_moe|pre_ff_layernorm|(pre|post)_feedforward_layernorm|post_ffw_norm|post_attention_layernorm|post_attention_norm|ln_2)(\.|_)/;
/** Matrices of experts: one for each, or all of a block in one. */
const EXPERTS = /(^|\.)(experts\.|block_sparse_moe\.(in|out)put_linear\.|ffn_(gate|up|down|gate_up)_exps\.)/;
/** Before the FFN in most families. On what attention adds to the stream in those that have a norm for the FFN's output too. */
const AFTER_ATTENTION = /(^|\.)post_attention_(layer)?norm\./;
const AFTER_FFN = /(^|\.)(post_feedforward_layernorm|post_ffw_norm)\./;
const EMBEDDING = /(^|\.)(embed_tokens|wte|wpe|word_embeddings|embed_in|tok_embeddings|token_embd)\.[^.]+$/;
const HEAD = /(^|\.)(lm_head|embed_out|output)\.[^.]+$/;
const NORM = /(^|\.)(norm|output_norm|ln_f|final_layer_norm|final_layernorm|embedding_norm|token_embd_norm)\.[^.]+$/;

const known = new WeakMap<Checkpoint, ModelTensors>();

/** Computed once per checkpoint. */
export function tensorsByPlace(checkpoint: Checkpoint): ModelTensors {
  let parts = known.get(checkpoint);
  if (!parts) known.set(checkpoint, (parts = groupTensors(checkpoint)));
  return parts;
}

function groupTensors({ tensors, others }: Pick<Checkpoint, 'tensors' | 'others'>): ModelTensors {
  const blocks = new Map<number, Record<'attention' | 'ffn' | 'other', TensorInfo[]>>();
  const outside = {
    embedding: [] as TensorInfo[],
    norm: [] as TensorInfo[],
    head: [] as TensorInfo[],
    other: [] as TensorInfo[],
  };
  const all = [...tensors.values()];
  const placeOf = placesIn(all);
  for (const tensor of all) {
    // A vision tower has blocks of its own.
    const place: TensorPlace = others?.has(tensor.name) ? { kind: 'other' } : placeOf(tensor);
    if (place.block === undefined) {
      outside[place.kind].push(tensor);
      continue;
    }
    const index = place.block;
    const block = blocks.get(index) ?? { attention: [], ffn: [], other: [] };
    blocks.set(index, block);
    block[place.kind].push(tensor);
  }
  return {
    embedding: groupOf(outside.embedding),
    blocks: [...blocks]
      .sort(([a], [b]) => a - b)
      .map(([index, { attention, ffn, other }]) => ({
        ...groupOf([...attention, ...ffn, ...other]),
        index,
        attention: groupOf(attention),
        ffn: groupOf(ffn),
        other: groupOf(other),
      })),
    norm: groupOf(outside.norm),
    head: groupOf(outside.head),
    other: groupOf(outside.other),
  };
}

/** Where a model's tensors belong, by their names, including names in GGUF files. One may decide what another is. */
export function placesIn(tensors: Iterable<Named>): (tensor: Named) => TensorPlace {
  const hasOutputNorms = [...tensors].some(({ name }) => AFTER_FFN.test(name));
  return ({ name }) => {
    const match = IN_BLOCK.exec(name);
    if (!match) return { kind: outsideKind(name) };
    const isOutputNorm = hasOutputNorms && AFTER_ATTENTION.test(match[2]);
    return { block: Number(match[1]), kind: isOutputNorm ? 'attention' : blockKind(match[2]) };
  };
}

interface Named {
  readonly name: string;
}

/** A tensor's name within its module: "experts.7.w1.weight" of model.layers.3.block_sparse_moe.experts.7.w1.weight. */
export function nameInModule(name: string): string {
  const inBlock = IN_BLOCK.exec(name)?.[2].split('.');
  if (!inBlock) return name.split('.').slice(-2).join('.');
  return (inBlock.length > 2 ? inBlock.slice(1) : inBlock).join('.');
}

export type TensorPlace =
  | { readonly block: number; readonly kind: 'attention' | 'ffn' | 'other' }
  | { readonly block?: undefined; readonly kind: 'embedding' | 'norm' | 'head' | 'other' };

function blockKind(rest: string): 'attention' | 'ffn' | 'other' {
  if (ATTENTION.test(rest)) return 'attention';
  return FFN.test(rest) ? 'ffn' : 'other';
}

function outsideKind(name: string): 'embedding' | 'norm' | 'head' | 'other' {
  if (EMBEDDING.test(name)) return 'embedding';
  if (HEAD.test(name)) return 'head';
  return NORM.test(name) ? 'norm' : 'other';
}

/** The experts among the tensors of an FFN; undefined if it has none. */
export function expertsOf({ tensors }: Pick<TensorGroup, 'tensors'>): TensorGroup | undefined {
  const found = tensors.filter(({ name }) => EXPERTS.test(name));
  return found.length === 0 ? undefined : groupOf(found);
}

function groupOf(tensors: readonly TensorInfo[]): TensorGroup {
  let parameters = 0;
  let bytes = 0;
  for (const tensor of tensors) {
    parameters += elements(tensor.shape);
    bytes += tensor.bytes;
  }
  return { tensors, parameters, bytes };
}
