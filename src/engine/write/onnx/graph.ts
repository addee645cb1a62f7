/**
 * The graph of a whole model with a cache, as programs around onnxruntime expect it. Names of inputs and outputs are those of
 * Hugging Face's exports, names of extents too: transformers.js makes the first, empty cache by them.
 */
import type { Architecture } from '../../checkpoint/architecture';
import type { AttentionMixer } from '../../checkpoint/kinds/attention';
import { attentionIn, attentionOf, carriedBy } from '../../checkpoint/kinds/parts';
import { weightOf } from '../../checkpoint/weight-key';
import type { Graph, Value } from '../../onnx/graph';
import { fusedAttention, fusedHeadDim, rotate, type RotaryTable } from '../../onnx/ops/attention';
import { cachedAttention } from '../../onnx/ops/cached-attention';
import { scale } from '../../onnx/ops/elementwise';
import { lastPositions, paddedMask, rotatedPositions } from '../../onnx/ops/padded';
import { cast, reshape } from '../../onnx/ops/shapes';
import { attentionShape, block } from '../../model/block';
import { noFlow } from '../../model/flow';
import { finalNorm, finishLogits } from '../../model/logits';
import { pairsOf, rotaryNames, rotaryTable } from '../../model/rotary';
import { carriedConvolution } from './carried';
import type { OnnxTarget } from './kinds';
import { bytesOf, type ModelWeights } from './constants';
import { positionsOf } from './positions';

const ROWS = 'batch_size';
const LENGTH = 'sequence_length';
const PAST = 'past_sequence_length';
const TOTAL = 'total_sequence_length';

export interface OnnxGraph {
  /** Of the kept blocks. */
  readonly architecture: Architecture;
  readonly target: OnnxTarget;
  readonly weights: ModelWeights;
  /** The type of the caches, and what attention multiplies in. */
  readonly products: 'float32' | 'float16';
}

/** The width of a head in the caches of a target. */
export const cacheWidth = ({ headDim }: Pick<AttentionMixer, 'headDim'>, target: OnnxTarget): number =>
  target === 'cpu' ? fusedHeadDim(headDim) : headDim;

/**
 * Builds the graph. Feeds "input_ids" (batch_size, sequence_length) int64, "attention_mask" (batch_size, total_sequence_length)
 * int64, which is 0 at padding, and for each block i "past_key_values.i.key" and ".value" (batch_size, kvHeads,
 * past_sequence_length, cacheWidth), or what carried.ts says. Fetches "logits" (batch_size, sequence_length, vocabulary) float32 and "present.i.key" and
 * ".value" with the new tokens appended.
 */
export function buildOnnx(g: Graph, model: OnnxGraph): void {
  const { architecture: a, weights } = model;
  const ids = g.input('input_ids', 'int64', [ROWS, LENGTH]);
  const mask = g.input('attention_mask', 'int64', [ROWS, TOTAL]);
  const caches = a.layers.map((layer, i) => attentionIn(layer) && cacheInputs(g, attentionOf(layer), i, model));
  const tables = new Map<string, RotaryTable>();
  const present: { name: string; value: Value }[] = [];
  const carried: typeof present = [];
  let state = scale(g, reshape(g, weights.embed(ids), ['tokens', a.hidden]), a.style.embedScale);
  a.layers.forEach((layer, index) => {
    const rotary = attentionIn(layer) && tableOf(a, index, weights, tables);
    const carry = (name: string, value: Value): void => void carried.push({ name, value });
    state = block(
      g,
      state,
      a,
      { block: index, attention: true, ffn: true },
      {
        weight: (name) => weights.vector({ layer: index, name }),
        project: (x, linears) =>
          linears.map((name) => {
            const bias = { layer: index, name: `${name}Bias` } as const;
            return weights.apply(x, { layer: index, name }, weightOf(a, bias) && weights.vector(bias));
          }),
        attend: (q, k, v, sinks) => {
          const qkv = [q, k, v] as const;
          const { output, ...news } = attend(g, model, { index, mask, rotary, sinks, cache: caches[index]! }, qkv);
          for (const [name, value] of [
            ['key', news.keys],
            ['value', news.values],
          ] as const) {
            present.push({ name: `present.${index}.${name}`, value });
          }
          return output;
        },
        flow: carriedBy(layer) ? carriedConvolution(g, index, { mask, length: LENGTH }, carry) : noFlow,
        picksTokens: true,
      },
    );
  });
  const logits = finishLogits(g, weights.apply(finalNorm(g, state, weights.vector('finalNorm'), a), 'head'), a);
  g.output('logits', reshape(g, logits, [ROWS, LENGTH, a.vocabulary]));
  // The fused operator gives them the shape of its inputs, whose extent is another.
  for (const { name, value } of present) g.output(name, { ...value, shape: value.shape.with(2, TOTAL) });
  for (const { name, value } of carried) g.output(name, value);
}

