/** Storage that outlives a window: the part of VS Code's memento that code tested in plain Node uses. */
export interface Memento {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}
