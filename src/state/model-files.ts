/** The files that a model consists of, for deleting it. */
import { lstat, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { partsOf } from '../engine/checkpoint/gguf/parts';
import type { Checkpoint } from '../engine/checkpoint/types';
import { tensorPlace } from '../engine/formats/tensor-place';

/** Files or folders, and what is in them. */
export interface ModelFiles {
  /** What goes: a folder, or single files. */
  readonly roots: readonly string[];
  readonly count: number;
  readonly bytes: number;
}

/**
 * @param path folder or file of a model or an adapter
 * @param checkpoint the opened model, if it can be opened: an index names files beside it
 */
export async function modelFiles(path: string, checkpoint: Checkpoint | undefined): Promise<ModelFiles> {
  const roots = await rootsOf(path, checkpoint);
  const sizes = await Promise.all(roots.map(sizesIn));
  const all = sizes.flat();
  return { roots, count: all.length, bytes: all.reduce((sum, bytes) => sum + bytes, 0) };
}

async function rootsOf(path: string, checkpoint: Checkpoint | undefined): Promise<readonly string[]> {
  if (path.endsWith('.gguf')) return partsOf(path).catch(() => [path]); // one of them is missing already
  if (!path.endsWith('.json')) return [path];
  const files = [...(checkpoint?.tensors.values() ?? [])].map((tensor) => tensorPlace(tensor).file);
  return [path, ...new Set(files.filter((file) => dirname(file) === dirname(path)))];
}

/** Bytes of each file. Links count as themselves: what they lead to stays. */
async function sizesIn(path: string): Promise<number[]> {
  const found = await lstat(path);
  if (!found.isDirectory()) return [found.size];
  const names = await readdir(path);
  return (await Promise.all(names.map((name) => sizesIn(join(path, name))))).flat();
}
