/**
 * The texts that the removed blocks of a checkpoint were scored on, or that its weights were healed on, from the record
 * inside it. Perplexity on them is too good.
 */
import type { Checkpoint } from '../checkpoint/types';
import { recordAt } from './in-gguf';
import type { RunInput } from './record';

/** Includes the texts of its parents, because a checkpoint inherits them. Most checkpoints have none. */
export async function calibrationsOf(checkpoint: Checkpoint): Promise<RunInput[]> {
  const record = await recordAt(checkpoint.home);
  const fitted = record?.kind === 'heal' ? 'data' : undefined;
  const texts = record?.inputs.filter(({ role }) => role === 'calibration' || role === fitted) ?? [];
  return texts.map((input) => ({ ...input, role: 'calibration' }));
}
