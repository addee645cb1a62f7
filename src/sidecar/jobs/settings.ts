/** Settings with the defaults that the command line has too: the paper's, where it has any. */
import type { CalibrationOptions } from '../../engine/importance/calibration';
import { DEFAULT_SEED } from '../../engine/importance/drawing';
import type { CalibrationSource, SamplingChoice } from '../../protocol/jobs';

/** How rows are drawn from a calibration text; the engine knows what is usual. */
export function calibrationSettings({
  samples,
  length,
  seed = DEFAULT_SEED,
}: Partial<CalibrationSource>): Pick<CalibrationOptions, 'samples' | 'length' | 'seed'> {
  return { samples, length, seed };
}

/** Greedy unless one of the choices is made. */
export function samplingSettings({
  temperature,
  topK,
  topP,
  seed,
}: SamplingChoice):
  | { readonly greedy: true }
  | { readonly temperature: number; readonly topK?: number; readonly topP?: number; readonly seed: number } {
  if ([temperature, topK, topP, seed].every((value) => value === undefined)) return { greedy: true };
  return { temperature: temperature ?? 1, topK, topP, seed: seed ?? DEFAULT_SEED };
}

/** Tokens to write when nobody says how many. */
export const NEW_TOKENS = 64;
