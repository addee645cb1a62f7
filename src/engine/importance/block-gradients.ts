/**
 * ∂L/∂w of a whole model in the memory of one block, for any number of samples. L is the mean token loss over all rows as
 * one batch. One forward pass keeps the input of every block (on disk when these are large). Then, from the last block
 * to the first, the gradients of that block are summed over all rows and folded into what is wanted of them.
 */
import { type BlockWeightName, layerKeys, type WeightKey } from '../checkpoint/weight-key';
import { bindFrom, inputName } from '../model/binding';
import { BACKWARD_WORK, HEAD_GRADIENT_WORK, headWork, INPUT_GRADIENT_WORK } from '../model/cost';
import { Forward, type TokenRows } from '../model/forward';
import { fullBlockParameters } from '../model/full-graph';
import { HeadLoss } from '../model/head-loss';
import type { Model } from '../model/model';
import { openStateStore, type Slot, type StateStore } from '../model/state-store';
import { shiftedTargets } from '../model/targets';
import { buildTraining, gradientName, type TrainingGraphs } from '../model/training-graph';
import { TrainingStep } from '../model/training-step';
import type { Step } from '../model/view';
import { Graph, type Value } from '../onnx/graph';
import { add } from '../onnx/ops/elementwise';
import { float32, floats, type Tensor } from '../onnx/session';
import type { Range } from '../parts/split';
import { type JobOptions, Work } from '../progress';
import { each, taylorWork } from './cost';

/** What is wanted of the gradients of a block. */
export interface Fold {
  /** The weights whose gradients are wanted. */
  readonly wants: (name: BlockWeightName) => boolean;
  /**
   * What is summed over runs, in the shape of the weight; the gradient itself when undefined. A run has one row then, and
   * the gradient is that of the row's share of L, its own mean loss divided by the number of rows.
   */
  readonly ofRow?: (g: Graph, weight: Value, gradient: Value) => Value;
  /** What becomes of the sum: a few numbers. */
  readonly fold: (g: Graph, name: BlockWeightName, weight: Value, sum: Value) => Value;
}

export interface FoldedStep {
  readonly step: Step;
  /** What `fold` gave for each weight, in the order of the block's weights. */
  readonly weights: ReadonlyMap<BlockWeightName, Float32Array>;
}

export interface FoldedGradients {
  /** L, in nats. */
  readonly meanNll: number;
  /** Of the steps that were asked for, in their order. */
  readonly steps: readonly FoldedStep[];
  /** Bytes of hidden states in a temporary file. */
  readonly fileBytes: number;
}

/**
 * @param rows calibration tokens, all rows of one length
 * @param own the steps whose gradients are wanted; all when undefined. Their numbers are the same alone. The steps before
 * them are passed forward only, and those after them give the gradients of states and none of weights
 * @throws UserError when a temporary file is needed and cannot be written; CancelledError
 */
export async function foldGradients(
  model: Model,
  rows: TokenRows,
  steps: readonly Step[],
  fold: Fold,
  job: JobOptions = {},
  own: Range = { from: 0, to: steps.length },
): Promise<FoldedGradients> {
  const total = rows.length * taylorWork(model.architecture, steps.length, each, own);
  const work = new Work(job, total, 'row-blocks', 'reading the model');
  const pass = new GradientPass(model, rows, steps, own, fold, work);
  const store = await openStateStore(steps.length + 1 - own.from, pass.chunkSizes, model.memory);
  try {
    await pass.forward(store);
    const meanNll = await pass.losses(store);
    const folded: FoldedStep[] = [];
    for (let k = steps.length - 1; k >= own.from; k--) {
      const weights = await pass.backward(store, k, steps[k]);
      if (k < own.to) folded.unshift({ step: steps[k], weights });
    }
    return { meanNll, steps: folded, fileBytes: store.fileBytes };
  } finally {
    await store.close();
  }
}

class GradientPass {
  /** Numbers in each chunk of rows. */
  readonly chunkSizes: readonly number[];
  private readonly passes: Forward;
  private readonly chunks: TokenRows[] = [];
  private readonly stateBuffer: Float32Array;
  private readonly gradientBuffer: Float32Array;

  constructor(
    private readonly model: Model,
    private readonly rows: TokenRows,
    private readonly steps: readonly Step[],
    private readonly own: Range,
    private readonly fold: Fold,
    private readonly work: Work,
  ) {
    const { length } = rows[0];
    this.passes = new Forward(model, length, fold.ofRow && length);
    const { rowsPerChunk } = this.passes;
    for (let at = 0; at < rows.length; at += rowsPerChunk) this.chunks.push(rows.slice(at, at + rowsPerChunk));
    this.chunkSizes = this.chunks.map((c) => c.length * length * model.architecture.hidden);
    this.stateBuffer = new Float32Array(this.chunkSizes[0]);
    this.gradientBuffer = new Float32Array(this.chunkSizes[0]);
  }

  /** The place of the state before step k. On the way to the first step that is wanted, one follows the other there. */
  private slot(k: number, chunk: number): Slot {
    return { step: Math.max(0, k - this.own.from), chunk };
  }

  /** Writes the state before every step that is passed back, and after the last, to the store. */
  async forward(store: StateStore): Promise<void> {
    for (const [chunk, rows] of this.chunks.entries()) {
      const [embedded] = await this.passes.embed(rows);
      await store.write(this.slot(0, chunk), embedded);
    }
    for (const [k, step] of this.steps.entries()) {
      this.work.step(`step 1 of 3: block ${k + 1} of ${this.steps.length}`);
      const open = await this.passes.open(step, true);
      try {
        for (const [chunk, rows] of this.chunks.entries()) {
          const before = this.passes.pool.over(await store.read(this.slot(k, chunk), this.stateBuffer), rows.length);
          await store.write(this.slot(k + 1, chunk), await open.run(before));
          this.work.advance(rows.length);
        }
      } finally {
        await open.close();
      }
    }
  }

