/**
 * The streams of a model and its variants, side by side, in chunks of rows: in memory within a budget, otherwise in a
 * temporary file.
 */
import type { Forward } from '../model/forward';
import { openStateStore, type StateStore } from '../model/state-store';
import type { Chunk, State } from '../model/states';

/** One of the streams. */
export interface Lane {
  readonly slot: number;
}

/** Streams beside the variants: the model, two for a fold, and one that is being computed. */
const OTHERS = 4;

export class Lanes {
  readonly model: Lane = { slot: 0 };
  /** For a fold: what the module adds, and the stream after it. */
  readonly moved: Lane = { slot: 1 };
  readonly after: Lane = { slot: 2 };
  private readonly variants: ReadonlyMap<number, Lane>;
  private readonly buffers = new Map<number, Float32Array>();

  private constructor(
    readonly candidates: readonly number[],
    private readonly forward: Forward,
    private readonly chunks: readonly number[],
    private readonly store: StateStore,
    private readonly budget: number,
  ) {
    this.variants = new Map(candidates.map((candidate, i) => [candidate, { slot: 3 + i }]));
  }

  /** Candidates whose variants are computed together: as many as fit the budget, and at least one. */
  static groups(candidates: readonly number[], forward: Forward, rows: number, budget: number): number[][] {
    const bytes = rows * rowBytes(forward);
    const perGroup = Math.max(1, Math.floor(budget / bytes) - OTHERS);
    const groups: number[][] = [];
    for (let at = 0; at < Math.max(1, candidates.length); at += perGroup) {
      groups.push(candidates.slice(at, at + perGroup));
    }
    return groups;
  }

  /** @throws UserError when a temporary file is needed and cannot be written */
  static async open(
    candidates: readonly number[],
    forward: Forward,
    chunks: readonly number[],
    budget: number,
  ): Promise<Lanes> {
    const sizes = chunks.map((rows) => (rows * rowBytes(forward)) / 4);
    const store = await openStateStore(3 + candidates.length, sizes, budget);
    return new Lanes(candidates, forward, chunks, store, budget);
  }

  /** The model, then its variants. */
  get all(): readonly Lane[] {
    return [this.model, ...this.variants.values()];
  }

  /** The variant without a candidate; undefined if it is in another group. */
  variant(candidate: number): Lane | undefined {
    return this.variants.get(candidate);
  }

  /** Takes over the chunk. */
  write({ slot }: Lane, chunk: number, content: Chunk): Promise<void> {
    return this.store.write({ step: slot, chunk }, content);
  }

  /** A chunk of a stream; valid until it is written, or another of the same stream is read. */
  async read(lane: Lane, chunk: number): Promise<Chunk> {
    let buffer = this.buffers.get(lane.slot);
    if (!buffer)
      this.buffers.set(lane.slot, (buffer = new Float32Array((this.chunks[0] * rowBytes(this.forward)) / 4)));
    return this.forward.pool.over(await this.store.read({ step: lane.slot, chunk }, buffer), this.chunks[chunk]);
  }

  /** Chunks `first` … `end` − 1 of a stream at once. The caller releases them, and writes nothing meanwhile. */
  async copy(lane: Lane, first: number, end: number): Promise<State> {
    const state: Chunk[] = [];
    for (let chunk = first; chunk < end; chunk++) {
      const found = await this.read(lane, chunk);
      state.push(this.inFile ? this.forward.pool.over(found.data.slice(), found.rows) : found);
    }
    return state;
  }

  /** Runs of chunks of which all streams fit the budget: all of them, unless they are in a file. */
  batches(): { readonly first: number; readonly end: number }[] {
    const bytes = this.chunks[0] * rowBytes(this.forward) * (this.variants.size + OTHERS);
    const perBatch = this.inFile ? Math.max(1, Math.floor(this.budget / bytes)) : this.chunks.length;
    const batches: { first: number; end: number }[] = [];
    for (let first = 0; first < this.chunks.length; first += perBatch) {
      batches.push({ first, end: Math.min(first + perBatch, this.chunks.length) });
    }
    return batches;
  }

  close(): Promise<void> {
    return this.store.close();
  }

  private get inFile(): boolean {
    return this.store.fileBytes > 0;
  }
}

const rowBytes = ({ length, pool }: Forward): number => 4 * length * pool.hidden;
