/** Measures the costs of a model or a view of it. */
import { measure, type Measurement } from '../../engine/evaluate/measure';
import { openForComputing } from '../../engine/model/opened';
import { removedJson } from '../../engine/model/view';
import { detailsOf } from '../../engine/records/details';
import type { OptionsFor } from '../kinds';
import { type JobContext, modelOptions, type RunEnd, secondsSince } from '../run';

export interface BenchSummary extends Omit<Measurement, 'device'> {
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly repeats: number;
  readonly removed: readonly (number | string)[];
  readonly device: string;
  readonly seconds: number;
}

export async function runBench(options: OptionsFor<'bench'>, context: JobContext): Promise<RunEnd<BenchSummary>> {
  const start = performance.now();
  const { checkpoint, removed, view, changes, inputs } = await openForComputing(
    options.checkpoint,
    options,
    context.job,
  );
  const openSeconds = secondsSince(start);
  const { promptTokens, newTokens, repeats, seed } = options;
  const measured = await measure(
    checkpoint,
    { ...modelOptions(options, context), view, promptTokens, newTokens, repeats, seed, changes },
    context.job,
  );
  const { device, ...numbers } = measured;
  const settings = { promptTokens, newTokens, repeats, removed: removedJson(removed) };
  return {
    result: {
      ...numbers,
      loadSeconds: openSeconds + measured.loadSeconds,
      ...settings,
      device: device.provider,
      seconds: secondsSince(start),
    },
    run: detailsOf(checkpoint, options, { inputs, settings, seed, device }),
  };
}