function cacheInputs(g: Graph, layer: AttentionMixer, index: number, { target, products }: OnnxGraph): [Value, Value] {
  const shape = [ROWS, layer.kvHeads, PAST, cacheWidth(layer, target)];
  const input = (name: string): Value => g.input(`past_key_values.${index}.${name}`, products, shape);
  return [input('key'), input('value')];
}

/** The rotation of a block, which equal blocks share; undefined for a block without rotation. */
function tableOf(
  a: Architecture,
  index: number,
  weights: ModelWeights,
  tables: Map<string, RotaryTable>,
): RotaryTable | undefined {
  const names = rotaryNames(a, index);
  const { rope, headDim } = attentionOf(a.layers[index]);
  if (!names || !rope) return undefined;
  let table = tables.get(names.cos);
  if (!table) {
    const rows = positionsOf(a);
    const read = ({ start, count }: { start: number; count: number }): Promise<Uint8Array[]> => {
      // All rows are those of one sequence, however many are read at a time.
      const { cos, sin } = rotaryTable(rope, headDim, count, { first: start, sequence: rows });
      return Promise.resolve([bytesOf(cos), bytesOf(sin)]);
    };
    const [cos, sin] = weights.tables({ name: 'the rotation', rows, width: pairsOf({ rope, headDim }), read }, [
      names.cos,
      names.sin,
    ]);
    tables.set(names.cos, (table = { cos, sin, headDim }));
  }
  return table;
}

interface Attending {
  readonly index: number;
  readonly mask: Value;
  readonly rotary: RotaryTable | undefined;
  readonly sinks: Value | undefined;
  readonly cache: readonly [Value, Value];
}

/** Attention of a block. (tokens, …) each → (tokens, heads · headDim), and the caches with the new tokens */
function attend(
  g: Graph,
  { architecture, target, products }: OnnxGraph,
  { index, mask, rotary, sinks, cache: [keys, values] }: Attending,
  qkv: readonly Value[],
): { output: Value; keys: Value; values: Value } {
  const layer = { ...attentionShape(architecture, index), sinks };
  const [q, k, v] = qkv.map((x) => reshape(g, x, [ROWS, LENGTH, x.shape[1]]));
  const flat = ({ output, ...caches }: ReturnType<typeof attend>): ReturnType<typeof attend> => ({
    output: reshape(g, output, ['tokens', layer.heads * layer.headDim]),
    ...caches,
  });
  if (target === 'webgpu') {
    const past = { keys, values, total: TOTAL, mask: paddedMask(g, mask, LENGTH, layer.window) };
    return flat(
      cachedAttention(g, [q, k, v], layer, rotary, { ...past, positions: rotatedPositions(g, mask, LENGTH) }),
    );
  }
  const past = {
    keys,
    values,
    lastPositions: lastPositions(g, mask),
    totalLength: cast(g, g.dimension(TOTAL), 'int32'),
    get positions(): Value {
      return rotatedPositions(g, mask, LENGTH); // made where it is read alone
    },
  };
  if (products === 'float32') return flat(fusedAttention(g, [q, k, v], layer, rotary, past));
  // Rotated in float32, because the operator would round the angles' sines to half precision.
  const [query, key] = rotary ? [q, k].map((x) => rotate(g, x, past.positions, rotary)) : [q, k];
  const half = [query, key, v].map((x) => cast(g, x, products)) as [Value, Value, Value];
  return flat(fusedAttention(g, half, layer, undefined, past));
}
