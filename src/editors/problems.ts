/** Converts errors and notes of the engine into problems for the editor. */
import { DamagedFile } from '../engine/formats/damage';
import { UserError } from '../engine/errors';
import { shownText } from '../engine/option-token';
import type { FileProblem } from '../protocol/editor';

export function problemOf(error: UserError): FileProblem {
  const [what, action] = [shownText(error.what), shownText(error.action)];
  const why = shownText(error.why).replace(/ \(at byte \d+\)$/, ''); // the page shows the place separately
  if (!(error instanceof DamagedFile)) return { severity: 'error', what, why, action };
  const { file, field, offset } = error;
  return { severity: 'error', what, why, action, file, field, ...(offset !== undefined && { offset }) };
}

/** A warning about something unusual that does no harm. */
export const noteOf = (note: string): FileProblem => ({ severity: 'warning', what: note, why: '' });
