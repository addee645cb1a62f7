/** The runs of folders of records, whole: digests lack the options. */
import { UserError } from '../../engine/errors';
import { readRecord } from '../../engine/records/record';
import { RunStore } from '../../jobs/record-store';
import type { SavedRun } from './runs';

/** Files that are no records are left out. */
export async function savedRuns(folders: readonly string[]): Promise<SavedRun[]> {
  const lists = await Promise.all(folders.map((folder) => new RunStore(folder).list()));
  const found: SavedRun[] = [];
  for (const { id, file } of lists.flatMap(({ runs }) => runs)) {
    try {
      found.push({ id, file, record: await readRecord(file) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error; // it was deleted or changed meanwhile
    }
  }
  return found;
}
