/**
 * Loss and gradients of a batch: micro-batches forward and backward through the blocks, the gradients summed.
 *
 * Where memory allows, sessions stay open and activations are kept for the backward pass; else a block's session is
 * opened for the moment, and its forward pass computed again. Same graphs, same numbers.
 */
import { freemem } from 'node:os';
import { withLayers } from '../../checkpoint/architecture';
import { parametersOf } from '../../checkpoint/parameters';
import { floats, float32, type Feeds, type Tensor } from '../../onnx/session';
import { Arena, concreteShape, type Extents } from '../../model/arena';
import { HeadLoss } from '../../model/head-loss';
import type { Model } from '../../model/model';
import { requireNoAdapter } from '../../model/no-adapter';
import { Positions } from '../../model/positions';
import { NO_TARGET } from '../../model/targets';
import { buildTraining, gradientName, type TrainingGraphs } from '../../model/training-graph';
import { TrainingStep, type Activations, type MemoryPolicy } from '../../model/training-step';
import { microBatches, type Batch, type MicroBatch } from './batch';
import type { DropoutMasks } from './dropout';
import type { Teacher } from '../teacher/teacher';
import type { TrainableModel } from './trainable-model';

export interface BatchResult {
  /** Mean loss over the targets, in nats. */
  readonly loss: number;
  /** Number of targets. */
  readonly targets: number;
  /** By parameter; empty when none were asked for. */
  readonly gradients: Map<string, Float32Array>;
}

/** Shares of the free memory: for the weights of open sessions (each is there twice), and for activations. */
const SESSIONS_SHARE = 0.4;
const ACTIVATIONS_SHARE = 0.3;

/** Tokens of a row where nobody says: the paper's. */
const USUAL_ROW = 256;

/** Hears of the micro-batches that are done; between two of them it is where cancellation is noticed. */
export interface PassWork {
  /** @throws CancelledError */
  check(): void;
  /** @throws CancelledError */
  advance(tokens: number, rows: number): void;
}

export class Backprop {
  private readonly graphs = new Map<string, TrainingGraphs>();
  private readonly open = new Map<string, TrainingStep>();
  private readonly positions = new Map<number, Positions>();
  private readonly arena = new Arena();
  private readonly policy: MemoryPolicy;

  private constructor(
    private readonly model: Model,
    private readonly trainable: TrainableModel,
    private readonly head: HeadLoss,
    private readonly teacher: Teacher | undefined,
    /** Tokens of a micro-batch. */
    private readonly tokensPerRun: number,
    longest: number,
    policy: MemoryPolicy | undefined,
  ) {
    this.policy = policy ?? this.policyFor(freemem(), longest);
  }

  /**
   * @param options `longest`: tokens of the longest row that will come, by which memory is reckoned
   * @throws UserError for a model with an adapter on top
   */
  static async create(
    model: Model,
    trainable: TrainableModel,
    options: { teacher?: Teacher; tokensPerRun?: number; longest?: number; policy?: MemoryPolicy } = {},
  ): Promise<Backprop> {
    requireNoAdapter(model, 'train');
    const { teacher, tokensPerRun = trainable.tokensPerRun, longest = USUAL_ROW, policy } = options;
    const head = await HeadLoss.open(model, { ...trainable.head.options, teacher: teacher?.part });
    return new Backprop(model, trainable, head, teacher, tokensPerRun, longest, policy);
  }

