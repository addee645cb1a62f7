/**
 * Checkpoints opened once and kept until their files change. A file may change while it is being opened: what such an
 * opening gives is for those who wait for it, and is not kept. Knows nothing of VS Code.
 */
import type { Checkpoint } from '../engine/checkpoint/types';

/** Of checkpoints, or of what is known of other files. */
export class CheckpointCache<T = Checkpoint> {
  private readonly loading = new Map<string, Promise<T>>();
  private readonly loaded = new Map<string, T>();

  constructor(private readonly open: (path: string) => Promise<T>) {}

  /** The checkpoint at `path`, opened when it was not. @throws UserError for what cannot be opened */
  load(path: string): Promise<T> {
    let opening = this.loading.get(path);
    if (!opening) {
      opening = this.open(path);
      this.loading.set(path, opening);
      const isCurrent = (): boolean => this.loading.get(path) === opening;
      opening.then(
        (checkpoint) => isCurrent() && this.loaded.set(path, checkpoint),
        () => isCurrent() && this.loading.delete(path), // it may be there the next time
      );
    }
    return opening;
  }

  /** The checkpoint at `path` if it is open already. */
  peek(path: string): T | undefined {
    return this.loaded.get(path);
  }

  /** Paths of what is open or being opened. */
  get paths(): readonly string[] {
    return [...this.loading.keys()];
  }

  /** Opens `path` afresh when it is next needed. */
  forget(path: string): void {
    this.loading.delete(path);
    this.loaded.delete(path);
  }
}
