/** Storage that outlives a window: the part of VS Code's memento that code tested in plain Node uses. */
import type { Subscription } from '../sidecar/emitter';

export interface Memento {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
  /** Fires with a key that another window has changed. Absent where each window has a storage of its own. */
  readonly onChange?: (listener: (key: string) => void) => Subscription;
}