  /**
   * Mean loss over all targets of the batch and its gradients.
   * @param dropout masks and the number of the optimiser's step; none when undefined
   * @throws CancelledError
   */
  async gradients(
    batch: Batch,
    work?: PassWork,
    dropout?: { masks: DropoutMasks; step: number },
  ): Promise<BatchResult> {
    const sums = new Map<string, Float32Array>();
    const { loss, targets } = await this.pass(batch, work, async (micro, scale) => {
      const inputs: Tensor[] = [];
      const kept: Activations[] = [];
      const feeds = this.trainable.steps.map((_, k) => this.feeds(k, micro, dropout));
      let x = await this.embed(micro);
      for (const k of this.trainable.steps.keys()) {
        inputs.push(x);
        const { y, activations } = await this.forward(k, { ...feeds[k], x }, micro);
        kept.push(activations);
        x = y;
      }
      const head = await this.headLoss(x, micro, scale);
      for (const [key, gradient] of Object.entries(head.gradients))
        addTo(sums, this.trainable.head.nameOf(key), gradient);
      let dy = float32(head.dx, x.dims);
      for (const k of [...this.trainable.steps.keys()].reverse()) {
        dy = await this.backward(k, { ...feeds[k], ...kept[k], x: inputs[k], dy }, micro, sums);
        kept[k] = {};
      }
      this.trainable.addEmbeddingGradient?.(micro.ids, floats(dy), sums);
      return head.loss;
    });
    return { loss, targets, gradients: sums };
  }

  /** Mean cross-entropy over all targets of the batch, without dropout or teacher. @throws CancelledError */
  async loss(batch: Batch, work?: PassWork): Promise<BatchResult> {
    const { loss, targets } = await this.pass(batch, work, async (micro, scale) => {
      let x = await this.embed(micro);
      for (const k of this.trainable.steps.keys())
        ({ y: x } = await this.forward(k, { ...this.feeds(k, micro), x }, micro));
      const head = this.trainable.head.feeds();
      return (await this.head.run(floats(x), micro.targets, scale, head, this.teacher?.silent())).crossEntropy;
    });
    return { loss, targets, gradients: new Map() };
  }

  /** What the activations of a micro-batch of rows of `length` tokens take where they are kept. */
  activationBytes(length: number): number {
    const tokens = Math.max(this.tokensPerRun, length);
    const extents = { tokens, rows: Math.ceil(tokens / length), length };
    return this.trainable.steps.reduce((sum, _, k) => sum + bytesOfSaved(this.graphsOf(k), extents), 0);
  }

  async close(): Promise<void> {
    for (const step of this.open.values()) await step.close();
    await this.head.close();
  }

  private async pass(
    batch: Batch,
    work: PassWork | undefined,
    run: (micro: MicroBatch, scale: number) => Promise<number>,
  ): Promise<{ loss: number; targets: number }> {
    const micros = microBatches(batch, this.tokensPerRun);
    const targets = micros.reduce((n, m) => n + m.targets.reduce((c, t) => c + Number(t !== NO_TARGET), 0), 0);
    let sum = 0;
    for (const micro of micros) {
      work?.check();
      sum += await run(micro, 1 / Math.max(1, targets));
      const tokens = micro.rows.reduce((n, row) => n + batch.rows[row].length, 0); // without padding
      work?.advance(tokens, micro.rows.length);
    }
    return { loss: targets === 0 ? 0 : sum / targets, targets };
  }

  private async embed(micro: MicroBatch): Promise<Tensor> {
    const x = this.arena.take('embedded', [micro.ids.length, this.model.architecture.hidden]);
    await this.trainable.embed(micro.ids, floats(x));
    return x;
  }

  private async forward(k: number, feeds: Feeds, micro: MicroBatch): Promise<{ y: Tensor; activations: Activations }> {
    const { graphs, step } = this.step(k);
    const extents = extentsOf(micro);
    const fetches: Record<string, Tensor> = {
      y: this.arena.take(`state ${k + 1}`, [micro.ids.length, this.model.architecture.hidden]),
    };
    if (this.policy.keepActivations) {
      for (const { name, shape } of graphs.saved) {
        fetches[name] = this.arena.take(`saved ${k} ${name}`, concreteShape(shape, extents));
      }
    }
    const result = await step.forward(feeds, fetches);
    if (!this.policy.keepSessions) await step.close();
    return result;
  }

