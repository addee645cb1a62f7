/**
 * Forward passes, one block at a time: open a session for a block, push every pending hidden state through it, close
 * it. Peak memory is one block and the hidden states, not the model.
 */
import { lastLinears, type LinearName } from '../checkpoint/architecture';
import { Graph, type Value } from '../onnx/graph';
import { keepsTensors, type Feeds } from '../onnx/session';
import type { WeightSource } from '../weights/source';
import { sourceBinding } from './binding';
import { rowsPerRun, TOKENS_PER_RUN } from './cost';
import { buildStep } from './forward-graph';
import { type ExpertWatch, watchFrom } from './expert-groups';
import type { Model } from './model';
import { Positions } from './positions';
import { openOverFile, openStepSession, type StepSession } from './step-session';
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
  /**
   * The chunks after this step, in order. Those of a block with experts share each group of experts.
   * @param chunks are released
   * @param done called when one is through
   * @param watch sees every expert of a token; only of a step that was opened over a source
   */
  runAll: (chunks: readonly Chunk[], done?: (chunk: Chunk) => void, watch?: ExpertWatch) => Promise<Chunk[]>;
  close: () => Promise<void>;
}

/** An open step that hands out what some of its Linears get. */
export interface OpenInputs {
  /**
   * Their inputs in the order of the Linears, and the chunk after the step where that is wanted. The given chunk does not change.
   */
  run: (chunk: Chunk) => Promise<{ readonly inputs: readonly Chunk[]; readonly output?: Chunk }>;
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
    const { model, attentionKind: kind } = this;
    return this.opened(step, await openStepSession(model, step, kind, toHost), keepsTensors(model.device.provider));
  }

  /** Opens a step with the weights of another source, such as a narrower model. */
  async openOver(weights: WeightSource, step: Step): Promise<OpenStep> {
    return this.opened(step, await openOverFile(this.model, weights, step, this.attentionKind), false);
  }

  private opened(step: Step, session: StepSession, onDevice: boolean): OpenStep {
    const kind = this.attentionKind;
    const run = async (chunk: Chunk, pass: Forward = this): Promise<Chunk> => {
      const result = onDevice ? undefined : pass.pool.take(chunk.rows);
      const y = await session.run(pass.feeds(chunk, step, kind), result?.tensor);
      return result ?? pass.pool.adopt(y, chunk.rows);
    };
    const together = async (chunks: readonly Chunk[], watch?: ExpertWatch): Promise<Chunk[]> => {
      const results = chunks.map(({ rows }) => this.pool.take(rows));
      const runs = chunks.map((chunk, i) => ({ feeds: this.feeds(chunk, step, kind), into: results[i].tensor }));
      await session.together!.run(runs, watch);
      return results;
    };
    return {
      run,
      runAll: async (chunks, done, watch) => {
        const room = Math.floor((session.together?.tokens ?? 0) / this.length);
        const after: Chunk[] = [];
        let rows = 0;
        for (const some of inRuns(chunks, room)) {
          const own = watchFrom(watch, rows * this.length);
          after.push(...(session.together ? await together(some, own) : [await run(some[0])]));
          rows += some.reduce((sum, chunk) => sum + chunk.rows, 0);
          for (const chunk of some) {
            chunk.release();
            done?.(chunk);
          }
        }
        return after;
      },
      close: session.close,
    };
  }

  /**
   * Opens a step that hands out the inputs of some Linears.
   * @param pools allocate chunks of the width of each
   * @param withOutput whether the chunk after the step is wanted too
   * @param linears those that write to the residual stream unless others are named
   */
  async openInputs(
    step: Step,
    pools: readonly ChunkPool[],
    withOutput: boolean,
    linears?: readonly LinearName[],
  ): Promise<OpenInputs> {
    const { architecture, weights } = this.model;
    const kind = this.attentionKind;
    const parts = [...(step.attention ? (['mixer'] as const) : []), ...(step.ffn ? (['ffn'] as const) : [])];
    const watched =
      linears ?? parts.flatMap((part) => lastLinears(architecture, step.block, part).map(({ name }) => name));
    const g = new Graph();
    const kept: { name: LinearName; value: Value }[] = [];
    buildStep(g, architecture, step, kind, sourceBinding(g, weights), (linear, value) => {
      if (watched.includes(linear)) kept.push({ name: linear, value: g.computed(value) });
    });
    kept.sort((a, b) => watched.indexOf(a.name) - watched.indexOf(b.name));
    if (withOutput) for (const { name, value } of kept) g.output(name, value);
    const session = await this.model.openSession(withOutput ? g.serialize() : g.extract(kept), { prepack: true });
    return {
      run: async (chunk) => {
        const inputs = pools.map((pool) => pool.take(chunk.rows));
        const output = withOutput ? this.pool.take(chunk.rows) : undefined;
        const fetches = Object.fromEntries(kept.map(({ name }, i) => [name, inputs[i].tensor]));
        await session.run(this.feeds(chunk, step, kind), { ...fetches, ...(output && { y: output.tensor }) });
        return { inputs, output };
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

/** Chunks that have room for their rows together; at least one. */
function inRuns(chunks: readonly Chunk[], room: number): Chunk[][] {
  const runs: Chunk[][] = [];
  let rows = Infinity;
  for (const chunk of chunks) {
    if (rows + chunk.rows > room) {
      runs.push([]);
      rows = 0;
    }
    runs.at(-1)!.push(chunk);
    rows += chunk.rows;
  }
  return runs;
}
