/** Lines of the view that the user has hidden, kept with the workspace. Does not use VS Code. */
import type { Memento } from './memento';
import { Emitter } from '../sidecar/emitter';

const KEY = 'hiddenCheckpoints';

export class HiddenPaths {
  private paths: ReadonlySet<string>;
  private readonly changed = new Emitter<void>();
  readonly onChange = this.changed.on;

  constructor(private readonly store: Memento) {
    const stored = store.get(KEY);
    this.paths = new Set(
      Array.isArray(stored) ? stored.filter((path): path is string => typeof path === 'string') : [],
    );
  }

  has(path: string): boolean {
    return this.paths.has(path);
  }

  get size(): number {
    return this.paths.size;
  }

  hide(paths: Iterable<string>): void {
    this.set([...this.paths, ...paths]);
  }

  /** Shows these lines again; all lines when undefined. */
  show(paths?: readonly string[]): void {
    this.set(paths ? [...this.paths].filter((path) => !paths.includes(path)) : []);
  }

  private set(paths: readonly string[]): void {
    const next = new Set(paths);
    if (next.size === this.paths.size) return; // the set only grows or shrinks
    this.paths = next;
    void this.store.update(KEY, [...next]);
    this.changed.fire();
  }
}
