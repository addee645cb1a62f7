/** Writes the quantized tensors of a file in pieces. Some are on their way at a time: each has its place, so any may be first. */
import { elements } from '../../../checkpoint/parameters';
import { throwIfCancelled } from '../../../errors';
import type { CopyOptions } from '../../../files/copy';
import type { OutputFile } from '../../../files/output-file';
import { isQuantized, isSearched, type QuantizedDtype } from '../../../formats/gguf/quantize';
import { bytesOfElements } from '../../../formats/gguf/types';
import { piecesOf, type Rewrite, type RewrittenDtype, roundedRows, weighedParts, writePiece } from '../../rewrite';
import type { Piece } from './pieces';
import { Quantizers, quantizingThreads } from './quantizers';

/** So few numbers are done before a thread has started. */
const FEW = 2 ** 21;

/** Pieces on their way for each thread: one is worked on while the next is read. */
const AHEAD = 2;

type Searched = Rewrite<QuantizedDtype>;

/** Whether a search finds the scales of a tensor. */
const isSearchedFor = (rewrite: Rewrite<RewrittenDtype>): rewrite is Searched =>
  isQuantized(rewrite.dtype) && (rewrite.importance !== undefined || isSearched(rewrite.dtype));

export class PieceWriter {
  private readonly quantizers: Quantizers;
  private readonly most: number;
  private readonly open = new Set<Promise<void>>();
  private error: unknown;

  private constructor(
    private readonly target: OutputFile,
    private readonly options: CopyOptions,
    threads: number,
  ) {
    this.quantizers = new Quantizers(threads);
    this.most = AHEAD * threads;
  }

  /** @param asked threads; those of the machine when undefined @returns undefined where one thread is as good */
  static open(
    target: OutputFile,
    rewrites: readonly (Rewrite<RewrittenDtype> | undefined)[],
    options: CopyOptions,
    asked?: number,
  ): PieceWriter | undefined {
    const searched = rewrites.filter((rewrite) => rewrite !== undefined).filter(isSearchedFor);
    const numbers = searched.reduce((sum, { shape }) => sum + elements(shape), 0);
    const threads = quantizingThreads(asked);
    return threads < 2 || numbers < FEW ? undefined : new PieceWriter(target, options, threads);
  }

  /** Whether this tensor is written in pieces. */
  takes(rewrite: Rewrite<RewrittenDtype>): rewrite is Searched {
    return isSearchedFor(rewrite);
  }

  /**
   * Reads a tensor and hands its pieces to the threads.
   * @throws UserError for a number that the type cannot hold, CancelledError
   */
  async write(position: number, name: string, rewrite: Searched): Promise<void> {
    const { dtype } = rewrite;
    const parts = piecesOf(rewrite).flatMap((piece) => weighedParts(rewrite, piece));
    let at = position;
    for (const { rows, importance } of parts) {
      throwIfCancelled(this.options.signal);
      while (this.open.size >= this.most) await Promise.race(this.open);
      this.throwIfFailed();
      const values = await roundedRows(name, rewrite, rows);
      const size = bytesOfElements(dtype, values.length);
      this.put(at, { values, dtype, ...(importance && { importance }) });
      at += size;
    }
  }

  /** Sends a piece on its way to its place. */
  private put(position: number, piece: Piece): void {
    const way = this.quantizers
      .quantize(piece)
      .then((bytes) => writePiece(this.target, position, bytes, this.options))
      .catch((error: unknown) => {
        this.error ??= error;
      })
      .finally(() => this.open.delete(way));
    this.open.add(way);
  }

  private throwIfFailed(): void {
    if (this.error !== undefined) throw this.error as Error;
  }

  /** Waits for all pieces. @throws the first error of one */
  async done(): Promise<void> {
    await Promise.all(this.open);
    this.throwIfFailed();
  }

  /** Ends the threads; what is on its way is lost. */
  async close(): Promise<void> {
    await this.quantizers.close();
    await Promise.all(this.open);
  }
}
