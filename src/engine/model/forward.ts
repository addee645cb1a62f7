/**
 * Forward passes, one block at a time: open a session for a block, push every pending hidden state through it, close
 * it. Peak memory is one block and the hidden states, not the model.
 */
import { Graph, type Value } from '../onnx/graph';
import { keepsTensors, type Feeds } from '../onnx/session';
import type { WeightSource } from '../weights/source';
import { sourceBinding } from './binding';
import { rowsPerRun, TOKENS_PER_RUN } from './cost';
import { buildStep } from './forward-graph';
import type { Model } from './model';
import { Positions } from './positions';
import { openStepSession } from './step-session';
import { ChunkPool, type Chunk } from './states';
import type { Step } from './view';

/** Token ids of rows of one length. */
export type TokenRows = readonly ArrayLike<number>[];

/** An open block, which transforms chunks of the residual stream. */
export interface OpenStep {
  /**
   * The chunk after this step. The given chunk does not change.
   * @param pass the forward pass of the chunk, if its rows have another length than those of the pass that opened the
   * step
   */
  run: (chunk: Chunk, pass?: Forward) => Promise<Chunk>;
  close: () => Promise<void>;
}

/** An open module of a block. */
export interface OpenModule {
  /** The chunk after this module, and the input of its last Linear. The given chunk does not change. */
  run: (chunk: Chunk) => Promise<{ readonly input: Chunk; readonly output: Chunk }>;
  close: () => Promise<void>;
}

/** The inputs of o and down of a block, and the chunk after it where that is wanted. */
export interface LinearInputs {
  readonly o: Chunk;
  readonly down: Chunk;
  readonly output?: Chunk;
}

/** An open block that hands out what its last Linears get. */
export interface OpenInputs {
  /** The given chunk does not change. */
  run: (chunk: Chunk) => Promise<LinearInputs>;
  close: () => Promise<void>;
}

/** Forward passes over rows of one length. */
export class Forward {
  readonly pool: ChunkPool;
  /** Rows of a chunk. */
  readonly rowsPerChunk: number;
  readonly positions: Positions;

  constructor(
    private readonly model: Model,
    /** Tokens of a row. */
    readonly length: number,
    tokensPerRun = TOKENS_PER_RUN,
  ) {
    const { architecture } = model;
    this.pool = new ChunkPool(length, architecture.hidden);
    this.rowsPerChunk = rowsPerRun(length, tokensPerRun);
    this.positions = new Positions(architecture, length);
  }

  /** The embedded rows: the residual stream before block 0. */
  async embed(rows: TokenRows): Promise<Chunk[]> {
    const chunks: Chunk[] = [];
    for (let at = 0; at < rows.length; at += this.rowsPerChunk) {
      const some = rows.slice(at, at + this.rowsPerChunk);
      const ids = some.flatMap((row) => Array.from(row));
      chunks.push(await this.embedChunk(ids));
    }
    return chunks;
  }

  /** Embeds the tokens of some rows, one after another, as one chunk. */
  async embedChunk(ids: readonly number[]): Promise<Chunk> {
    const chunk = this.pool.take(ids.length / this.length);
    await this.model.embedding.lookUp(ids, chunk.data);
    return chunk;
  }

  /**
   * Opens a step.
   * @param toHost whether the states are needed in this process's memory, and not only on the device
   */
  async open(step: Step, toHost: boolean): Promise<OpenStep> {
    const { model } = this;
    const onDevice = keepsTensors(model.device.provider);
    const kind = this.attentionKind;
    const session = await openStepSession(model, step, kind, toHost);
    return {
      run: async (chunk, pass: Forward = this) => {
        const result = onDevice ? undefined : pass.pool.take(chunk.rows);
        const y = await session.run(pass.feeds(chunk, step, kind), result?.tensor);
        return result ?? pass.pool.adopt(y, chunk.rows);
      },
      close: session.close,
    };
  }

