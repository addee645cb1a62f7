/** Measures the costs of a model or a view of it. */
import { measureWidthRates } from '../../engine/evaluate/grid/width-rates';
import type { WidthRates } from '../../engine/evaluate/grid/width-finding';
import { measure, type Measurement } from '../../engine/evaluate/measure';
import { openForComputing } from '../../engine/model/opened';
import { precisionForText } from '../../engine/model/text-precision';
import { removedJson } from '../../engine/model/view';
import type { Precision } from '../../engine/precision';
import { inPhases } from '../../engine/progress';
import { detailsOf } from '../../engine/records/details';
import type { OptionsFor } from '../kinds';
import { type JobContext, modelOptions, type RunEnd, secondsSince } from '../run';
import { layerSizes } from '../../engine/checkpoint/kinds/parts';

export interface BenchSummary extends Omit<Measurement, 'device'> {
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly repeats: number;
  readonly removed: readonly (number | string)[];
  /** Products by FFN width, if asked for. */
  readonly byWidth?: WidthRates;
  readonly device: string;
  readonly precision: Precision;
  readonly seconds: number;
}

export async function runBench(options: OptionsFor<'bench'>, context: JobContext): Promise<RunEnd<BenchSummary>> {
  const start = performance.now();
  const [measuring, multiplying] = inPhases(context.job, [{ share: 1 }, { share: options.byWidth ? 1 : 0 }]);
  const opened = await openForComputing(options.checkpoint, options, context.job);
  const { checkpoint, removed, view, changes, inputs } = opened;
  const openSeconds = secondsSince(start);
  const precision = await precisionForText(options.precision, [opened.architecture], options);
  const { promptTokens, newTokens, repeats, seed } = options;
  const measured = await measure(
    checkpoint,
    { ...modelOptions(options, context), precision, view, promptTokens, newTokens, repeats, seed, changes },
    measuring,
  );
  const { device, ...numbers } = measured;
  const { hidden, layers } = opened.architecture;
  const byWidth = options.byWidth
    ? await measureWidthRates(
        { hidden, ffn: layers.map((layer) => layerSizes(layer).ffn) },
        { provider: device.provider, threads: options.threads },
        multiplying,
      )
    : undefined;
  const settings = { promptTokens, newTokens, repeats, removed: removedJson(removed) };
  return {
    result: {
      ...numbers,
      loadSeconds: openSeconds + measured.loadSeconds,
      ...settings,
      ...(byWidth && { byWidth }),
      device: device.provider,
      precision,
      seconds: secondsSince(start),
    },
    run: detailsOf(checkpoint, options, {
      inputs,
      settings: { ...settings, ...(byWidth && { byWidth: true }) },
      seed,
      device,
      precision,
    }),
  };
}
