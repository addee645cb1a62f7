/**
 * What the windows of a workspace share: one small JSON file a key in a folder that all of them know. VS Code's own
 * `workspaceState` is read once a window, so that no window sees what another one writes. Does not use VS Code.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../engine/errors';
import { temporaryName } from '../engine/files/partial';
import { Emitter } from '../sidecar/emitter';
import type { Memento } from '../state/memento';
import { watchFolder } from './watch-folder';

export class SharedStore implements Memento {
  private readonly changed = new Emitter<string>();
  readonly onChange = this.changed.on;
  /** The text of each key that was asked for, as this window knows it. */
  private readonly known = new Map<string, string | undefined>();
  private readonly watching;

  /**
   * @param before where an earlier version, or a window that could not write, kept the same
   * @param failed told when a file cannot be written
   */
  constructor(
    private readonly folder: string,
    private readonly before: Memento,
    private readonly failed: (why: string) => void = () => undefined,
  ) {
    this.watching = watchFolder(folder, () => this.look());
  }

  get(key: string): unknown {
    const text = this.textOf(key);
    this.known.set(key, text);
    return valueOf(text) ?? this.before.get(key);
  }

  /** Writes it at once, and never a part of it. */
  update(key: string, value: unknown): Promise<void> {
    const text = JSON.stringify(value ?? null);
    const temporary = join(this.folder, temporaryName(key));
    try {
      mkdirSync(this.folder, { recursive: true });
      writeFileSync(temporary, text);
      renameSync(temporary, this.fileOf(key));
      this.known.set(key, text);
    } catch (error) {
      rmSync(temporary, { force: true });
      this.failed(messageOf(error));
      return Promise.resolve(this.before.update(key, value));
    }
    return Promise.resolve();
  }

  /** Tells of keys that another window has changed since. */
  look(): void {
    for (const [key, text] of [...this.known]) {
      const now = this.textOf(key);
      if (now === text) continue;
      this.known.set(key, now);
      this.changed.fire(key);
    }
  }

  dispose(): void {
    this.watching.dispose();
  }

  private fileOf(key: string): string {
    return join(this.folder, `${key}.json`);
  }

  private textOf(key: string): string | undefined {
    try {
      return readFileSync(this.fileOf(key), 'utf8');
    } catch {
      return undefined;
    }
  }
}

/** Copies what lies in another folder, where there is nothing yet. What cannot be copied is left there. */
export function takeAlong(earlier: string, folder: string): void {
  if (existsSync(folder) || !existsSync(earlier)) return;
  try {
    cpSync(earlier, folder, { recursive: true });
  } catch {
    // The workspace begins without plans.
  }
}

/** @returns undefined for a file that is missing or broken */
function valueOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
