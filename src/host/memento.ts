/** What keeps values beyond the life of a window: VS Code's memento, as far as code that plain Node tests needs it. */
export interface Memento {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}
