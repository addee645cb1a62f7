/** Whether a model was pruned with the same text that it is measured on. Such a perplexity is too good. */
import type { Checkpoint } from '../checkpoint/types';
import { calibrationsOf } from '../records/calibrations';

export const CALIBRATION_IS_EVALUATION =
  'the removed blocks were scored on this text too, so the perplexity is too low; measure on another text';

/** Whether the record inside a pruned checkpoint says that its blocks were scored with the text of this hash. */
export async function wasCalibratedWith(checkpoint: Checkpoint, sha256: string): Promise<boolean> {
  return (await calibrationsOf(checkpoint)).some((input) => input.sha256 === sha256);
}