  /** Adds the gradients of step k's parameters to `sums`. @returns ∂L/∂x */
  private async backward(k: number, feeds: Feeds, micro: MicroBatch, sums: Map<string, Float32Array>): Promise<Tensor> {
    const { graphs, step } = this.step(k);
    const fetches: Record<string, Tensor> = {
      dx: this.arena.take(`gradient ${k % 2}`, [micro.ids.length, this.model.architecture.hidden]),
    };
    for (const name of graphs.parameters) {
      const { shape } = this.trainable.parameters.get(this.trainable.nameOf(k, name))!;
      fetches[gradientName(name)] = this.arena.take(gradientName(name), shape);
    }
    const { dx, gradients } = await step.backward(feeds, fetches);
    for (const [name, gradient] of Object.entries(gradients))
      addTo(sums, this.trainable.nameOf(k, name), floats(gradient));
    if (!this.policy.keepSessions) await step.close();
    return dx;
  }

  private async headLoss(x: Tensor, micro: MicroBatch, scale: number): ReturnType<HeadLoss['run']> {
    const teacher = await this.teacher?.states(micro);
    return this.head.run(floats(x), micro.targets, scale, this.trainable.head.feeds(), teacher);
  }

  /** Everything but x and dy that a run of step k is fed. */
  private feeds(k: number, micro: MicroBatch, dropout?: { masks: DropoutMasks; step: number }): Feeds {
    const { trainable } = this;
    const feeds: Record<string, Tensor> = { ...trainable.stepFeeds(k) };
    if (trainable.steps[k].attention) {
      let positions = this.positions.get(micro.length);
      if (!positions)
        this.positions.set(micro.length, (positions = new Positions(this.model.architecture, micro.length)));
      Object.assign(feeds, positions.plain(trainable.steps[k].block));
    }
    for (const [site, { name, width }] of trainable.dropoutSites(k).entries()) {
      const mask = this.arena.take(`${name} ${k}`, [micro.ids.length, width]);
      const perRow = micro.length * width;
      micro.rows.forEach((row, r) => {
        const into = floats(mask).subarray(r * perRow, (r + 1) * perRow);
        if (dropout) dropout.masks.fill(into, { step: dropout.step, row, block: k, site });
        else into.fill(1);
      });
      feeds[name] = mask;
    }
    return feeds;
  }

  private step(k: number): { graphs: TrainingGraphs; step: TrainingStep } {
    const key = this.trainable.sessionKey(k);
    const graphs = this.graphsOf(k);
    let step = this.open.get(key);
    if (!step) this.open.set(key, (step = new TrainingStep(this.model, graphs, this.policy)));
    return { graphs, step };
  }

  private graphsOf(k: number): TrainingGraphs {
    const { trainable, model } = this;
    const key = trainable.sessionKey(k);
    let graphs = this.graphs.get(key);
    if (!graphs) {
      graphs = buildTraining(model.architecture, trainable.steps[k], (g) => trainable.trainables(g, k));
      this.graphs.set(key, graphs);
    }
    return graphs;
  }

  private policyFor(free: number, longest: number): MemoryPolicy {
    const { steps } = this.trainable;
    const computed = withLayers(
      this.model.architecture,
      steps.map((step) => step.block),
    );
    const weights = 4 * parametersOf(computed);
    return {
      keepSessions: 2 * weights < SESSIONS_SHARE * free,
      // Of the longest rows: their attention is the largest that there will be.
      keepActivations: this.activationBytes(longest) < ACTIVATIONS_SHARE * free,
    };
  }
}

function bytesOfSaved({ saved }: TrainingGraphs, extents: Extents): number {
  return saved.reduce((sum, { shape }) => sum + 4 * concreteShape(shape, extents).reduce((a, b) => a * b, 1), 0);
}

function extentsOf({ ids, rows, length }: MicroBatch): Extents {
  return { tokens: ids.length, rows: rows.length, length };
}

function addTo(sums: Map<string, Float32Array>, name: string, gradient: Float32Array): void {
  const sum = sums.get(name);
  if (!sum) sums.set(name, Float32Array.from(gradient));
  else for (let i = 0; i < sum.length; i++) sum[i] += gradient[i];
}
