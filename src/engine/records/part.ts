/** Partial records: those of a part of a job (jobs/parts), which say nothing of the whole. */
import { isObject } from '../../format/json';
import { UserError } from '../errors';
import { command, option } from '../option-token';
import { recordKind } from './kinds';

/** Of the records of parts. */
export const PART_KIND = 'part';

/** "part 3 of 8 of a score"; undefined for anything but the record of a part. */
export function partWords(value: unknown): string | undefined {
  if (!isObject(value) || value.kind !== PART_KIND) return undefined;
  const { part } = isObject(value.results) ? value.results : {};
  if (!isObject(part)) return 'a part of a run';
  const { job, number, of } = part;
  const { whole: run = 'a run' } = typeof job === 'string' ? recordKind(job) : {};
  return typeof number === 'number' && typeof of === 'number'
    ? `part ${number} of ${of} of ${run}`
    : `a part of ${run}`;
}

/**
 * For readers that need a whole run.
 * @param what cannot be done: "part-3.json cannot be used as scores"
 * @throws UserError for the record of a part
 */
export function refusePart(value: unknown, what: string): void {
  const words = partWords(value);
  if (words === undefined) return;
  throw new UserError(
    what,
    `it is ${words}`,
    `Gather the parts first: \`${command('gather', 'PARTS', option('out', 'FILE'))}\`.`,
  );
}