  /**
   * Opens one module of a block, attention or FFN, without its last Linear (o or down), and hands out the input of that.
   * @param inputs allocates chunks of that input's width
   */
  async openInput(step: Step, inputs: ChunkPool): Promise<OpenStep> {
    const { architecture, weights } = this.model;
    const last = step.attention ? 'o' : 'down';
    const g = new Graph();
    const kind = this.attentionKind;
    let input: Value | undefined;
    buildStep(g, architecture, step, kind, sourceBinding(g, weights), (linear, value) => {
      if (linear === last) input = value;
    });
    const session = await this.model.openSession(g.extract([{ name: 'input', value: input! }]), { prepack: true });
    return {
      run: async (chunk) => {
        const result = inputs.take(chunk.rows);
        await session.run({ ...this.feeds(chunk, step, kind) }, { input: result.tensor });
        return result;
      },
      close: () => session.close(),
    };
  }

  /**
   * Opens one module of a block, attention or FFN, and hands out the input of its last Linear (o or down) too.
   * @param inputs allocates chunks of that input's width
   */
  async openModule(step: Step, inputs: ChunkPool): Promise<OpenModule> {
    const { architecture, weights } = this.model;
    const last = step.attention ? 'o' : 'down';
    const g = new Graph();
    const kind = this.attentionKind;
    buildStep(g, architecture, step, kind, sourceBinding(g, weights), (linear, input) => {
      if (linear === last) g.output('input', input);
    });
    const session = await this.model.openSession(g.serialize(), { prepack: true });
    return {
      run: async (chunk) => {
        const [input, output] = [inputs.take(chunk.rows), this.pool.take(chunk.rows)];
        await session.run(this.feeds(chunk, step, kind), { y: output.tensor, input: input.tensor });
        return { input, output };
      },
      close: () => session.close(),
    };
  }

  /**
   * Opens a block and hands out the inputs of o and down.
   * @param inputs allocate chunks of their widths
   * @param withOutput whether the chunk after the block is wanted too
   */
  async openInputs(
    step: Step,
    inputs: { readonly o: ChunkPool; readonly down: ChunkPool },
    withOutput: boolean,
  ): Promise<OpenInputs> {
    const { architecture, weights } = this.model;
    const kind = this.attentionKind;
    const g = new Graph();
    const outputs: { name: 'o' | 'down'; value: Value }[] = [];
    buildStep(g, architecture, step, kind, sourceBinding(g, weights), (linear, value) => {
      if (linear === 'o' || linear === 'down') outputs.push({ name: linear, value });
    });
    if (withOutput) for (const { name, value } of outputs) g.output(name, value);
    const graph = withOutput ? g.serialize() : g.extract(outputs);
    const session = await this.model.openSession(graph, { prepack: true });
    return {
      run: async (chunk) => {
        const [o, down] = [inputs.o.take(chunk.rows), inputs.down.take(chunk.rows)];
        const output = withOutput ? this.pool.take(chunk.rows) : undefined;
        const fetches = { o: o.tensor, down: down.tensor, ...(output && { y: output.tensor }) };
        await session.run({ ...this.feeds(chunk, step, kind) }, fetches);
        return { o, down, output };
      },
      close: () => session.close(),
    };
  }

  /** Opens a step with the weights of another source, such as a narrower model. */
  async openOver(weights: WeightSource, step: Step): Promise<OpenStep> {
    const kind = this.attentionKind;
    const g = new Graph();
    buildStep(g, weights.architecture, step, kind, sourceBinding(g, weights));
    const session = await this.model.openSession(g.serialize(), { prepack: true });
    return {
      run: async (chunk) => {
        const result = this.pool.take(chunk.rows);
        await session.run({ ...this.feeds(chunk, step, kind) }, { y: result.tensor });
        return result;
      },
      close: () => session.close(),
    };
  }

  /** A GPU may lack the fused operator in float32. */
  private get attentionKind(): 'fused' | 'plain' {
    return this.model.device.provider === 'cpu' ? 'fused' : 'plain';
  }

  private feeds(chunk: Chunk, step: Step, kind: 'fused' | 'plain'): Feeds {
    if (!step.attention) return { x: chunk.tensor };
    const positions =
      kind === 'fused' ? this.positions.fused(chunk.rows, step.block) : this.positions.plain(step.block);
    return { x: chunk.tensor, ...positions };
  }
}
