/** Settings with the defaults that the command line has too: the paper's, where it has any. */
import type { CalibrationOptions } from '../../engine/importance/calibration';
import { DEFAULT_SEED } from '../../engine/importance/drawing';
import type { CalibrationSource } from '../../protocol/jobs';

/** How rows are drawn from a calibration text; the engine knows what is usual. */
export function calibrationSettings({
  samples,
  length,
  seed = DEFAULT_SEED,
}: Partial<CalibrationSource>): Pick<CalibrationOptions, 'samples' | 'length' | 'seed'> {
  return { samples, length, seed };
}
