/** The graph of cached decoding: some steps of the model, each with its keys and values so far, and perhaps the head. */
import type { Architecture } from '../checkpoint/architecture';
import type { Graph, Value } from '../onnx/graph';
import { fusedAttention, fusedHeadDim, rotate, type RotaryTable } from '../onnx/ops/attention';
import { linear } from '../onnx/ops/linear';
import { rmsNorm } from '../onnx/ops/norm';
import { lastRow, reshape } from '../onnx/ops/shapes';
import { block } from './block';
import { type Bind, type Binding, blockBinder } from './binding';
import { rotaryInputs } from './forward-graph';
import { projectLayer } from './project';
import { rotaryNames } from './rotary';
import type { Step } from './view';

/**
 * What a run hands out of its keys and values: its own, (texts · length, kvHeads · headDim), or all that there are now, of the
 * feeds' shape.
 */
export type CacheResult = 'new' | 'present';

/** Names of a step's keys and values, in this order: among the feeds, and among the fetches. */
export function cacheNames(step: Step): Record<'past' | CacheResult, [string, string]> {
  const named = (which: string): [string, string] => [`${which}Keys${step.block}`, `${which}Values${step.block}`];
  return { past: named('past'), new: named('new'), present: named('present') };
}

/**
 * One text, a few new tokens at a time; or several texts of one length side by side, a new token each. Feeds "x"
 * (tokens, hidden), the rotation tables by `rotaryNames`, "lastPositions" (texts), "totalLength" (1), "offset" (1)
 * and each step's cache (texts, kvHeads, capacity, fusedHeadDim). Fetches what `caches` says and "y" (tokens, hidden), or with
 * `head` the "logits" (texts, vocabulary) of what follows each text.
 */
export function buildDecoder(
  g: Graph,
  a: Architecture,
  steps: readonly Step[],
  head: boolean,
  texts: number,
  caches: CacheResult,
  binding: Binding,
): void {
  const tokens = texts === 1 ? 'tokens' : texts;
  const x = g.input('x', 'float32', [tokens, a.hidden]);
  const attending = steps.filter((step) => step.attention);
  const tables = new Map<string, RotaryTable>();
  for (const step of attending) {
    const names = rotaryNames(a, step.block);
    if (!names || tables.has(names.cos)) continue;
    tables.set(names.cos, rotaryInputs(g, a.layers[step.block], names)!);
  }
  const isAttending = attending.length > 0;
  const lastPositions = isAttending ? g.input('lastPositions', 'int32', [texts]) : undefined;
  const totalLength = isAttending ? g.input('totalLength', 'int32', [1]) : undefined;
  const offset = isAttending ? g.input('offset', 'int64', [1]) : undefined;
  let state = x;
  for (const step of steps) {
    const weight = blockBinder(a, step.block, binding.weight);
    state = block(g, state, a, step, {
      norm: (name) => weight(name)!,
      project: projectLayer(g, step.block, weight, binding),
      attend: (...qkv) => {
        const names = cacheNames(step);
        const layer = a.layers[step.block];
        const rotary = tables.get(rotaryNames(a, step.block)?.cos ?? '');
        const cache = [texts, layer.kvHeads, 'capacity', fusedHeadDim(layer.headDim)];
        const [keys, values] = names.past.map((n) => g.input(n, 'float32', cache));
        const [q, k, v] = qkv.map((t) => reshape(g, t, [texts, texts === 1 ? tokens : 1, t.shape[1]]));
        const known = { keys, values, lastPositions: lastPositions!, totalLength: totalLength!, offset: offset! };
        // What is handed out is what the cache holds: keys that are rotated already.
        const isRotated = caches === 'new';
        const [query, key] = isRotated && rotary ? [q, k].map((t) => rotate(g, t, offset!, rotary)) : [q, k];
        const attention = fusedAttention(g, [query, key, v], layer, isRotated ? undefined : rotary, known);
        const results = isRotated ? [key, v] : [attention.keys, attention.values];
        results.forEach((value, i) => g.output(names[caches][i], value));
        return reshape(g, attention.output, [tokens, layer.heads * layer.headDim]);
      },
    });
  }
  if (head) g.output('logits', logits(g, a, texts === 1 ? lastRow(g, state) : state, binding.weight));
  else g.output('y', state);
}

function logits(g: Graph, a: Architecture, state: Value, bind: Bind): Value {
  const normalised = rmsNorm(g, state, bind('finalNorm'), a.rmsNormEps);
  return linear(g, normalised, bind('head'));
}