  /** Replaces the last states in the store by ∂L/∂state. @returns L */
  async losses(store: StateStore): Promise<number> {
    this.work.step('step 2 of 3: losses');
    const length = this.rows[0].length;
    const scale = 1 / (this.rows.length * (length - 1));
    const head = await HeadLoss.open(this.model);
    try {
      let sum = 0;
      for (const [chunk, rows] of this.chunks.entries()) {
        const slot = this.slot(this.steps.length, chunk);
        const state = await store.read(slot, this.stateBuffer);
        const { loss, dx } = await head.run(state, shiftedTargets(rows), scale);
        sum += loss;
        await store.write(slot, this.passes.pool.over(dx, rows.length));
        this.work.advance(rows.length * headWork(this.model.architecture) * HEAD_GRADIENT_WORK);
      }
      return sum * scale;
    } finally {
      await head.close();
    }
  }

  /**
   * Folds the gradients of step k if they are wanted, and replaces the state before it in the store by its gradient.
   * @returns nothing of a step whose gradients are not wanted
   */
  async backward(store: StateStore, k: number, step: Step): Promise<FoldedStep['weights']> {
    // From the last block to the first, so the progress counts finished blocks.
    const { own, steps } = this;
    this.work.step(`step 3 of 3: gradients, block ${steps.length - k} of ${steps.length - own.from}`);
    const isOwn = k < own.to;
    const single = this.chunks.length === 1;
    const keys = parameterKeys(this.model, step.block);
    const graphs = this.graphs(step, isOwn ? this.fold.wants : () => false, single);
    const training = new TrainingStep(this.model, graphs, { keepSessions: false, keepActivations: false });
    const sums = single ? {} : this.zeroSums(keys, graphs.parameters);
    try {
      for (const [chunk, rows] of this.chunks.entries()) {
        const x = await store.read(this.slot(k, chunk), this.stateBuffer);
        const dy = await store.read(this.slot(k + 1, chunk), this.gradientBuffer);
        const dx = this.passes.pool.take(rows.length);
        const shape = [rows.length * this.rows[0].length, this.model.architecture.hidden];
        const feeds: Record<string, Tensor> = { x: float32(x, shape), dy: float32(dy, shape) };
        if (step.attention) Object.assign(feeds, this.passes.positions.plain(step.block));
        for (const [name, sum] of Object.entries(sums)) feeds[sumName(name)] = sum;
        const fetches: Record<string, Tensor | null> = { dx: dx.tensor };
        // A sum is both feed and fetch: the run adds to it in place.
        for (const name of graphs.parameters) fetches[gradientName(name)] = sums[name] ?? null;
        const { gradients } = await training.backward(feeds, fetches);
        if (single) Object.assign(sums, gradients);
        await store.write(this.slot(k, chunk), dx);
        this.work.advance(rows.length * (isOwn ? BACKWARD_WORK : INPUT_GRADIENT_WORK));
      }
    } finally {
      await training.close();
    }
    if (!isOwn) return new Map();
    const folded = single ? sums : await this.foldSums(keys, sums);
    return new Map(graphs.parameters.map((name) => [keys.get(name)!.name, floats(folded[name])]));
  }

  /** The block's backward pass. Its gradients are folded at once, or added to the sums that are fed. */
  private graphs(step: Step, wants: Fold['wants'], single: boolean): TrainingGraphs {
    const { architecture, weights } = this.model;
    const { ofRow, fold } = this.fold;
    const keys = parameterKeys(this.model, step.block);
    const isWanted = (name: string): boolean => wants(keys.get(name)!.name);
    return buildTraining(
      architecture,
      step,
      (g) => {
        const parameters = fullBlockParameters(g, architecture, step.block, bindFrom(g, weights));
        return { ...parameters, wanted: () => new Map([...parameters.wanted()].filter(([name]) => isWanted(name))) };
      },
      (g, name, weight, gradient) => {
        const found = ofRow ? ofRow(g, weight, gradient) : gradient;
        if (single) return fold(g, keys.get(name)!.name, weight, found);
        return add(g, g.input(sumName(name), 'float32', gradient.shape), found);
      },
    );
  }

  private zeroSums(keys: ReadonlyMap<string, WeightKey>, parameters: readonly string[]): Record<string, Tensor> {
    const { weights } = this.model;
    const zeros = (shape: readonly number[]): Tensor => {
      return float32(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
    };
    return Object.fromEntries(parameters.map((name) => [name, zeros(weights.shape(keys.get(name)!))]));
  }

  private async foldSums(
    keys: ReadonlyMap<string, WeightKey & { readonly name: BlockWeightName }>,
    sums: Readonly<Record<string, Tensor>>,
  ): Promise<Record<string, Tensor>> {
    const g = new Graph();
    const { weights } = this.model;
    for (const name of Object.keys(sums)) {
      const key = keys.get(name)!;
      const sum = g.input(name, 'float32', weights.shape(key));
      g.output(gradientName(name), this.fold.fold(g, key.name, weights.bind(g, key), sum));
    }
    const session = await this.model.openSession(g.serialize());
    try {
      const folded = await session.run(sums);
      return Object.fromEntries(Object.keys(sums).map((name) => [name, folded[gradientName(name)]]));
    } finally {
      await session.close();
    }
  }
}

/** The weights of a block by their names in its graph. */
const parameterKeys = ({ architecture }: Model, layer: number) =>
  new Map(layerKeys(architecture, layer).map((key) => [inputName(key), key]));

const sumName = (parameter: string): string => `sum:${parameter}`;
