/** Where the parts of a run have their files in a folder that all share. */
import { join } from 'node:path';
import { progressFileOf } from './progress-file';

export const partsFolder = (folder: string): string => join(folder, 'parts');
export const partFile = (folder: string, number: number | string): string =>
  join(partsFolder(folder), `part-${number}.json`);
export const partProgressFile = (folder: string, number: number): string => progressFileOf(partFile(folder, number));
/** What parts that go on together leave for each other. */
export const stateFolder = (folder: string): string => join(folder, 'state');
