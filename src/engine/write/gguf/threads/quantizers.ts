/** Threads that quantize pieces of a file side by side: a search for scales takes longer than reading and writing. */
import { availableParallelism } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { usualThreads } from '../../../onnx/threads';
import type { Piece, QuantizedPiece } from './pieces';

/** More would wait for the disk. */
const MOST_THREADS = 16;

/** What every thread runs: beside the bundle. From source there is none, because a thread cannot load TypeScript. */
let program = ((): string | undefined => {
  const here = fileURLToPath(import.meta.url);
  return extname(here) === '.ts' ? undefined : join(dirname(here), 'quantizer.cjs');
})();

/** Takes another file as the program. */
export function setQuantizerProgram(file: string): void {
  program = file;
}

/** As many threads as are asked for, or those that the environment says or the machine has; 1 where they have no program. */
export const quantizingThreads = (asked?: number): number =>
  program === undefined ? 1 : Math.min(MOST_THREADS, asked ?? usualThreads() ?? availableParallelism());

interface Asked {
  readonly piece: Piece;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** A thread, and what it works on. */
interface Thread {
  readonly worker: Worker;
  asked?: Asked;
}

export class Quantizers {
  private readonly threads: Thread[];
  private readonly queue: Asked[] = [];
  private failed?: Error;

  constructor(count: number) {
    this.threads = Array.from({ length: count }, () => this.start());
  }

  /**
   * The bytes of a piece, whose numbers are handed over.
   * @throws Error if a thread ended
   */
  quantize(piece: Piece): Promise<Uint8Array> {
    if (this.failed) return Promise.reject(this.failed);
    return new Promise((resolve, reject) => {
      this.queue.push({ piece, resolve, reject });
      this.next();
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map(({ worker }) => worker.terminate()));
  }

  private start(): Thread {
    const worker = new Worker(program!);
    const thread: Thread = { worker };
    worker.on('message', ({ bytes }: QuantizedPiece) => {
      const { asked } = thread;
      thread.asked = undefined;
      asked?.resolve(bytes);
      this.next();
    });
    worker.on('error', (error) => this.fail(error));
    worker.on('exit', (code) => this.fail(new Error(`a thread that quantizes ended with code ${code}`)));
    return thread;
  }

  private next(): void {
    for (const thread of this.threads) {
      if (thread.asked) continue;
      const asked = this.queue.shift();
      if (!asked) return;
      thread.asked = asked;
      thread.worker.postMessage(asked.piece, [asked.piece.values.buffer as ArrayBuffer]);
    }
  }

  private fail(error: Error): void {
    this.failed ??= error;
    const open = [...this.threads.flatMap(({ asked }) => (asked ? [asked] : [])), ...this.queue.splice(0)];
    for (const { reject } of open) reject(this.failed);
  }
}
