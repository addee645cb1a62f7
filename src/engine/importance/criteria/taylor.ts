/**
 * The Taylor criterion (Shortened LLaMA §3.1, `src/anal_block_sensitivity_taylor.py`): Σ |w ∂L/∂w| over a block's
 * weights, the first-order estimate of the loss change if each weight were zeroed. L is the mean token loss over the
 * whole calibration set as one batch, so the absolute value is taken after the sum over samples. Norms count, biases do
 * not.
 *
 * Memory is that of one block, for any number of samples: one forward pass keeps every block's input (on disk when they
 * are large). Then, from the last block to the first, that block's ∂L/∂w is summed over all samples and folded into
 * scores.
 */
import type { ScoreRows } from '../criterion';
import { blockOfTensor } from '../../checkpoint/weight-names';
import { layerKeys, type WeightKey, weightOf } from '../../checkpoint/weight-key';
import { Graph, type Value } from '../../onnx/graph';
import { abs, add, mul } from '../../onnx/ops/elementwise';
import { reduceSum } from '../../onnx/ops/reduce';
import { float32, floats, type Tensor } from '../../onnx/session';
import { Work, type JobOptions } from '../../progress';
import { rankBlocks } from '../select';
import { fullBlockParameters } from '../../model/full-graph';
import { Forward, type TokenRows } from '../../model/forward';
import { bindFrom, inputName } from '../../model/binding';
import { BACKWARD_WORK, HEAD_GRADIENT_WORK, headWork } from '../../model/cost';
import { HeadLoss } from '../../model/head-loss';
import type { Model } from '../../model/model';
import { requireNoAdapter } from '../../model/no-adapter';
import { openStateStore, type StateStore } from '../../model/state-store';
import { shiftedTargets } from '../../model/targets';
import { buildTraining, gradientName, type TrainingGraphs } from '../../model/training-graph';
import { TrainingStep } from '../../model/training-step';
import { fullView, stepsOf, type Step, type View } from '../../model/view';
import { taylorWork } from '../cost';
import type { TensorScore } from './magnitude';

export interface TaylorScores {
  /** Mean token loss in nats: the L whose change is estimated. */
  readonly meanNll: number;
  readonly blocks: { index: number; score: number }[];
  readonly order: number[];
  readonly tensors: TensorScore[];
  /** Bytes of hidden states in a temporary file. */
  readonly fileBytes: number;
}

/**
 * @param rows calibration tokens, all rows of one length
 * @throws UserError for a model with an adapter on top, CancelledError
 */
export async function scoreTaylor(
  model: Model,
  rows: TokenRows,
  { view = fullView(model.architecture.layers.length) }: { readonly view?: View } = {},
  job: JobOptions = {},
): Promise<TaylorScores> {
  requireNoAdapter(model, 'score by Taylor');
  const steps = stepsOf(view);
  const total = rows.length * taylorWork(model.architecture, steps.length);
  const work = new Work(job, total, 'row-blocks', 'reading the model');
  const pass = new TaylorPass(model, rows, steps, work);
  const store = await openStateStore(steps.length + 1, pass.chunkSizes, model.memory);
  try {
    await pass.forward(store);
    const meanNll = await pass.losses(store);
    const tensors: TensorScore[] = [];
    for (const [k, step] of [...steps.entries()].reverse()) tensors.unshift(...(await pass.backward(store, k, step)));
    const blocks = steps.map(({ block }) => {
      const own = tensors.filter((t) => t.block === block);
      return { index: block, score: own.reduce((sum, t) => sum + t.score, 0) };
    });
    const order = rankBlocks(blocks.map((b) => b.score)).map((i) => blocks[i].index);
    return { meanNll, blocks, order, tensors, fileBytes: store.fileBytes };
  } finally {
    await store.close();
  }
}

