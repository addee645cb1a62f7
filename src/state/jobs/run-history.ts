/** The newest runs of the folders of records. Does not use VS Code. */
import { dirname } from 'node:path';
import { RunStores, type StoredRun } from '../../jobs/record-store';

/** Runs that the view lists until more are asked for, and how many more come at a time. */
export const RUNS_AT_FIRST = 30;

export interface NewestRuns {
  /** Newest first. */
  readonly runs: readonly StoredRun[];
  /** There are older ones. */
  readonly hasMore: boolean;
}

export class RunHistory {
  private readonly stores = new RunStores();

  /** Reads the newest runs; unchanged records are not read again, and older ones never. */
  async newest(folders: readonly string[], most: number): Promise<NewestRuns> {
    const lists = await Promise.all([...new Set(folders)].map((folder) => this.stores.of(folder).list(most + 1)));
    const all = lists.flatMap(({ runs }) => runs);
    const runs = all.sort((a, b) => b.digest.finished.localeCompare(a.digest.finished));
    return { runs: runs.slice(0, most), hasMore: runs.length > most };
  }

  /** Deletes the records. @throws UserError */
  async remove(runs: readonly StoredRun[]): Promise<void> {
    for (const { id, file } of runs) await this.stores.of(dirname(file)).remove([id]);
  }
}
