/**
 * Keeps opened checkpoints until their files change. If a file changes while it is being opened, callers that wait get
 * the result, but it is not kept. Does not use VS Code.
 */
import type { Checkpoint } from '../engine/checkpoint/types';

/** @typeParam T a checkpoint, or a description of another kind of file */
export class CheckpointCache<T = Checkpoint> {
  private readonly loading = new Map<string, Promise<T>>();
  private readonly loaded = new Map<string, T>();

  constructor(private readonly open: (path: string) => Promise<T>) {}

  /** Returns the checkpoint at `path`, and opens it if needed. @throws UserError when it cannot be opened */
  load(path: string): Promise<T> {
    let opening = this.loading.get(path);
    if (!opening) {
      opening = this.open(path);
      this.loading.set(path, opening);
      const isCurrent = (): boolean => this.loading.get(path) === opening;
      opening.then(
        (checkpoint) => isCurrent() && this.loaded.set(path, checkpoint),
        () => isCurrent() && this.loading.delete(path), // the file may exist the next time
      );
    }
    return opening;
  }

  /** The checkpoint at `path` if it is already open. */
  peek(path: string): T | undefined {
    return this.loaded.get(path);
  }

  /** Paths that are open or being opened. */
  get paths(): readonly string[] {
    return [...this.loading.keys()];
  }

  /** Forgets `path`, so that the next use opens it again. */
  forget(path: string): void {
    this.loading.delete(path);
    this.loaded.delete(path);
  }
}
