/** Whether a checkpoint that was just written is the planned one: opened like any other, and compared with its source. */
import { open, type FileHandle } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Architecture } from '../checkpoint/architecture';
import { readRange } from '../checkpoint/file';
import { openCheckpoint, requireArchitecture } from '../checkpoint/open';
import type { TensorInfo } from '../checkpoint/types';
import { throwIfCancelled } from '../errors';
import type { Plan } from './plan';

/** Compared at the start and at the end of every tensor: a tensor at a wrong place shows there. */
const SAMPLE_BYTES = 64;

/** What the architecture becomes when only the blocks `kept` are left. */
export function architectureOf(whole: Architecture, kept: readonly number[]): Architecture {
  return { ...whole, blocks: kept.length, slidingWindow: kept.map((block) => whole.slidingWindow[block]) };
}

/**
 * Opens what lies in `folder` and compares it with the plan: architecture, every tensor, samples of its bytes.
 * @throws Error on any difference: that is a bug or a broken disk, and the output must not appear.
 */
export async function checkWritten(
  folder: string,
  plan: Plan,
  expected: Architecture,
  signal: AbortSignal | undefined,
): Promise<void> {
  const written = await openCheckpoint(folder);
  // What ends a text may be said in files that were left behind; the blocks do not depend on it.
  const architecture = { ...requireArchitecture(written), eosTokenIds: expected.eosTokenIds };
  if (!isDeepStrictEqual(architecture, expected)) {
    throw new Error('the written config describes another architecture than planned');
  }
  const planned = plan.shards.flatMap((shard) => shard.tensors);
  if (written.tensors.size !== planned.length) {
    throw new Error(`${written.tensors.size} tensors were written, ${planned.length} planned`);
  }
  const files = new OpenFiles();
  try {
    for (const { name, source } of planned) {
      throwIfCancelled(signal);
      const copy = written.tensors.get(name);
      if (copy?.dtype !== source.dtype || !isDeepStrictEqual(copy.shape, source.shape)) {
        throw new Error(`the written tensor ${name} is missing or of another type or shape`);
      }
      await compareSamples(files, source, copy);
    }
  } finally {
    await files.close();
  }
}

async function compareSamples(files: OpenFiles, source: TensorInfo, copy: TensorInfo): Promise<void> {
  const length = Math.min(SAMPLE_BYTES, source.bytes);
  for (const at of new Set([0, source.bytes - length])) {
    const original = await readRange(await files.get(source.file), source.offset + at, length);
    const written = await readRange(await files.get(copy.file), copy.offset + at, length);
    if (!original.equals(written)) throw new Error(`the written bytes of ${copy.name} differ from the source's`);
  }
}

/** The last few files that were read from, kept open: neighbouring tensors share them. */
class OpenFiles {
  readonly #handles = new Map<string, FileHandle>();

  async get(file: string): Promise<FileHandle> {
    const known = this.#handles.get(file);
    if (known) return known;
    for (const [oldest, handle] of this.#handles) {
      if (this.#handles.size < 8) break;
      this.#handles.delete(oldest);
      await handle.close();
    }
    const handle = await open(file, 'r');
    this.#handles.set(file, handle);
    return handle;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#handles.values()].map((handle) => handle.close()));
  }
}
