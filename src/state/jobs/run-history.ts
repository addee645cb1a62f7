/** The newest runs of the folders of records. Does not use VS Code. */
import { dirname } from 'node:path';
import type { RunStores, StoredRun } from '../../jobs/record-store';

/** Runs that the view lists until more are asked for, and how many more come at a time. */
export const RUNS_AT_FIRST = 30;

export interface NewestRuns {
  /** Newest first. */
  readonly runs: readonly StoredRun[];
  /** There are older ones. */
  readonly hasMore: boolean;
}

export class RunHistory {
  private opened: RunStores | undefined;

  /** Reads the newest runs; unchanged records are not read again, and older ones never. */
  async newest(folders: readonly string[], most: number): Promise<NewestRuns> {
    const stores = await this.stores();
    const lists = await Promise.all([...new Set(folders)].map((folder) => stores.of(folder).list(most + 1)));
    const all = lists.flatMap(({ runs }) => runs);
    const runs = all.sort((a, b) => b.digest.finished.localeCompare(a.digest.finished));
    return { runs: runs.slice(0, most), hasMore: runs.length > most };
  }

  /** What reads records is loaded with the first reading. */
  private async stores(): Promise<RunStores> {
    const { RunStores: Stores } = await import('../../jobs/record-store');
    return (this.opened ??= new Stores());
  }

  /** Deletes the records. @throws UserError */
  async remove(runs: readonly StoredRun[]): Promise<void> {
    const stores = await this.stores();
    for (const { id, file } of runs) await stores.of(dirname(file)).remove([id]);
  }
}
