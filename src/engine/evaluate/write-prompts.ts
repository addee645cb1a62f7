/** Writes continuations of many prompts in batches. Each is the text that the model writes for its prompt alone. */
import { longestText } from '../checkpoint/architecture';
import { UserError } from '../errors';
import { Decoder } from '../model/decoder';
import type { Model } from '../model/model';
import { fullView, type View } from '../model/view';
import { keepsTensors } from '../onnx/session';
import { type JobOptions, Work } from '../progress';
import { Random } from '../random';
import { Batch, type BatchText } from './batch';
import { cacheBytes, DECODER } from './grid/memory';
import type { Sampling } from './sample';

export interface WriteOptions extends Sampling {
  readonly maxNewTokens: number;
  readonly greedy?: boolean;
  /** Every text begins with this seed, as it does alone. */
  readonly seed?: number;
  readonly ignoreEos?: boolean;
  /** The whole model when undefined. */
  readonly view?: View;
  /** Texts side by side at most; fewer where the caches would exceed the model's memory. */
  readonly together: number;
  /** Indices of prompts: only those of one bundle are side by side. All are one bundle when undefined. */
  readonly bundles?: readonly (readonly number[])[];
}

/**
 * @param prompts token ids with the special tokens at the start of a text
 * @param onTexts called with each finished batch: indices of prompts, and their texts
 * @throws UserError for a prompt that is empty or fills the context, CancelledError
 */
export async function writePrompts(
  model: Model,
  prompts: readonly (readonly number[])[],
  options: WriteOptions,
  onTexts: (prompts: readonly number[], texts: readonly BatchText[]) => void | Promise<void>,
  job: JobOptions = {},
): Promise<void> {
  prompts.forEach((prompt, i) => requireFit(prompt.length, longestText(model.architecture), i));
  const { maxNewTokens, greedy, seed = 0, ignoreEos } = options;
  const view = options.view ?? fullView(model.architecture.layers.length);
  const roomOf = (length: number): number => Math.min(longestText(model.architecture), length + maxNewTokens);
  const capacity = Math.max(...prompts.map(({ length }) => roomOf(length)));
  const decoder = await Decoder.open(model, view, capacity);
  const work = new Work(job, prompts.length * maxNewTokens, 'tokens', 'writing');
  try {
    for (const some of batchesOf(model, view, prompts, options)) {
      const openings = some.map((at) => ({
        promptIds: prompts[at],
        maxNewTokens,
        random: greedy ? undefined : new Random(seed),
      }));
      const batch = new Batch(model, decoder, openings, { ...options, ignoreEos });
      let written = 0;
      for (let step = await batch.next(job.signal); step > 0; step = await batch.next(job.signal)) {
        written += step;
        work.advance(step);
      }
      work.advance(some.length * maxNewTokens - written); // texts that ended early
      await onTexts(some, batch.results);
    }
  } finally {
    await decoder.close();
  }
}

/** Indices of prompts of similar length, longest first: the largest batch fails first if it fails. */
function batchesOf(
  model: Model,
  view: View,
  prompts: readonly (readonly number[])[],
  options: WriteOptions,
): number[][] {
  const { bundles = [[...prompts.keys()]] } = options;
  const batches = bundles.flatMap((bundle) => batchesIn(bundle, model, view, prompts, options));
  return batches.sort(([a], [b]) => prompts[b].length - prompts[a].length);
}

function batchesIn(
  bundle: readonly number[],
  model: Model,
  view: View,
  prompts: readonly (readonly number[])[],
  { together, maxNewTokens }: WriteOptions,
): number[][] {
  const order = [...bundle].sort((a, b) => prompts[b].length - prompts[a].length || a - b);
  const onDevice = keepsTensors(model.device.provider);
  const batches: number[][] = [];
  for (const at of order) {
    const last = batches.at(-1);
    const isEqual = last !== undefined && prompts[last[0]].length === prompts[at].length;
    if (last && last.length < roomFor(model, view, prompts[last[0]].length, maxNewTokens, together)) {
      if (isEqual || !onDevice) {
        last.push(at);
        continue;
      }
    }
    batches.push([at]);
  }
  return batches;
}

/** Texts whose caches fit into the model's memory; at least one. */
function roomFor(model: Model, view: View, promptTokens: number, newTokens: number, most: number): number {
  const cell = { batch: 1, promptTokens, newTokens };
  const bytes = DECODER.cacheFactor * cacheBytes(model.architecture, view, cell, DECODER);
  return Math.max(1, Math.min(most, Math.floor(model.memory / Math.max(1, bytes))));
}

function requireFit(tokens: number, context: number, prompt: number): void {
  if (tokens > 0 && tokens < context) return;
  throw new UserError(
    `Prompt ${prompt + 1} cannot be continued`,
    tokens === 0 ? 'it has no tokens' : `it has ${tokens} tokens, the model's context is ${context}`,
    tokens === 0 ? 'Leave it out.' : 'Shorten it.',
  );
}
