/** The arithmetic of a job. */
import { PRECISION_CHOICES } from '../../engine/precision';
import { choice } from '../option';

/** @param help what `auto` does in this job */
export const precisionOption = (help: string) =>
  choice(PRECISION_CHOICES, help, { placeholder: 'name', default: 'auto', implied: true, recorded: true });
