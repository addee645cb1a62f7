/**
 * Keeps opened checkpoints until their files change. If a file changes while it is being opened, callers that wait get
 * the result, but it is not kept. Does not use VS Code.
 */
import { dirname } from 'node:path';
import { nameOfGguf } from '../engine/checkpoint/gguf/name';
import type { Checkpoint } from '../engine/checkpoint/types';

/** Paths that are files; other paths of checkpoints are folders. */
const FILES = /\.(safetensors|json|gguf)$/;
const GGUF = /\.gguf$/i;

/** The folder with the files of the checkpoint at `path`. */
export const folderOf = (path: string): string => (FILES.test(path) ? dirname(path) : path);

/**
 * Whether the checkpoint at `path` may be another one when `file` changes: its own files, and those beside it that it reads.
 * What is written beside a folder is another model, and so is a GGUF file of another name.
 */
export function isOf(path: string, file: string): boolean {
  if (folderOf(path) !== dirname(file)) return false;
  if (!FILES.test(path)) return true;
  if (GGUF.test(path)) return GGUF.test(file) && nameOfGguf(path) === nameOfGguf(file);
  return !GGUF.test(file);
}

export class CheckpointCache {
  private readonly loading = new Map<string, Promise<Checkpoint>>();
  private readonly loaded = new Map<string, Checkpoint>();

  constructor(private readonly open: (path: string) => Promise<Checkpoint>) {}

  /** Returns the checkpoint at `path`, and opens it if needed. @throws UserError when it cannot be opened */
  load(path: string): Promise<Checkpoint> {
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
  peek(path: string): Checkpoint | undefined {
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
