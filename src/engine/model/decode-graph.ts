/** The graph of cached decoding: some steps of the model with their cached keys and values, and optionally the head. */
import type { Architecture } from '../checkpoint/architecture';
import type { Graph, Value } from '../onnx/graph';
import { fusedAttention, fusedHeadDim, rotate, type RotaryTable } from '../onnx/ops/attention';
import { rmsNorm } from '../onnx/ops/norm';
import { reshape, reshapeBy, shapeVector, takeRows } from '../onnx/ops/shapes';
import { block } from './block';
import { type Binding, blockBinder } from './binding';
import { rotaryInputs } from './forward-graph';
import { projectLayer } from './project';
import { rotaryNames } from './rotary';
import type { Step } from './view';

/**
 * The keys and values that a run returns: only the new ones, (texts · length, kvHeads · headDim), or all of them, in the
 * shape of the feeds.
 */
export type CacheResult = 'new' | 'present';

/** Names of a step's keys and values, in this order, among the feeds and the fetches. */
export function cacheNames(step: Step): Record<'past' | CacheResult, [string, string]> {
  const named = (which: string): [string, string] => [`${which}Keys${step.block}`, `${which}Values${step.block}`];
  return { past: named('past'), new: named('new'), present: named('present') };
}

/** What a decoding graph computes. */
export interface DecoderShape {
  readonly steps: readonly Step[];
  /** Whether the graph ends with the LM head. */
  readonly head: boolean;
  readonly caches: CacheResult;
}

/**
 * Builds cached decoding of some texts side by side, of any lengths. With a past and several new tokens it takes one
 * text only: a limit of the operator.
 *
 * Feeds "x" (tokens, hidden) with as many new tokens for each text, the rotation tables by `rotaryNames`, "positions"
 * (texts, length) of these tokens, "lastPositions" (texts), "totalLength" (1), and each step's cache (texts, kvHeads,
 * capacity, fusedHeadDim). Fetches what `caches` says and "y" (tokens, hidden), or with `head` the "logits" (texts,
 * vocabulary) after the tokens that "ends" (texts) numbers. A text with fewer new tokens than another is filled up behind
 * them, and its "lastPositions" leaves the filling out.
 */
export function buildDecoder(g: Graph, a: Architecture, shape: DecoderShape, binding: Binding): void {
  const { steps, head } = shape;
  const x = g.input('x', 'float32', ['tokens', a.hidden]);
  const attending = steps.filter((step) => step.attention);
  const past = attending.length > 0 ? pastInputs(g, a, attending) : undefined;
  let state = x;
  for (const step of steps) {
    const weight = blockBinder(a, step.block, binding.weight);
    state = block(g, state, a, step, {
      norm: (name) => weight(name)!,
      project: projectLayer(g, step.block, weight, binding),
      attend: (...qkv) => attendPast(g, a, step, { qkv, shape, past: past! }),
    });
  }
  if (head) g.output('logits', logits(g, a, takeRows(g, state, g.input('ends', 'int64', ['texts'])), binding));
  else g.output('y', state);
}

/** Inputs that all attending steps share. */
interface PastInputs {
  /** Rotation tables by the name of their cosines. */
  readonly tables: ReadonlyMap<string, RotaryTable>;
  readonly lastPositions: Value;
  readonly totalLength: Value;
  readonly positions: Value;
  /** The shape of a value with so many numbers for each token: (texts, length, n). */
  readonly perText: (width: number) => Value;
}

function pastInputs(g: Graph, a: Architecture, attending: readonly Step[]): PastInputs {
  const positions = g.input('positions', 'int64', ['texts', 'length']);
  const shapes = new Map<number, Value>();
  const perText = (width: number): Value => {
    const shape = shapes.get(width) ?? shapeVector(g, [-1, g.dimension('length'), width]);
    shapes.set(width, shape);
    return shape;
  };
  const tables = new Map<string, RotaryTable>();
  for (const step of attending) {
    const names = rotaryNames(a, step.block);
    if (!names || tables.has(names.cos)) continue;
    tables.set(names.cos, rotaryInputs(g, a.layers[step.block], names)!);
  }
  return {
    tables,
    lastPositions: g.input('lastPositions', 'int32', ['texts']),
    totalLength: g.input('totalLength', 'int32', [1]),
    positions,
    perText,
  };
}

/** Attention of a step's new tokens over its cache; the step's keys and values become outputs of the graph. */
function attendPast(
  g: Graph,
  a: Architecture,
  step: Step,
  { qkv, shape, past }: { readonly qkv: readonly Value[]; readonly shape: DecoderShape; readonly past: PastInputs },
): Value {
  const { caches } = shape;
  const { tables, lastPositions, totalLength, positions, perText } = past;
  const names = cacheNames(step);
  const layer = a.layers[step.block];
  const rotary = tables.get(rotaryNames(a, step.block)?.cos ?? '');
  const cache = ['texts', layer.kvHeads, 'capacity', fusedHeadDim(layer.headDim)];
  const [keys, values] = names.past.map((n) => g.input(n, 'float32', cache));
  const [q, k, v] = qkv.map((t) => reshapeBy(g, t, perText(Number(t.shape[1])), ['texts', 'length', t.shape[1]]));
  // The cache holds rotated keys, so new keys are rotated before they are handed out.
  const isRotated = caches === 'new';
  const [query, key] = isRotated && rotary ? [q, k].map((t) => rotate(g, t, positions, rotary)) : [q, k];
  const known = { keys, values, lastPositions, totalLength, positions };
  const attention = fusedAttention(g, [query, key, v], layer, isRotated ? undefined : rotary, known);
  const results = isRotated ? [key, v] : [attention.keys, attention.values];
  results.forEach((value, i) => g.output(names[caches][i], value));
  return reshape(g, attention.output, ['tokens', layer.heads * layer.headDim]);
}

function logits(g: Graph, a: Architecture, state: Value, binding: Binding): Value {
  const normalised = rmsNorm(g, state, binding.weight('finalNorm'), a.rmsNormEps);
  return binding.apply(normalised, [{ key: 'head' }])[0];
}
