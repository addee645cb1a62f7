/**
 * Residual streams during a healing, in chunks of rows: in memory within the model's budget, otherwise in temporary
 * files. So memory does not grow with the number of tokens.
 */
import type { Forward } from '../model/forward';
import { type Chunk, ChunkPool, type State } from '../model/states';
import { openStateStore, type StateStore } from '../model/state-store';
import type { Part } from '../parts/part';
import { rangeOf } from '../parts/ranges';
import { groupCosts, groupsOf, piecesOf } from './groups';
import type { RowGroup } from './rows';

/** The streams: healed and dense at one module, dense at the next (the target), and others while they are needed. */
export type StreamName = 'healed' | 'dense' | 'target' | 'plain' | 'start';

const SLOTS: Readonly<Record<StreamName, number>> = { healed: 0, dense: 1, target: 2, plain: 3, start: 4 };

/** A run of rows that pass through the model together. */
export interface RowRun extends Pick<RowGroup, 'use' | 'measure'> {
  readonly rows: number;
  /** Of its first row, among all rows in the order of the groups. */
  readonly first: number;
  /** Number of the group whose sums it adds to. */
  readonly group: number;
  /** Number of the piece of that group whose products are taken together. */
  readonly piece: number;
}

/** Size of streams. */
export interface StreamSizes {
  /** Width of the stream. */
  readonly hidden: number;
  /** Input of a Linear. */
  readonly widest: number;
  /** Bytes of memory. */
  readonly budget: number;
}

export class Streams {
  private readonly buffers = new Map<string, Float32Array>();
  /** Allocates inputs of Linears, by their width. */
  private readonly pools = new Map<number, ChunkPool>();
  private readonly slots = { ...SLOTS };

  private constructor(
    private readonly forward: Forward,
    readonly runs: readonly RowRun[],
    private readonly hidden: StateStore,
    private readonly inputs: StateStore,
    private readonly budget: number,
  ) {}

  /**
   * @param part whose runs they are; all runs when undefined
   * @throws UserError when there are fewer groups of runs than parts
   */
  static async open(
    forward: Forward,
    groups: readonly RowGroup[],
    { hidden, widest, budget }: StreamSizes,
    part?: Part,
  ): Promise<Streams> {
    const runs = ofPart(runsOf(groups, forward.rowsPerChunk), part);
    const tokens = runs.map(({ rows }) => rows * forward.length);
    const slots = Object.keys(SLOTS).length;
    const ofHidden = tokens.map((count) => count * hidden);
    const all = 4 * slots * ofHidden.reduce((a, b) => a + b, 0);
    const states = await openStateStore(slots, ofHidden, budget);
    try {
      const rest = Math.max(0, budget - all);
      return new Streams(
        forward,
        runs,
        states,
        await openStateStore(
          1,
          tokens.map((count) => count * widest),
          rest,
        ),
        budget,
      );
    } catch (error) {
      await states.close();
      throw error;
    }
  }

  /** Tokens of a chunk, at most. */
  get tokensPerChunk(): number {
    return this.forward.rowsPerChunk * this.forward.length;
  }

  /** Allocates inputs of `width` numbers a token. */
  inputPool(width: number): ChunkPool {
    let pool = this.pools.get(width);
    if (!pool) this.pools.set(width, (pool = new ChunkPool(this.forward.length, width)));
    return pool;
  }

  /** Takes over the chunk. */
  write(stream: StreamName, run: number, chunk: Chunk): Promise<void> {
    return this.hidden.write({ step: this.slots[stream], chunk: run }, chunk);
  }

  /** The chunk that was written last; valid until the stream is read again. */
  async read(stream: StreamName, run: number): Promise<Chunk> {
    const { rows } = this.runs[run];
    const size = rows * this.forward.length * this.forward.pool.hidden;
    const data = await this.hidden.read({ step: this.slots[stream], chunk: run }, this.buffer(stream, size));
    return this.forward.pool.over(data.subarray(0, size), rows);
  }

  /** Several runs of a stream at once. */
  async state(stream: StreamName, runs: readonly number[]): Promise<State> {
    const chunks: Chunk[] = [];
    for (const run of runs) {
      const chunk = await this.read(stream, run);
      chunks.push(this.inFile ? this.forward.pool.over(chunk.data.slice(), chunk.rows) : chunk);
    }
    return chunks;
  }

  /** Groups of runs, so that `count` streams of a group fit the budget. */
  grouped(runs: readonly number[], count: number): number[][] {
    const groups: number[][] = [];
    let bytes = Infinity;
    for (const run of runs) {
      const own = 4 * count * this.runs[run].rows * this.forward.length * this.forward.pool.hidden;
      if (bytes + own > this.budget) {
        groups.push([]);
        bytes = 0;
      }
      groups[groups.length - 1].push(run);
      bytes += own;
    }
    return groups;
  }

  private get inFile(): boolean {
    return this.hidden.fileBytes > 0;
  }

  /** Copies a stream, or some runs of it. */
  async copy(from: StreamName, to: StreamName, only: (run: RowRun) => boolean = () => true): Promise<void> {
    for (const [p, run] of this.runs.entries()) {
      if (!only(run)) continue;
      const chunk = this.forward.pool.take(run.rows);
      chunk.data.set((await this.read(from, p)).data);
      await this.write(to, p, chunk);
    }
  }

  /** The two streams change places. */
  swap(a: StreamName, b: StreamName): void {
    [this.slots[a], this.slots[b]] = [this.slots[b], this.slots[a]];
  }

  writeInput(run: number, chunk: Chunk): Promise<void> {
    return this.inputs.write({ step: 0, chunk: run }, chunk);
  }

  /** (tokens, width) */
  async readInput(run: number, width: number): Promise<Float32Array> {
    const size = this.runs[run].rows * this.forward.length * width;
    const data = await this.inputs.read({ step: 0, chunk: run }, this.buffer('input', size));
    return data.subarray(0, size);
  }

  async close(): Promise<void> {
    await this.hidden.close();
    await this.inputs.close();
  }

  private buffer(name: string, size: number): Float32Array {
    let buffer = this.buffers.get(name);
    if (!buffer || buffer.length < size) this.buffers.set(name, (buffer = new Float32Array(size)));
    return buffer;
  }
}

/** All runs of rows. */
export function runsOf(groups: readonly RowGroup[], rowsPerChunk: number): RowRun[] {
  const runs: Omit<RowRun, 'group' | 'piece'>[] = [];
  let first = 0;
  for (const { rows, use, measure } of groups) {
    for (let at = 0; at < rows.length; at += rowsPerChunk) {
      const count = Math.min(rowsPerChunk, rows.length - at);
      runs.push({ rows: count, first, use, measure });
      first += count;
    }
  }
  const numbers = groupsOf(runs);
  const pieces = piecesOf(runs, numbers, groups[0]?.rows[0].length ?? 0);
  return runs.map((run, p) => ({ ...run, group: numbers[p], piece: pieces[p] }));
}

/** The runs of a part: whole groups. */
function ofPart(runs: readonly RowRun[], part: Part | undefined): readonly RowRun[] {
  if (part === undefined) return runs;
  const costs = groupCosts(
    runs,
    runs.map(({ group }) => group),
  );
  const { from, to } = rangeOf(costs, part, 'row group');
  return runs.filter(({ group }) => group >= from && group < to);
}
