/** Whether a model was pruned by the very text that it is measured on: such a perplexity flatters. */
import { join } from 'node:path';
import type { Checkpoint } from '../checkpoint/types';
import { UserError } from '../errors';
import { readRecord, RECORD_NAME } from '../runs/record';

export const CALIBRATION_IS_EVALUATION =
  'this text also scored the blocks that were removed, so the perplexity flatters; measure on another text';

/** Whether the record inside a pruned checkpoint says that its blocks were scored with the text of this hash. */
export async function wasCalibratedWith(checkpoint: Checkpoint, sha256: string): Promise<boolean> {
  try {
    const { inputs } = await readRecord(join(checkpoint.folder, RECORD_NAME));
    return inputs.some((input) => input.role === 'calibration' && input.sha256 === sha256);
  } catch (error) {
    if (error instanceof UserError) return false; // most checkpoints have no such record
    throw error;
  }
}
