/** The graph of cached decoding: some steps of the model, each with its keys and values so far, and perhaps the head. */
import type { Architecture } from '../checkpoint/architecture';
import { outerWeights } from '../checkpoint/weight-names';
import type { Graph, Value } from '../onnx/graph';
import { fusedAttention, fusedHeadDim, rotate } from '../onnx/ops/attention';
import { linear } from '../onnx/ops/linear';
import { rmsNorm } from '../onnx/ops/norm';
import { lastRow, reshape } from '../onnx/ops/shapes';
import { block } from './block';
import { type AdaptedBlock, blockWeightBinder, projectAdapted, rotaryInputs } from './forward-graph';
import type { Bind } from './graph-weights';
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
 * (tokens, hidden), "cos" and "sin" (positions, headDim / 2), "lastPositions" (texts), "totalLength" (1), "offset" (1)
 * and each step's cache (texts, kvHeads, capacity, fusedHeadDim). Fetches what `caches` says and "y" (tokens, hidden), or with
 * `head` the "logits" (texts, vocabulary) of what follows each text.
 * @param adapted what a LoRA adapter adds to a block
 */
export function buildDecoder(
  g: Graph,
  a: Architecture,
  steps: readonly Step[],
  head: boolean,
  texts: number,
  caches: CacheResult,
  bind: Bind,
  adapted: (block: number) => AdaptedBlock | undefined,
): void {
  const tokens = texts === 1 ? 'tokens' : texts;
  const x = g.input('x', 'float32', [tokens, a.hidden]);
  const rotary = steps.some((s) => s.attention) ? rotaryInputs(g, a) : undefined;
  const lastPositions = rotary && g.input('lastPositions', 'int32', [texts]);
  const totalLength = rotary && g.input('totalLength', 'int32', [1]);
  const offset = rotary && g.input('offset', 'int64', [1]);
  let state = x;
  for (const step of steps) {
    const weight = blockWeightBinder(a, step.block, bind);
    state = block(g, state, a, step, {
      norm: (name) => weight(name)!,
      project: projectAdapted(g, weight, adapted(step.block)),
      attend: (...qkv) => {
        const names = cacheNames(step);
        const cache = [texts, a.kvHeads, 'capacity', fusedHeadDim(a.headDim)];
        const [keys, values] = names.past.map((n) => g.input(n, 'float32', cache));
        const [q, k, v] = qkv.map((t) => reshape(g, t, [texts, texts === 1 ? tokens : 1, t.shape[1]]));
        const shape = { heads: a.heads, kvHeads: a.kvHeads, headDim: a.headDim, window: a.slidingWindow[step.block] };
        const known = { keys, values, lastPositions: lastPositions!, totalLength: totalLength!, offset: offset! };
        // What is handed out is what the cache holds: keys that are rotated already.
        const isRotated = caches === 'new';
        const [query, key] = isRotated ? [q, k].map((t) => rotate(g, t, offset!, rotary!)) : [q, k];
        const attention = fusedAttention(g, [query, key, v], shape, isRotated ? undefined : rotary, known);
        const results = isRotated ? [key, v] : [attention.keys, attention.values];
        results.forEach((value, i) => g.output(names[caches][i], value));
        return reshape(g, attention.output, [tokens, a.heads * a.headDim]);
      },
    });
  }
  if (head) g.output('logits', logits(g, a, texts === 1 ? lastRow(g, state) : state, bind));
  else g.output('y', state);
}

function logits(g: Graph, a: Architecture, state: Value, bind: Bind): Value {
  const { finalNorm, head } = outerWeights(a);
  const normalised = rmsNorm(g, state, bind('finalNorm', finalNorm), a.rmsNormEps);
  return linear(g, normalised, bind('head', head));
}
