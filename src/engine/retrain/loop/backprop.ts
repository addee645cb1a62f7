/**
 * Loss and gradients of a batch: micro-batches go forward and backward through the blocks, and their gradients are
 * summed.
 *
 * If memory allows, sessions stay open and activations are kept for the backward pass. Otherwise a step's session is
 * opened for each run, and its forward pass is recomputed. The graphs and the numbers are the same.
 */
import { memoryFor } from '../../memory';
import { withLayers } from '../../checkpoint/architecture';
import { parametersOf } from '../../checkpoint/parameters';
import { floats, float32, type Tensor } from '../../onnx/session';
import { Arena } from '../../model/arena';
import { HeadLoss } from '../../model/head-loss';
import { HiddenLoss } from '../../model/hidden-loss';
import type { Model } from '../../model/model';
import { requireNoAdapter } from '../../model/no-adapter';
import { Positions } from '../../model/positions';
import { lengthClass } from '../../model/rotary';
import { NO_TARGET } from '../../model/targets';
import { buildTraining, type TrainingGraphs } from '../../model/training-graph';
import { TrainingStep, type Activations, type MemoryPolicy } from '../../model/training-step';
import { countTokens, microBatches, type Batch, type MicroBatch } from './batch';
import { addGradient, addInto, type GradientSums } from './gradient-sums';
import { activationBytes, type Dropout, StepPass } from './step-pass';
import type { Taught } from '../teacher/teacher';
import type { TrainableModel } from './trainable-model';

export interface BatchResult {
  /** Mean loss over the targets, in nats. */
  readonly loss: number;
  /** Number of targets. */
  readonly targets: number;
  /** By parameter; empty when none were requested. */
  readonly gradients: GradientSums;
}

export interface BackpropOptions {
  readonly teacher?: Taught;
  /** Tokens of a micro-batch; the model's default when undefined. */
  readonly tokensPerRun?: number;
  /** Tokens of the longest row, for the choice of the memory policy. */
  readonly longest?: number;
  /** Depends on the free memory when undefined. */
  readonly policy?: MemoryPolicy;
}

/** Default tokens of a row: the paper's. */
const USUAL_ROW = 256;

/** Receives progress after each micro-batch. Cancellation takes effect between two of them. */
export interface PassWork {
  /** @throws CancelledError */
  check(): void;
  /** @throws CancelledError */
  advance(tokens: number, rows: number): void;
}

export class Backprop {
  /** The graphs of each step; steps with equal keys share them. */
  private readonly graphs: readonly TrainingGraphs[];
  private readonly sessions = new Map<TrainingGraphs, TrainingStep>();
  private readonly steps: readonly StepPass[];
  private readonly positions = new Map<number, Positions>();
  private readonly arena = new Arena();
  private readonly tokensPerRun: number;
  /** The first step with something to train; the backward pass ends there. */
  private readonly first: number;
  private readonly teacher: Taught | undefined;

  private constructor(
    private readonly model: Model,
    private readonly trainable: TrainableModel,
    private readonly head: HeadLoss,
    /** A trained head is fed, so another session without its gradient takes no memory. */
    private readonly measuring: HeadLoss,
    /** Set if the teacher's hidden states count. */
    private readonly hidden: HiddenLoss | undefined,
    options: BackpropOptions,
  ) {
    this.tokensPerRun = options.tokensPerRun ?? trainable.tokensPerRun;
    this.teacher = options.teacher;
    this.first = firstTrained(trainable);
    this.graphs = trainingGraphs(model, trainable);
    const policy = options.policy ?? this.policyFor(options.longest ?? USUAL_ROW);
    const positions = (length: number): Positions => this.positionsOf(length);
    const shared = { model, parameters: trainable.parameters, arena: this.arena, positions };
    this.steps = trainable.steps.map((trained, k) => {
      const graphs = this.graphs[k];
      // Steps before the first trained one have no backward pass that could use their activations.
      const own = k < this.first ? { ...policy, keepActivations: false } : policy;
      if (!this.sessions.has(graphs)) this.sessions.set(graphs, new TrainingStep(model, graphs, own));
      return new StepPass(k, trained, graphs, this.sessions.get(graphs)!, { ...shared, policy: own });
    });
  }

  /** @throws UserError for a model with an adapter on top */
  static async create(model: Model, trainable: TrainableModel, options: BackpropOptions = {}): Promise<Backprop> {
    requireNoAdapter(model, 'train');
    const { teacher } = options;
    const { bind, trainable: isTrained } = trainable.head.options;
    const head = await HeadLoss.open(model, { bind, trainable: isTrained, teacher: teacher?.part });
    const measuring = bind ? await HeadLoss.open(model, { bind, measures: true }) : head;
    const hidden = teacher?.hidden && (await HiddenLoss.open(model, teacher.hidden.weight));
    return new Backprop(model, trainable, head, measuring, hidden, options);
  }

