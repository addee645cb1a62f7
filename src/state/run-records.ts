/** What all runs of the workspace found, for the lines of the tree. Read when the view is shown and when a job has ended. */
import type { RunStores } from '../jobs/record-store';
import type { RunDigest } from '../protocol/panel';
import { Emitter, type Subscription } from '../sidecar/emitter';

export class RunRecords {
  private opened: RunStores | undefined;
  private found: readonly RunDigest[] = [];
  private readonly changed = new Emitter<void>();
  /** Fires when a reading has found something else than the one before. */
  readonly onChange: (listener: () => void) => Subscription = this.changed.on;
  /** Readings follow one another. */
  private last: Promise<void> = Promise.resolve();

  /** @param folders of records */
  constructor(private readonly folders: () => readonly string[]) {}

  /** Newest first; of the last reading. */
  get digests(): readonly RunDigest[] {
    return this.found;
  }

  /** Only new and changed records are read. @throws errors of the file system */
  read(): Promise<void> {
    const now = this.last.then(() => this.readAll());
    this.last = now.catch(() => undefined);
    return now;
  }

  /** What reads records is loaded with the first reading. */
  private async stores(): Promise<RunStores> {
    const { RunStores: Stores } = await import('../jobs/record-store');
    return (this.opened ??= new Stores());
  }

  private async readAll(): Promise<void> {
    const stores = await this.stores();
    const lists = await Promise.all(this.folders().map((folder) => stores.of(folder).list()));
    const runs = lists.flatMap(({ runs }) => runs.map(({ digest }) => digest));
    runs.sort((a, b) => b.started.localeCompare(a.started));
    const before = this.found;
    this.found = runs;
    const isSame = runs.length === before.length && runs.every((run, i) => run === before[i]);
    if (!isSame) this.changed.fire();
  }
}
