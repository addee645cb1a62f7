/**
 * Costs of running a model: load time, prefill and decode speed, time to the first token, memory and size, for a
 * checkpoint or any view of it. Speeds are those of one text, measured as a cell of the grid is (grid/timed-run.ts).
 */
import { longestText } from '../checkpoint/architecture';
import { peakRssBytes } from '../memory';
import { elements } from '../checkpoint/parameters';
import type { Checkpoint } from '../checkpoint/types';
import { blockOfTensor } from '../checkpoint/weight-names';
import { usedBytes } from '../checkpoint/reduction';
import { type UsedTensor, usedTensors } from '../checkpoint/used-tensors';
import { UserError } from '../errors';
import type { JobOptions } from '../progress';
import { type Model, type ModelOptions, openModel } from '../model/model';
import type { View } from '../model/view';
import { measureInTurns, type TurnSpeeds } from './measure-turns';

export interface MeasureOptions extends ModelOptions {
  readonly view: View;
  /** Length of the prompt. */
  readonly promptTokens: number;
  /** Tokens to decode after it. */
  readonly newTokens: number;
  /** Measured runs after one that warms up; medians are reported. */
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
  /** Of all runs. */
  readonly prefillRange: readonly [low: number, high: number];
  readonly decodeRange: readonly [low: number, high: number];
  /** Peak memory of this process so far. */
  readonly peakRssBytes: number;
  readonly device: Model['device'];
}

/**
 * Opens the model, writes a token to load it, warms up and measures `repeats` runs.
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
    requireContext(longestText(model.architecture), promptTokens + newTokens);
    let loadSeconds = NaN;
    const loaded = (): void => {
      loadSeconds = (performance.now() - start) / 1000;
    };
    job.onProgress?.({ label: 'loading', done: 0, total: repeats + 1, unit: 'runs' });
    const settings = { promptTokens, newTokens, repeats, seed };
    const [speeds] = await measureInTurns([{ model, view }], settings, job, loaded);
    return {
      ...sizeOfView(checkpoint, view),
      loadSeconds,
      ...speedFigures(speeds),
      peakRssBytes: peakRssBytes(),
      device: model.device,
    };
  } finally {
    await model.close();
  }
}

/** Speeds as results name them. */
export const speedFigures = ({ prefill, decode, timeToFirstToken }: TurnSpeeds) => ({
  prefillTokensPerSecond: prefill.median,
  decodeTokensPerSecond: decode.median,
  timeToFirstTokenSeconds: timeToFirstToken.median,
  prefillRange: [prefill.low, prefill.high] as const,
  decodeRange: [decode.low, decode.high] as const,
});

/** Parameters of a view, and the bytes of the files that it would be written to. Removing a module also removes its norm. */
export function sizeOfView(checkpoint: Checkpoint, view: View): { parameters: number; bytes: number } {
  const used = ({ name }: UsedTensor): boolean => {
    const at = blockOfTensor(name);
    if (at === undefined) return true;
    const ofFfn = /^(mlp|post_attention_layernorm)\./.test(at.rest);
    return (ofFfn ? view.ffn : view.attention)[at.block];
  };
  const tensors = usedTensors(checkpoint).filter(used);
  return {
    parameters: tensors.reduce((sum, { shape }) => sum + elements(shape), 0),
    bytes: usedBytes(checkpoint, used),
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
