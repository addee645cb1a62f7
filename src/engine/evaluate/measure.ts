/**
 * Costs of running a model: load time, prefill and decode speed, time to the first token, memory and size. Measured
 * with `generate`, as in real use, for a checkpoint or any view of it.
 */
import { median } from '../median';
import { peakRssBytes } from '../memory';
import { elements } from '../checkpoint/parameters';
import type { Checkpoint } from '../checkpoint/types';
import type { TensorInfo } from '../formats/tensor';
import { blockOfTensor } from '../checkpoint/weight-names';
import { UserError } from '../errors';
import type { JobOptions } from '../progress';
import { Random } from '../random';
import { type Model, type ModelOptions, openModel } from '../model/model';
import type { View } from '../model/view';
import { generate } from './generate';

export interface MeasureOptions extends ModelOptions {
  readonly view: View;
  /** Length of the prompt. */
  readonly promptTokens: number;
  /** Tokens to decode after it. */
  readonly newTokens: number;
  /** Repetitions after the first, cold one; medians are reported. */
  readonly repeats: number;
  readonly seed: number;
}

export interface Measurement {
  /** Parameters and bytes of tensor data that the view uses; tied weights count once. */
  readonly parameters: number;
  readonly bytes: number;
  /** Seconds from the opened headers to the first token, with cold sessions and file system caches. */
  readonly loadSeconds: number;
  readonly prefillTokensPerSecond: number;
  readonly decodeTokensPerSecond: number;
  readonly timeToFirstTokenSeconds: number;
  /** Peak memory of this process so far. */
  readonly peakRssBytes: number;
  readonly device: Model['device'];
}

/**
 * Opens the model, generates once to load it and then `repeats` times to measure it.
 * @throws UserError when prompt and new tokens do not fit into the model's context
 */
export async function measure(
  checkpoint: Checkpoint,
  options: MeasureOptions,
  job: JobOptions = {},
): Promise<Measurement> {
  const { view, promptTokens, newTokens, repeats, seed } = options;
  const start = performance.now();
  const model = await openModel(checkpoint, options);
  try {
    requireContext(model.architecture.context, promptTokens + newTokens);
    const prompt = promptOf(model, promptTokens, seed);
    const quiet: JobOptions = { signal: job.signal };
    const report = (label: string, done: number): void =>
      job.onProgress?.({ label, done, total: repeats + 1, unit: 'runs' });

    report('loading', 0);
    await generate(model, prompt.slice(0, 1), { maxNewTokens: 1, greedy: true, ignoreEos: true, view }, quiet);
    const loadSeconds = (performance.now() - start) / 1000;

    const runs = [];
    for (let run = 0; run < repeats; run++) {
      report('measuring', run + 1);
      const settings = { maxNewTokens: newTokens, greedy: true, ignoreEos: true, view } as const;
      runs.push(await generate(model, prompt, settings, quiet));
    }
    report('measuring', repeats + 1);
    return {
      ...sizeOfView(checkpoint, view),
      loadSeconds,
      prefillTokensPerSecond: median(runs.map((run) => run.prefillTokensPerSecond)),
      decodeTokensPerSecond: median(runs.map((run) => run.decodeTokensPerSecond)),
      timeToFirstTokenSeconds: median(runs.map((run) => run.timeToFirstToken)),
      peakRssBytes: peakRssBytes(),
      device: model.device,
    };
  } finally {
    await model.close();
  }
}

/** Parameters and bytes of the tensors that a view uses. Removing a module also removes its norm. */
export function sizeOfView(checkpoint: Checkpoint, view: View): { parameters: number; bytes: number } {
  const used = (tensor: TensorInfo): boolean => {
    const at = blockOfTensor(tensor.name);
    if (at === undefined) return true;
    const ofFfn = /^(mlp|post_attention_layernorm)\./.test(at.rest);
    return (ofFfn ? view.ffn : view.attention)[at.block];
  };
  const tensors = [...checkpoint.tensors.values()].filter(used);
  return {
    parameters: tensors.reduce((sum, { shape }) => sum + elements(shape), 0),
    bytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function requireContext(context: number, wanted: number): void {
  if (wanted <= context) return;
  throw new UserError(
    'the measurement does not fit into the model',
    `prompt and new tokens are ${wanted} together, its context is ${context}`,
    'Use a shorter prompt or fewer new tokens.',
  );
}

/** Random ids: speed does not depend on the content of the text. */
export function promptOf({ architecture }: Model, tokens: number, seed: number): number[] {
  const random = new Random(seed);
  return Array.from({ length: tokens }, () => random.below(architecture.vocabulary));
}
