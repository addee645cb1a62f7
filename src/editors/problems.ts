/** Errors and notes of the engine as the editor lists them. */
import { DamagedFile } from '../engine/formats/damage';
import { UserError } from '../engine/errors';
import type { FileProblem } from '../protocol/editor';

export function problemOf(error: UserError): FileProblem {
  const { what, action } = error;
  const why = error.why.replace(/ \(at byte \d+\)$/, ''); // the place is shown on its own
  if (!(error instanceof DamagedFile)) return { severity: 'error', what, why, action };
  const { file, field, offset } = error;
  return { severity: 'error', what, why, action, file, field, ...(offset !== undefined && { offset }) };
}

/** An oddity that stops nothing. */
export const noteOf = (note: string): FileProblem => ({ severity: 'warning', what: note, why: '' });
