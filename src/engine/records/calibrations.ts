/** The texts that chose the removed blocks of a checkpoint, by the record inside it: perplexity on them flatters. */
import type { Checkpoint } from '../checkpoint/types';
import { recordIn, type RunInput } from './record';

/** Those of its parents are among them: what is made from a checkpoint inherits its texts. Most have none. */
export async function calibrationsOf(checkpoint: Checkpoint): Promise<RunInput[]> {
  const record = await recordIn(checkpoint.folder);
  return record?.inputs.filter(({ role }) => role === 'calibration') ?? [];
}
