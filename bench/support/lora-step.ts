/** A step of the optimiser as `coppice retrain` takes it, and what its products would take by themselves. */
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { elements } from '../../src/engine/checkpoint/parameters';
import { blockWeights, outerWeights } from '../../src/engine/checkpoint/weight-names';
import { LINEAR_NAMES } from '../../src/engine/adapter/names';
import { AdamW, clipFactor, totalNorm, type Parameters } from '../../src/engine/retrain/loop/adamw';
import { Backprop } from '../../src/engine/retrain/loop/backprop';
import type { Batch } from '../../src/engine/retrain/loop/batch';
import { DropoutMasks } from '../../src/engine/retrain/loop/dropout';
import { initialAdapters, loraModel } from '../../src/engine/retrain/lora/lora-model';
import type { TrainableModel } from '../../src/engine/retrain/loop/trainable-model';
import { HEAD_LOSS_PIECE } from '../../src/engine/model/head-loss-graph';
import { type Model, openModel } from '../../src/engine/model/model';
import { viewWithout } from '../../src/engine/model/view';
import { inRowInt8 } from '../../src/engine/weights/row-int8';
import { timed } from './numbers';
import { Products } from './products';

/** The settings of Shortened LLaMA. */
const SHAPE = { rank: 8, alpha: 16, targets: LINEAR_NAMES, dropout: true };
const DROPOUT = 0.05;
const LEARNING_RATE = 1e-4;
/** Tries of each size of micro-batches. */
const TRIES = 4;
/** Words of the head in one product when its rate is measured, and tokens: as the engine cuts it. */
const HEAD = { words: HEAD_LOSS_PIECE, tokens: 340 };

export class LoraStep {
  private backprop: Backprop | undefined;
  private readonly optimizer: AdamW;
  private readonly masks = new DropoutMasks(DROPOUT, 1);
  private step = 0;
  firstLoss = NaN;

  private constructor(
    readonly model: Model,
    private readonly trainable: TrainableModel,
    private readonly parameters: Parameters,
    private readonly batch: Batch,
  ) {
    this.optimizer = new AdamW(parameters, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 });
  }

  /**
   * @param rows of one length; every token but the first of each is a target
   * @param precision of frozen products
   */
  static async open(
    folder: string,
    removed: readonly number[],
    rows: readonly number[][],
    threads: number | undefined,
    precision: 'float32' | 'int8' = 'float32',
  ): Promise<LoraStep> {
    const model = await openModel(await openCheckpoint(folder), { device: 'cpu', threads });
    const view = viewWithout(
      model.architecture.layers.length,
      removed.map((block) => ({ block })),
    );
    const parameters = initialAdapters(model, view, SHAPE, 1);
    const targets = rows.map((row) => [...row.slice(1), -1]);
    const frozen = precision === 'int8' ? await inRowInt8(model.weights) : model.weights;
    if (!frozen) throw new Error('int8 products are wrong on this processor');
    return new LoraStep(model, loraModel(model, view, SHAPE, parameters, frozen), parameters, { rows, targets });
  }

  get tokens(): number {
    return this.batch.rows.length * this.batch.rows[0].length;
  }

  /** Operations of the blocks: each Linear once forward and once backward, each matrix of an adapter thrice. */
  get blockFlops(): number {
    const weights = blockWeights(this.model.architecture, 0);
    const linears = LINEAR_NAMES.reduce((sum, name) => sum + elements(weights[name]!.shape), 0);
    const adapters = [...this.parameters.values()].reduce((sum, { values }) => sum + values.length, 0);
    return this.tokens * (4 * linears * this.trainable.steps.length + 6 * adapters);
  }

  /** Operations of the head: once forward, once backward, for every target. */
  get headFlops(): number {
    const [{ length }, rows] = [this.batch.rows[0], this.batch.rows.length];
    return 4 * rows * (length - 1) * elements(outerWeights(this.model.architecture).head.shape);
  }

  get flops(): number {
    return this.blockFlops + this.headFlops;
  }

  /** Goes on with the micro-batches, in tokens, that take the least time, of some tries, over as many rows as fill the largest. */
  async fastestCut(cuts: readonly number[]): Promise<number> {
    const rows = Math.min(this.batch.rows.length, Math.ceil(Math.max(...cuts) / this.batch.rows[0].length));
    const some = { rows: this.batch.rows.slice(0, rows), targets: this.batch.targets.slice(0, rows) };
    const seconds: number[] = [];
    for (const cut of cuts) {
      await this.cutInto(cut);
      await this.gradients(some); // opens the sessions
      let least = Infinity;
      for (let i = 0; i < TRIES; i++) least = Math.min(least, (await timed(() => this.gradients(some))).seconds);
      seconds.push(least);
    }
    const best = cuts[seconds.indexOf(Math.min(...seconds))];
    await this.cutInto(best);
    await this.gradients(some);
    return best;
  }

  /** One step over the batch. */
  async run(): Promise<void> {
    this.step++;
    const { loss, gradients } = await this.gradients(this.batch);
    if (this.step === 1) this.firstLoss = loss;
    this.optimizer.update(this.step, LEARNING_RATE, gradients, clipFactor(totalNorm(gradients), 1));
  }

  async close(): Promise<void> {
    await this.backprop?.close();
    await this.model.close();
  }

  private async cutInto(tokensPerRun: number): Promise<void> {
    await this.backprop?.close();
    this.backprop = await Backprop.create(this.model, this.trainable, { tokensPerRun });
  }

  private gradients(batch: Batch): ReturnType<Backprop['gradients']> {
    return this.backprop!.gradients(batch, undefined, { masks: this.masks, step: this.step });
  }
}

/** The seconds that onnxruntime's bare products would take for the operations of a step. */
export class GemmTime {
  private constructor(
    private readonly step: LoraStep,
    private readonly block: Products,
    private readonly head: Products,
  ) {}

  /** @param tokens of a micro-batch */
  static async open(step: LoraStep, tokens: number, threads: number | undefined): Promise<GemmTime> {
    const { architecture } = step.model;
    const words = Math.min(HEAD.words, architecture.vocabulary);
    const block = await Products.block(architecture, Math.min(tokens, step.tokens), threads);
    return new GemmTime(step, block, await Products.headPiece(architecture, words, HEAD.tokens, threads));
  }

  async seconds(): Promise<number> {
    return this.step.blockFlops / (await this.block.rate()) + this.step.headFlops / (await this.head.rate());
  }

  async close(): Promise<void> {
    await this.block.close();
    await this.head.close();
  }
}
