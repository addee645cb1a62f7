/**
 * Keeps the residual stream between the forward and the backward pass: in memory if it fits the budget, otherwise in a
 * temporary file that is removed with the store. So memory does not grow with the number of samples.
 */
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemErrorCode, UserError } from '../errors';
import { option } from '../option-token';
import { cannotWrite } from '../system-failure';
import type { Chunk } from './states';

/** One chunk of rows before one step (or after the last). */
export interface Slot {
  readonly step: number;
  readonly chunk: number;
}

export interface StateStore {
  /** Bytes of its temporary file; 0 if all states are in memory. */
  readonly fileBytes: number;
  /** Takes over the caller's ownership of the chunk, and releases the previous content of the slot. */
  write: (slot: Slot, chunk: Chunk) => Promise<void>;
  /** The last chunk written there: in `buffer`, or in the store's memory. */
  read: (slot: Slot, buffer: Float32Array) => Promise<Float32Array>;
  close: () => Promise<void>;
}

/**
 * @param steps slots per chunk
 * @param chunkSizes numbers in each chunk
 * @param budget bytes of memory
 */
export async function openStateStore(
  steps: number,
  chunkSizes: readonly number[],
  budget: number,
): Promise<StateStore> {
  const bytes = 4 * steps * chunkSizes.reduce((a, b) => a + b, 0);
  return bytes <= budget ? new MemoryStore() : FileStore.open(chunkSizes, bytes);
}

class MemoryStore implements StateStore {
  readonly fileBytes = 0;
  private readonly slots = new Map<string, Chunk>();

  write({ step, chunk }: Slot, content: Chunk): Promise<void> {
    const key = `${step} ${chunk}`;
    this.slots.get(key)?.release();
    this.slots.set(key, content);
    return Promise.resolve();
  }

  read({ step, chunk }: Slot): Promise<Float32Array> {
    return Promise.resolve(this.slots.get(`${step} ${chunk}`)!.data);
  }

  close(): Promise<void> {
    this.slots.clear();
    return Promise.resolve();
  }
}

class FileStore implements StateStore {
  private constructor(
    /** Undefined if the file no longer has a name. Then the system frees it when the process ends for any reason. */
    private readonly folder: string | undefined,
    private readonly file: FileHandle,
    private readonly chunkSizes: readonly number[],
    readonly fileBytes: number,
  ) {}

  static async open(chunkSizes: readonly number[], bytes: number): Promise<FileStore> {
    const folder = await mkdtemp(join(tmpdir(), 'coppice-states-'));
    const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
    let file: FileHandle;
    try {
      file = await open(join(folder, 'states'), 'wx+', 0o600);
    } catch (error) {
      await remove();
      throw error;
    }
    const nameless = process.platform !== 'win32'; // on systems that cannot unlink an open file
    if (nameless) await remove();
    return new FileStore(nameless ? undefined : folder, file, chunkSizes, bytes);
  }

  async write(slot: Slot, content: Chunk): Promise<void> {
    const { data } = content;
    try {
      const { bytesWritten } = await this.file.write(bytesOf(data), 0, data.byteLength, this.offset(slot));
      if (bytesWritten < data.byteLength) throw this.full();
    } catch (error) {
      throw ['ENOSPC', 'EDQUOT'].includes(systemErrorCode(error) ?? '')
        ? this.full(error)
        : cannotWrite(`a temporary file in ${tmpdir()}`, error);
    } finally {
      content.release();
    }
  }

  async read(slot: Slot, buffer: Float32Array): Promise<Float32Array> {
    const data = buffer.subarray(0, this.chunkSizes[slot.chunk]);
    await this.file.read(bytesOf(data), 0, data.byteLength, this.offset(slot));
    return data;
  }

  async close(): Promise<void> {
    await this.file.close();
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
  }

  private offset({ step, chunk }: Slot): number {
    const before = this.chunkSizes.slice(0, chunk).reduce((a, b) => a + b, 0);
    const perStep = this.chunkSizes.reduce((a, b) => a + b, 0);
    return 4 * (step * perStep + before);
  }

  private full(cause?: unknown): UserError {
    return new UserError(
      `No room for hidden states in ${tmpdir()}`,
      `they take ${Math.ceil(this.fileBytes / 2 ** 20)} MiB there, beyond ${option('memory')}`,
      `Free space, point TMPDIR to a larger disk, raise ${option('memory')}, or use fewer samples.`,
      { cause },
    );
  }
}

function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
