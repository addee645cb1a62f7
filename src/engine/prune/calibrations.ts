/** The texts that chose the blocks which a checkpoint lacks, by the record inside it: perplexity on them flatters. */
import { join } from 'node:path';
import type { Checkpoint } from '../checkpoint/types';
import { UserError } from '../errors';
import { readRecord, RECORD_NAME, type RunInput } from '../runs/record';

/** Those of its parents are among them: what is made from a checkpoint inherits its texts. Most have none. */
export async function calibrationsOf(checkpoint: Checkpoint): Promise<RunInput[]> {
  try {
    const { inputs } = await readRecord(join(checkpoint.folder, RECORD_NAME));
    return inputs.filter(({ role }) => role === 'calibration');
  } catch (error) {
    if (error instanceof UserError) return []; // most checkpoints have no such record
    throw error;
  }
}
