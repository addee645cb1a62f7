/**
 * The texts that the removed blocks of a checkpoint were scored on, or that its weights were healed on, from the record
 * inside it. Perplexity on them is too good.
 */
import type { Checkpoint } from '../checkpoint/types';
import { recordAt } from './in-gguf';
import { recordKind } from './kinds';
import type { RunInput } from './record';

/** Includes the texts of its parents, because a checkpoint inherits them. Most checkpoints have none. */
export async function calibrationsOf(checkpoint: Checkpoint): Promise<RunInput[]> {
  const record = await recordAt(checkpoint.home);
  return record ? usedTexts(record).map((input) => ({ ...input, role: 'calibration' })) : [];
}

/** The texts that a run chose blocks or fitted weights with, of a record or of what it is shown as. */
export function usedTexts<T extends { readonly role: string }>({
  kind,
  inputs,
}: {
  readonly kind: string;
  readonly inputs: readonly T[];
}): T[] {
  return inputs.filter(({ role }) => role === 'calibration' || (role === 'data' && recordKind(kind).fits));
}
