/** The record inside a GGUF file that Coppice wrote: a text of its metadata, which other programs pass over. */
import { basename } from 'node:path';
import { UserError } from '../errors';
import { refuse } from '../formats/damage';
import { isGguf, openGguf } from '../formats/gguf/file';
import { parseRecord, recordIn, type RunRecord } from './record';

/** The key of the text. */
export const RECORD_KEY = 'coppice.record';

/**
 * The record of the run that made the file at `path`.
 * @returns undefined when there is no readable record, as in files of other programs
 */
export async function recordInGguf(path: string): Promise<RunRecord | undefined> {
  try {
    const { metadata } = await openGguf(path, refuse, (key) => key === RECORD_KEY);
    const text = metadata.get(RECORD_KEY)?.value;
    if (typeof text !== 'string') return undefined;
    return parseRecord(text, (why, cause) => {
      return new UserError(`The record in ${basename(path)} cannot be read`, why, 'Write the file again.', { cause });
    });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** The record of the run that made a model. @param place its folder, or its GGUF file */
export const recordAt = async (place: string): Promise<RunRecord | undefined> =>
  (await isGguf(place)) ? recordInGguf(place) : recordIn(place);