class TaylorPass {
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
    private readonly work: Work,
  ) {
    this.passes = new Forward(model, rows[0].length);
    const { rowsPerChunk } = this.passes;
    for (let at = 0; at < rows.length; at += rowsPerChunk) this.chunks.push(rows.slice(at, at + rowsPerChunk));
    this.chunkSizes = this.chunks.map((c) => c.length * rows[0].length * model.architecture.hidden);
    this.stateBuffer = new Float32Array(this.chunkSizes[0]);
    this.gradientBuffer = new Float32Array(this.chunkSizes[0]);
  }

  /** Writes the state before every step, and after the last, to the store. */
  async forward(store: StateStore): Promise<void> {
    for (const [chunk, rows] of this.chunks.entries()) {
      const [embedded] = await this.passes.embed(rows);
      await store.write({ step: 0, chunk }, embedded);
    }
    for (const [k, step] of this.steps.entries()) {
      this.work.step(`step 1 of 3: block ${k + 1} of ${this.steps.length}`);
      const open = await this.passes.open(step, true);
      try {
        for (const [chunk, rows] of this.chunks.entries()) {
          const before = this.passes.pool.over(await store.read({ step: k, chunk }, this.stateBuffer), rows.length);
          await store.write({ step: k + 1, chunk }, await open.run(before));
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
        const slot = { step: this.steps.length, chunk };
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

  /** Scores the tensors of step k, and replaces the state before it in the store by its gradient. */
  async backward(store: StateStore, k: number, step: Step): Promise<TensorScore[]> {
    // From the last block to the first, so the progress counts finished blocks.
    this.work.step(`step 3 of 3: gradients, block ${this.steps.length - k} of ${this.steps.length}`);
    const single = this.chunks.length === 1;
    const graphs = taylorGraphs(this.model, step, single);
    const training = new TrainingStep(this.model, graphs, { keepSessions: false, keepActivations: false });
    const sums = single ? {} : this.zeroSums(step, graphs.parameters);
    try {
      for (const [chunk, rows] of this.chunks.entries()) {
        const x = await store.read({ step: k, chunk }, this.stateBuffer);
        const dy = await store.read({ step: k + 1, chunk }, this.gradientBuffer);
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
        await store.write({ step: k, chunk }, dx);
        this.work.advance(rows.length * BACKWARD_WORK);
      }
    } finally {
      await training.close();
    }
    const scores = single ? sums : await this.foldSums(step, sums);
    const names = parameterKeys(this.model, step.block);
    return graphs.parameters.map((parameter) => {
      const { name } = weightOf(this.model.architecture, names.get(parameter)!)!;
      return { block: step.block, name, score: floats(scores[parameter])[0] };
    });
  }

  private zeroSums(step: Step, parameters: readonly string[]): Record<string, Tensor> {
    const { weights } = this.model;
    const keys = parameterKeys(this.model, step.block);
    const zeros = (shape: readonly number[]): Tensor => {
      return float32(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
    };
    return Object.fromEntries(parameters.map((name) => [name, zeros(weights.shape(keys.get(name)!))]));
  }

  private async foldSums(step: Step, sums: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    const g = new Graph();
    const { weights } = this.model;
    const keys = parameterKeys(this.model, step.block);
    for (const name of Object.keys(sums)) {
      const key = keys.get(name)!;
      const sum = g.input(name, 'float32', weights.shape(key));
      g.output(gradientName(name), taylorScore(g, weights.bind(g, key), sum));
    }
    const session = await this.model.openSession(g.serialize());
    try {
      const scores = await session.run(sums);
      return Object.fromEntries(Object.keys(sums).map((key) => [key, scores[gradientName(key)]]));
    } finally {
      await session.close();
    }
  }
}

/** The block's backward pass. Its gradients are folded into scores, or added to the sums that are fed. */
function taylorGraphs(model: Model, step: Step, fold: boolean): TrainingGraphs {
  return buildTraining(
    model.architecture,
    step,
    (g) => {
      const parameters = fullBlockParameters(g, model.architecture, step.block, bindFrom(g, model.weights));
      return { ...parameters, wanted: () => new Map([...parameters.wanted()].filter(([key]) => !isBias(key))) };
    },
    (g, name, weight, gradient) =>
      fold ? taylorScore(g, weight, gradient) : add(g, g.input(sumName(name), 'float32', gradient.shape), gradient),
  );
}

/** Σ |w ⊙ ∂L/∂w|, a scalar. */
function taylorScore(g: Graph, weight: Value, gradient: Value): Value {
  return reduceSum(g, abs(g, mul(g, weight, gradient)), [...weight.shape.keys()]);
}

/** The weights of a block by their names in its graph. */
function parameterKeys({ architecture }: Model, layer: number): Map<string, WeightKey> {
  return new Map(layerKeys(architecture, layer).map((key) => [inputName(key), key]));
}

function sumName(parameter: string): string {
  return `sum:${parameter}`;
}

function isBias(key: string): boolean {
  return key.endsWith('Bias');
}

export const scoreRows: ScoreRows = async (model, rows, { view }, job) => {
  const { meanNll, blocks, order, tensors, fileBytes } = await scoreTaylor(model, rows, { view }, job);
  const tokens = rows.reduce((sum, row) => sum + row.length - 1, 0);
  return {
    full: { ppl: Math.exp(meanNll), meanNll, tokens },
    blocks,
    order,
    tensors: tensors.map(({ block, name, score }) => ({ block, name: blockOfTensor(name)!.rest, score })),
    ...(fileBytes > 0 && { temporaryBytes: fileBytes }),
  };
};
