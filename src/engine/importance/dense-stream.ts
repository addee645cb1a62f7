/**
 * The dense stream at many places: the hidden states of the unpruned model over some rows, computed once and kept in
 * memory if they fit, otherwise in a temporary file. Places are modules: 2 · block is the input of the attention,
 * 2 · block + 1 that of the FFN, and 2 · blocks comes after the last block.
 */
import { Work, type JobOptions } from '../progress';
import { Forward, type TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import { openStateStore, type StateStore } from '../model/state-store';
import type { Chunk, State } from '../model/states';
import type { Step } from '../model/view';

export class DenseStream {
  /** Rows of each chunk. */
  readonly chunks: readonly number[];
  private readonly forward: Forward;

  private constructor(
    readonly model: Model,
    private readonly rows: TokenRows,
    private readonly store: StateStore,
    /** Slots by module. */
    private readonly slots: ReadonlyMap<number, number>,
  ) {
    this.forward = new Forward(model, rows[0].length);
    this.chunks = chunkRows(rows.length, this.forward.rowsPerChunk);
  }

  /**
   * @param places modules at which the stream is kept, beside the input of every block and the end
   * @param budget bytes of memory that it may take
   * @throws UserError when a temporary file is needed and cannot be written; CancelledError
   */
  static async compute(
    model: Model,
    rows: TokenRows,
    places: readonly number[],
    budget: number,
    job: JobOptions = {},
  ): Promise<DenseStream> {
    const { layers, hidden } = model.architecture;
    const { rowsPerChunk } = new Forward(model, rows[0].length);
    const inputs = Array.from({ length: layers.length + 1 }, (_, block) => 2 * block);
    const kept = [...new Set([...inputs, ...places])].sort((a, b) => a - b);
    const sizes = chunkRows(rows.length, rowsPerChunk).map((count) => count * rows[0].length * hidden);
    const store = await openStateStore(kept.length, sizes, budget);
    try {
      const stream = new DenseStream(model, rows, store, new Map(kept.map((module, slot) => [module, slot])));
      await stream.fill(job);
      return stream;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** Bytes of memory that it takes. */
  get bytes(): number {
    const { length } = this.rows[0];
    const own = 4 * this.rows.length * length * this.model.architecture.hidden * this.slots.size;
    return this.store.fileBytes > 0 ? 0 : own;
  }

  /** A chunk of the stream at a module; valid until the next one is read. */
  read(module: number, chunk: number, buffer: Float32Array): Promise<Float32Array> {
    return this.store.read({ step: this.slots.get(module)!, chunk }, buffer);
  }

  /** Chunks `first` … `end` − 1 of the stream after the last block, in memory of their own. */
  async last(first: number, end: number): Promise<State> {
    const { forward, chunks } = this;
    const state: Chunk[] = [];
    for (let chunk = first; chunk < end; chunk++) {
      const copy = forward.pool.take(chunks[chunk]);
      copy.data.set(await this.read(2 * this.model.architecture.layers.length, chunk, copy.data));
      state.push(copy);
    }
    return state;
  }

  close(): Promise<void> {
    return this.store.close();
  }

  private async fill(job: JobOptions): Promise<void> {
    const { rows, forward, chunks, slots } = this;
    const { layers } = this.model.architecture;
    const work = new Work(job, rows.length * layers.length, 'row-blocks', 'reading the model');
    let first = 0;
    for (const [chunk, count] of chunks.entries()) {
      const [embedded] = await forward.embed(rows.slice(first, first + count));
      await this.write(0, chunk, embedded);
      first += count;
    }
    for (const block of layers.keys()) {
      work.step(`block ${block + 1} of ${layers.length}`);
      const [attention, ffn] = [
        { block, attention: true, ffn: false },
        { block, attention: false, ffn: true },
      ];
      const isSplit = slots.has(2 * block + 1);
      for (const step of isSplit ? [attention, ffn] : [{ block, attention: true, ffn: true }]) {
        await this.through(step, work);
      }
    }
  }

  private async through(step: Step, work: Work): Promise<void> {
    const from = 2 * step.block + (step.attention ? 0 : 1);
    const to = from + (step.attention && step.ffn ? 2 : 1);
    const { forward, chunks } = this;
    const buffer = forward.pool.take(chunks[0]).data;
    const open = await forward.open(step, true);
    try {
      for (const [chunk, count] of chunks.entries()) {
        const before = forward.pool.over(await this.read(from, chunk, buffer), count);
        await this.write(to, chunk, await open.run(before));
        work.advance((count * (to - from)) / 2);
      }
    } finally {
      await open.close();
    }
  }

  private write(module: number, chunk: number, content: Chunk): Promise<void> {
    return this.store.write({ step: this.slots.get(module)!, chunk }, content);
  }
}

/** Rows of each chunk. */
function chunkRows(rows: number, rowsPerChunk: number): number[] {
  const chunks: number[] = [];
  for (let at = 0; at < rows; at += rowsPerChunk) chunks.push(Math.min(rowsPerChunk, rows - at));
  return chunks;
}
