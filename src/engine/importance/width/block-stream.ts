/**
 * All rows before one block of a model. One block is open at a time: it shows what its last Linears get, and the rows
 * move on behind it. They wait in memory, or in a temporary file beyond the model's budget.
 */
import type { LinearName } from '../../checkpoint/architecture';
import { Forward, type TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { type Chunk, ChunkPool } from '../../model/states';
import { openStateStore, type StateStore } from '../../model/state-store';
import type { Step } from '../../model/view';
import type { Work } from '../../progress';
import type { WeightSource } from '../../weights/source';
import type { RowStatistics } from './row-statistics';
import { plainShape } from '../../checkpoint/kinds/plain';

/** Statistics of the inputs of o and down of a block. */
export interface BlockStatistics<T extends RowStatistics = RowStatistics> {
  readonly o: T;
  readonly down: T;
}

/** A Linear whose input is shown, of so many channels. */
export interface Watched {
  readonly linear: LinearName;
  readonly channels: number;
  readonly statistics: RowStatistics;
}

export class BlockStream {
  private constructor(
    private readonly model: Model,
    private readonly forward: Forward,
    private readonly chunks: readonly TokenRows[],
    private readonly store: StateStore,
    private readonly buffer: Float32Array,
    private readonly work: Work,
  ) {}

  /**
   * @param work advanced by the rows of each run
   * @throws UserError when a temporary file is needed and cannot be written
   */
  static async open(model: Model, rows: TokenRows, work: Work): Promise<BlockStream> {
    const { length } = rows[0];
    const forward = new Forward(model, length);
    const chunks: TokenRows[] = [];
    for (let at = 0; at < rows.length; at += forward.rowsPerChunk) {
      chunks.push(rows.slice(at, at + forward.rowsPerChunk));
    }
    const sizes = chunks.map((chunk) => chunk.length * length * model.architecture.hidden);
    const store = await openStateStore(1, sizes, model.memory);
    try {
      for (const [chunk, some] of chunks.entries()) {
        const [embedded] = await forward.embed(some);
        await store.write({ step: 0, chunk }, embedded);
      }
    } catch (error) {
      await store.close();
      throw error;
    }
    return new BlockStream(model, forward, chunks, store, new Float32Array(sizes[0]), work);
  }

  /**
   * Shows the inputs of o and down of a block to the statistics, row by row.
   * @param moves whether the rows move on behind the block
   * @throws CancelledError
   */
  async observe(block: number, { o, down }: BlockStatistics, moves: boolean): Promise<void> {
    const { heads, headDim, ffn } = plainShape(this.model.architecture.layers[block]);
    await this.watch(
      block,
      [
        { linear: 'o', channels: heads * headDim, statistics: o },
        { linear: 'down', channels: ffn, statistics: down },
      ],
      moves,
    );
  }

  /**
   * Shows the inputs of some Linears of a block, row by row.
   * @param watched in the order of the block
   * @param moves whether the rows move on behind the block
   * @throws CancelledError
   */
  async watch(block: number, watched: readonly Watched[], moves: boolean): Promise<void> {
    const { length } = this.forward;
    const pools = watched.map(({ channels }) => new ChunkPool(length, channels));
    const linears = watched.map(({ linear }) => linear);
    const open = await this.forward.openInputs(whole(block), pools, moves, linears);
    try {
      await this.each(async (before) => {
        const { inputs, output } = await open.run(before);
        for (const [i, { statistics }] of watched.entries()) {
          showRows(inputs[i], statistics);
          inputs[i].release();
        }
        return output;
      });
    } finally {
      await open.close();
    }
  }

  /** Moves the rows on behind a block with the weights of another source. @throws CancelledError */
  async move(block: number, weights: WeightSource): Promise<void> {
    const open = await this.forward.openOver(weights, whole(block));
    try {
      await this.each((before) => open.run(before));
    } finally {
      await open.close();
    }
  }

  close(): Promise<void> {
    return this.store.close();
  }

  private async each(run: (before: Chunk) => Promise<Chunk | undefined>): Promise<void> {
    for (const [chunk, { length: rows }] of this.chunks.entries()) {
      const slot = { step: 0, chunk };
      const before = this.forward.pool.over(await this.store.read(slot, this.buffer), rows);
      const after = await run(before);
      if (after) await this.store.write(slot, after);
      this.work.advance(rows);
    }
  }
}

const whole = (block: number): Step => ({ block, attention: true, ffn: true });

function showRows({ data, rows }: Chunk, statistics: RowStatistics): void {
  const size = data.length / rows;
  for (let row = 0; row < rows; row++) statistics.add(data.subarray(row * size, (row + 1) * size));
}
