/**
 * Hidden states during a pass through the model: the residual stream of some rows of tokens, in chunks. One run
 * processes one chunk.
 *
 * A chunk never changes once computed. Variants of a model share the chunks of their common prefix. Each chunk counts
 * its owners. Its memory is reused when it has none.
 */
import { float32, floats, type Tensor } from '../onnx/session';

export class Chunk {
  private owners = 1;

  constructor(
    /** (rows · length, hidden) */
    readonly tensor: Tensor,
    readonly rows: number,
    private readonly free: () => void,
  ) {}

  /** The numbers of a chunk in this process's memory. */
  get data(): Float32Array {
    return floats(this.tensor);
  }

  /** Adds an owner. */
  retain(): this {
    this.owners++;
    return this;
  }

  /** Removes an owner, which must not use the chunk afterwards. */
  release(): void {
    if (--this.owners === 0) this.free();
  }
}

/** The residual stream of all rows of one variant. */
export type State = readonly Chunk[];

export function retainState(state: State): State {
  return state.map((c) => c.retain());
}

export function releaseState(state: State): void {
  for (const chunk of state) chunk.release();
}

/** Allocates and reuses memory for chunks of rows. */
export class ChunkPool {
  private readonly spare = new Map<number, Float32Array[]>();

  constructor(
    /** Tokens of a row, and width of the residual stream. */
    readonly length: number,
    readonly hidden: number,
  ) {}

  /** A chunk with room for `rows` rows in this process's memory; its content is undefined. */
  take(rows: number): Chunk {
    const data = this.spare.get(rows)?.pop() ?? new Float32Array(rows * this.length * this.hidden);
    return new Chunk(float32(data, [rows * this.length, this.hidden]), rows, () => {
      const list = this.spare.get(rows);
      if (list) list.push(data);
      else this.spare.set(rows, [data]);
    });
  }

  /** A chunk over numbers that this pool does not own. */
  over(data: Float32Array, rows: number): Chunk {
    return new Chunk(float32(data, [rows * this.length, this.hidden]), rows, () => undefined);
  }

  /** A chunk over a tensor that onnxruntime allocated on the device. */
  adopt(tensor: Tensor, rows: number): Chunk {
    return new Chunk(tensor, rows, () => tensor.dispose());
  }
}
