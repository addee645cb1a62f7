/**
 * A map that is kept with the workspace. Where windows share the storage, each reads what the others have changed before it
 * writes, so that none overwrites the entries of another. Does not use VS Code.
 */
import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../format/json';
import type { Memento } from './memento';

export class KeptMap<V> {
  private entries: ReadonlyMap<string, V>;

  /**
   * @param read an entry as this or another version stored it; undefined drops it
   * @param changed told of entries that another window has changed
   */
  constructor(
    private readonly store: Memento,
    private readonly key: string,
    private readonly read: (stored: unknown) => V | undefined,
    private readonly changed: (name: string) => void,
  ) {
    this.entries = this.stored();
    store.onChange?.((key) => key === this.key && this.follow());
  }

  get(name: string): V | undefined {
    return this.entries.get(name);
  }

  set(name: string, value: V): void {
    this.follow();
    this.write(new Map(this.entries).set(name, value));
  }

  /** @returns whether there was one */
  delete(name: string): boolean {
    this.follow();
    const left = new Map(this.entries);
    if (!left.delete(name)) return false;
    this.write(left);
    return true;
  }

  private write(entries: ReadonlyMap<string, V>): void {
    this.entries = entries;
    void this.store.update(this.key, Object.fromEntries(entries));
  }

  private follow(): void {
    if (!this.store.onChange) return;
    const before = this.entries;
    this.entries = this.stored();
    for (const name of new Set([...before.keys(), ...this.entries.keys()])) {
      if (!isDeepStrictEqual(before.get(name), this.entries.get(name))) this.changed(name);
    }
  }

  private stored(): Map<string, V> {
    const stored = this.store.get(this.key);
    if (!isObject(stored)) return new Map();
    return new Map(
      Object.entries(stored).flatMap(([name, value]): [string, V][] => {
        const read = this.read(value);
        return read === undefined ? [] : [[name, read]];
      }),
    );
  }
}
