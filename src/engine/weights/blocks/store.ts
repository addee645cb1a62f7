/** Where quantized matrices lie: in a file, which graphs name, or in memory, where no disk can be written. */
import type { FileHandle } from 'node:fs/promises';
import type { ExternalBytes } from '../../onnx/model-file';

/** Takes the data of a model, in any order. Offsets count from their start. */
export interface BlockSink {
  write(offset: number, data: Uint8Array): Promise<void>;
}

/** Gives the data of a model. */
export interface BlockStore {
  /** Whether graphs hold a copy of what they take. */
  readonly inMemory: boolean;
  at(offset: number, bytes: number): ExternalBytes | Uint8Array;
  /** Forgets what nobody else can use. */
  close(): Promise<void>;
}

/** Writes into a file behind its header. */
export class FileSink implements BlockSink {
  constructor(
    private readonly handle: FileHandle,
    private readonly start: number,
    private readonly wrote: (bytes: number) => Promise<void>,
  ) {}

  async write(offset: number, data: Uint8Array): Promise<void> {
    for (let done = 0; done < data.length;) {
      const { bytesWritten } = await this.handle.write(data, done, data.length - done, this.start + offset + done);
      done += bytesWritten;
    }
    await this.wrote(data.length);
  }
}

/** Data behind the header of a file. */
export class FileStore implements BlockStore {
  readonly inMemory = false;

  /**
   * @param file absolute path, symbolic links resolved
   * @param close gives up the file
   */
  constructor(
    private readonly file: string,
    private readonly start: number,
    readonly close: () => Promise<void>,
  ) {}

  at(offset: number, bytes: number): ExternalBytes {
    return { file: this.file, offset: this.start + offset, bytes };
  }
}

/** Memory for all data. */
export class MemoryStore implements BlockStore, BlockSink {
  readonly inMemory = true;
  private readonly data: Uint8Array;

  constructor(bytes: number) {
    this.data = new Uint8Array(bytes);
  }

  write(offset: number, data: Uint8Array): Promise<void> {
    this.data.set(data, offset);
    return Promise.resolve();
  }

  at(offset: number, bytes: number): Uint8Array {
    return this.data.subarray(offset, offset + bytes);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
