/**
 * Forward passes, one block at a time: open a session for a block, push every pending hidden state through it, close it.
 * Peak memory is one block and the hidden states, not the model.
 */
import { Graph } from '../onnx/graph';
import { float32, int32, type Feeds, type Tensor } from '../onnx/session';
import { buildStep } from './forward-graph';
import { externalBinding, inputBinding } from './graph-weights';
import type { Model } from './model';
import { rotaryTable } from './rotary';
import { ChunkPool, type Chunk } from './states';
import type { Step } from './view';

/** Tokens to push through a model, all rows of one length. */
export type TokenRows = readonly ArrayLike<number>[];

/** An open block: takes chunks of the residual stream to the other side. */
export interface OpenStep {
  /** The chunk after this step; the one given stays as it is. */
  run: (chunk: Chunk) => Promise<Chunk>;
  close: () => Promise<void>;
}

/** How many tokens one run takes: enough for fast products, few enough for a run to stay well under a second. */
const TOKENS_PER_RUN = 1280;

/** Forward passes over rows of one length. */
export class Forward {
  readonly pool: ChunkPool;
  /** Rows of a chunk. */
  readonly rowsPerChunk: number;
  private readonly rotary: Feeds;
  private readonly positionFeeds = new Map<string, Feeds>();

  constructor(
    private readonly model: Model,
    /** Tokens of a row. */
    readonly length: number,
  ) {
    const { architecture } = model;
    this.pool = new ChunkPool(length, architecture.hidden);
    this.rowsPerChunk = Math.max(1, Math.floor(TOKENS_PER_RUN / length));
    const { cos, sin } = rotaryTable(architecture, length);
    const shape = [length, architecture.headDim / 2];
    this.rotary = { cos: float32(cos, shape), sin: float32(sin, shape) };
  }

  /** The embedded rows: the residual stream before block 0. */
  async embed(rows: TokenRows): Promise<Chunk[]> {
    const chunks: Chunk[] = [];
    for (let at = 0; at < rows.length; at += this.rowsPerChunk) {
      const some = rows.slice(at, at + this.rowsPerChunk);
      const chunk = this.pool.take(some.length);
      await this.model.embedding.lookUp(
        some.flatMap((row) => Array.from(row)),
        chunk.data,
      );
      chunks.push(chunk);
    }
    return chunks;
  }

  /**
   * Opens a step.
   * @param toHost the states are wanted in this process's memory, not only on the device
   */
  async open(step: Step, toHost: boolean): Promise<OpenStep> {
    return this.model.device.provider === 'cpu' ? this.openOverFile(step) : this.openOnDevice(step, toHost);
  }

  /** A session of its own for the block, its weights mapped from the checkpoint. */
  private async openOverFile(step: Step): Promise<OpenStep> {
    const { architecture, checkpoint } = this.model;
    const g = new Graph();
    buildStep(g, architecture, step, 'fused', externalBinding(g, checkpoint));
    const session = await this.model.openSession(g.serialize(), { prepack: true });
    return {
      run: async (chunk) => {
        const result = this.pool.take(chunk.rows);
        await session.run({ ...this.feeds(chunk, step, 'fused') }, { y: result.tensor });
        return result;
      },
      close: () => session.close(),
    };
  }

  /** One session for all alike steps, fed with the block's weights on the device. */
  private async openOnDevice(step: Step, toHost: boolean): Promise<OpenStep> {
    const { architecture } = this.model;
    const g = new Graph();
    const { bind, keys } = inputBinding(g);
    buildStep(g, architecture, step, 'plain', bind);
    const name = `step ${step.attention} ${step.ffn} ${toHost}`;
    const session = await this.model.sharedSession(name, () => g.serialize(), toHost ? [] : ['y']);
    const weights = await this.model.deviceWeights(step.block, keys);
    return {
      run: async (chunk) => {
        const { y } = await session.run({ ...this.feeds(chunk, step, 'plain'), ...weights });
        return this.pool.adopt(y, chunk.rows);
      },
      close: () => {
        for (const tensor of Object.values(weights)) tensor.dispose();
        return Promise.resolve();
      },
    };
  }

  private feeds(chunk: Chunk, step: Step, kind: 'fused' | 'plain'): Feeds {
    if (!step.attention) return { x: chunk.tensor };
    return { x: chunk.tensor, ...this.rotary, ...this.positions(chunk.rows, step, kind) };
  }

  private positions(rows: number, step: Step, kind: 'fused' | 'plain'): Feeds {
    const window = this.model.architecture.slidingWindow[step.block];
    const key = `${rows} ${window}`;
    let feeds = this.positionFeeds.get(key);
    if (!feeds) {
      feeds = kind === 'plain' ? { mask: causalMask(this.length, window) } : fusedPositions(rows, this.length);
      this.positionFeeds.set(key, feeds);
    }
    return feeds;
  }
}

function fusedPositions(rows: number, length: number): Feeds {
  return {
    lastPositions: int32(new Int32Array(rows).fill(length - 1), [rows]),
    totalLength: int32([length], [1]),
  };
}

/** 0 where position i may see position j, −∞ (as a number that sums cannot overflow) where not. (length, length) */
export function causalMask(length: number, window: number | null): Tensor {
  const mask = new Float32Array(length * length);
  for (let i = 0; i < length; i++) {
    for (let j = 0; j < length; j++) {
      if (j > i || (window !== null && j <= i - window)) mask[i * length + j] = -1e30;
    }
  }
  return float32(mask, [length, length]);
}
