/**
 * The last hidden states of a model over some rows, computed once: what variants are compared with (divergence.ts) pass
 * after pass. They are kept in memory if they fit, otherwise in a temporary file.
 */
import { partName, Work, type JobOptions } from '../progress';
import { rowsPerGroup } from './cost';
import { Forward, type TokenRows } from './forward';
import type { Model } from './model';
import { openStateStore, type StateStore } from './state-store';
import { releaseState, type Chunk, type State } from './states';
import type { Step } from './view';

/** The last states of a teacher over some rows. */
export type TaughtRows = Pick<LastStates, 'model' | 'bytes' | 'of' | 'ofRows' | 'from'>;

export class LastStates {
  private readonly forward: Forward;
  /** Numbers of a row. */
  private readonly rowSize: number;

  private constructor(
    readonly model: Model,
    private readonly rows: TokenRows,
    /** A slot for each row. */
    private readonly store: StateStore,
  ) {
    this.forward = new Forward(model, rows[0].length);
    this.rowSize = rows[0].length * model.architecture.hidden;
  }

  /**
   * @param rows tokens, all of one length
   * @param steps of the model
   * @param budget bytes of memory that the kept states may take
   * @throws UserError when a temporary file is needed and cannot be written; CancelledError
   */
  static async compute(
    model: Model,
    rows: TokenRows,
    steps: readonly Step[],
    budget: number,
    job: JobOptions = {},
  ): Promise<LastStates> {
    const states = await LastStates.empty(model, rows, budget);
    try {
      await states.fill(steps, job);
      return states;
    } catch (error) {
      await states.close();
      throw error;
    }
  }

  /** Without any states yet: a pass of another kind puts them in with `keep`. @throws UserError as `compute` does */
  static async empty(model: Model, rows: TokenRows, budget: number): Promise<LastStates> {
    const rowSize = rows[0].length * model.architecture.hidden;
    const store = await openStateStore(1, Array<number>(rows.length).fill(rowSize), budget);
    return new LastStates(model, rows, store);
  }

  /** Bytes of memory that they take. */
  get bytes(): number {
    return this.store.fileBytes > 0 ? 0 : 4 * this.rows.length * this.rowSize;
  }

  /** The states of consecutive rows. */
  of(firstRow: number, count: number): Promise<State> {
    return this.ofRows(Array.from({ length: count }, (_, row) => firstRow + row));
  }

  /**
   * The states of some rows, in this process's memory and in the chunks of a forward pass over these rows. The caller
   * releases them.
   * @param rows indices
   */
  async ofRows(rows: readonly number[]): Promise<State> {
    const { forward, rowSize } = this;
    const buffer = new Float32Array(rowSize);
    const state: Chunk[] = [];
    for (let at = 0; at < rows.length; at += forward.rowsPerChunk) {
      const some = rows.slice(at, at + forward.rowsPerChunk);
      const chunk = forward.pool.take(some.length);
      state.push(chunk);
      for (const [i, row] of some.entries()) {
        chunk.data.set(await this.store.read({ step: 0, chunk: row }, buffer), i * rowSize);
      }
    }
    return state;
  }

  /** The same over the rows from one on, as row 0. They are open as long as these are. */
  from(first: number): TaughtRows {
    return {
      model: this.model,
      bytes: this.bytes,
      of: (row, count) => this.of(first + row, count),
      ofRows: (rows) => this.ofRows(rows.map((row) => first + row)),
      from: (row) => this.from(first + row),
    };
  }

  close(): Promise<void> {
    return this.store.close();
  }

  /** Keeps the states of the rows from `firstRow` on, in this process's memory. They stay the caller's. */
  async keep(state: State, firstRow: number): Promise<void> {
    let row = firstRow;
    for (const chunk of state) {
      for (let r = 0; r < chunk.rows; r++, row++) {
        const data = chunk.data.slice(r * this.rowSize, (r + 1) * this.rowSize);
        await this.store.write({ step: 0, chunk: row }, this.forward.pool.over(data, 1));
      }
    }
  }

  private async fill(steps: readonly Step[], job: JobOptions): Promise<void> {
    const { model, rows, forward, rowSize } = this;
    const work = new Work(job, rows.length * steps.length, 'row-blocks', 'reading the model');
    const perGroup = rowsPerGroup(Math.floor(model.memory / 2 / (4 * rowSize)), rows[0].length);
    for (let first = 0; first < rows.length; first += perGroup) {
      const part = partName(first / perGroup, Math.ceil(rows.length / perGroup));
      let state: State = await forward.embed(rows.slice(first, first + perGroup));
      for (const [k, step] of steps.entries()) {
        work.step(`${part}block ${k + 1} of ${steps.length}`);
        state = await this.through(step, k === steps.length - 1, state, work);
      }
      await this.keep(state, first);
      releaseState(state);
    }
  }

  /** Takes over the given state. */
  private async through(step: Step, toHost: boolean, state: State, work: Work): Promise<State> {
    const open = await this.forward.open(step, toHost);
    try {
      return await open.runAll(state, ({ rows }) => work.advance(rows));
    } finally {
      await open.close();
    }
  }
}