  /**
   * Mean loss over all targets of the batch, and its gradients.
   * @throws CancelledError
   */
  async gradients(batch: Batch, work?: PassWork, dropout?: Dropout): Promise<BatchResult> {
    const sums: GradientSums = new Map();
    const { loss, targets } = await this.pass(batch, work, async (micro, scale) => {
      const inputs: Tensor[] = [];
      const kept: Activations[] = [];
      const feeds = this.steps.map((step) => step.feeds(micro, dropout));
      let x = await this.embed(micro);
      for (const [k, step] of this.steps.entries()) {
        inputs.push(x);
        const { y, activations } = await step.forward({ ...feeds[k], x }, micro);
        kept.push(activations);
        x = y;
      }
      const taught = await this.teacher?.states(micro, batch.rows, this.head);
      const head = await this.head.run(floats(x), micro.targets, scale, this.trainable.head.feeds, taught);
      // The state before the last block: the teacher's is that of the same place in the whole model.
      const hidden = await this.hidden?.run(floats(inputs.at(-1)!), taught!.hidden!, micro.targets, scale);
      for (const [key, gradient] of Object.entries(head.gradients)) {
        addGradient(sums, this.trainable.head.names.get(key)!, gradient);
      }
      let dy = float32(head.dx, x.dims);
      for (let k = this.steps.length - 1; k >= this.first; k--) {
        const step = this.steps[k];
        dy = await step.backward({ ...feeds[k], ...kept[k], x: inputs[k], dy }, micro, sums);
        kept[k] = {};
        if (hidden && k === this.steps.length - 1) addInto(floats(dy), hidden.dx);
      }
      this.trainable.embedding.addGradient?.(micro.ids, floats(dy), sums);
      return head.loss + (hidden?.loss ?? 0);
    });
    return { loss, targets, gradients: sums };
  }

  /** Mean cross-entropy over all targets of the batch, without dropout or teacher. @throws CancelledError */
  async loss(batch: Batch, work?: PassWork): Promise<BatchResult> {
    const teacher = this.measuring === this.head ? this.teacher?.silent() : undefined;
    const { loss, targets } = await this.pass(batch, work, async (micro) => {
      let x = await this.embed(micro);
      for (const step of this.steps) ({ y: x } = await step.forward({ ...step.feeds(micro), x }, micro));
      return this.measuring.measure(floats(x), micro.targets, this.trainable.head.feeds, teacher);
    });
    return { loss, targets, gradients: new Map() };
  }

  /** Bytes of the activations of a micro-batch with rows of `length` tokens, if they are kept. */
  activationBytes(length: number): number {
    const tokens = Math.max(this.tokensPerRun, length);
    const extents = { tokens, rows: Math.ceil(tokens / length), length };
    return this.graphs.slice(this.first).reduce((sum, graphs) => sum + activationBytes(graphs, extents), 0);
  }

  async close(): Promise<void> {
    for (const step of this.sessions.values()) await step.close();
    await this.head.close();
    if (this.measuring !== this.head) await this.measuring.close();
    await this.hidden?.close();
  }

  private async pass(
    batch: Batch,
    work: PassWork | undefined,
    run: (micro: MicroBatch, scale: number) => Promise<number>,
  ): Promise<{ loss: number; targets: number }> {
    const classOf = (length: number): string =>
      `${lengthClass(this.model.architecture, length)} ${this.teacher?.lengthClass(length)}`;
    const micros = microBatches(batch, this.tokensPerRun, classOf);
    const targets = micros.reduce((n, m) => n + m.targets.reduce((c, t) => c + Number(t !== NO_TARGET), 0), 0);
    let sum = 0;
    for (const micro of micros) {
      work?.check();
      sum += await run(micro, 1 / Math.max(1, targets));
      work?.advance(countTokens(micro.rows.map((row) => batch.rows[row])), micro.rows.length);
    }
    return { loss: targets === 0 ? 0 : sum / targets, targets };
  }

  private async embed(micro: MicroBatch): Promise<Tensor> {
    const x = this.arena.take('embedded', [micro.ids.length, this.model.architecture.hidden]);
    await this.trainable.embedding.lookUp(micro.ids, floats(x));
    return x;
  }

  private positionsOf(length: number): Positions {
    let positions = this.positions.get(length);
    if (!positions) this.positions.set(length, (positions = new Positions(this.model.architecture, length)));
    return positions;
  }

  private policyFor(longest: number): MemoryPolicy {
    const blocks = this.trainable.steps.map(({ step }) => step.block);
    const weights = this.trainable.bytesPerWeight * parametersOf(withLayers(this.model.architecture, blocks));
    return {
      keepSessions: 2 * weights < memoryFor('trainingSessions'),
      // For the longest rows, whose attention is the largest.
      keepActivations: this.activationBytes(longest) < memoryFor('trainingActivations'),
    };
  }
}

/** The index of the first step whose gradient is of use; the number of steps when none is. */
function firstTrained({ embedding, steps }: TrainableModel): number {
  if (embedding.addGradient) return 0;
  const found = steps.findIndex(({ names }) => names.size > 0);
  return found === -1 ? steps.length : found;
}

function trainingGraphs(model: Model, { steps }: TrainableModel): TrainingGraphs[] {
  const byKey = new Map<string, TrainingGraphs>();
  return steps.map(({ step, sessionKey, declare }) => {
    let graphs = byKey.get(sessionKey);
    if (!graphs) byKey.set(sessionKey, (graphs = buildTraining(model.architecture, step, declare)));
    return graphs;
  });
}
