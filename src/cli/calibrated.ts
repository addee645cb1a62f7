/** The warning that a model was pruned by the very text that it is measured on: such a perplexity flatters. */
import { join } from 'node:path';
import type { Checkpoint } from '../engine/checkpoint/types';
import { UserError } from '../engine/errors';
import { readRecord, RECORD_NAME } from '../engine/runs/record';
import type { Shell } from './execute';

export const CALIBRATION_IS_EVALUATION =
  'this text also scored the blocks that were removed, so the perplexity flatters; measure on another text';

/** Warns when the record inside a pruned checkpoint says that its blocks were scored with the text of this hash. */
export async function warnIfCalibrated(checkpoint: Checkpoint, sha256: string, shell: Shell): Promise<void> {
  try {
    const { inputs } = await readRecord(join(checkpoint.folder, RECORD_NAME));
    if (inputs.some((input) => input.role === 'calibration' && input.sha256 === sha256)) {
      shell.warn(CALIBRATION_IS_EVALUATION);
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error; // most checkpoints have no such record
  }
}
