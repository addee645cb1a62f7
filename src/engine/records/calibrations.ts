/**
 * The texts that the removed blocks of a checkpoint were scored on, that its weights were healed on, or that its tokens were counted
 * in, from the record inside it. Perplexity on them is too good.
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

/** The role of texts whose tokens a vocabulary keeps. */
export const COUNTED = 'texts';

/** The texts that a run chose blocks or tokens or fitted weights with, of a record or of what it is shown as. */
export function usedTexts<T extends { readonly role: string }>({
  kind,
  inputs,
}: {
  readonly kind: string;
  readonly inputs: readonly T[];
}): T[] {
  const isUsed = (role: string): boolean =>
    role === 'calibration' || role === COUNTED || (role === 'data' && recordKind(kind).fits === true);
  return inputs.filter(({ role }) => isUsed(role));
}
