/** A model ready to compute: the source of its weights, the device, and sessions over both. */
import { memoryFor } from '../memory';
import type { Architecture } from '../checkpoint/architecture';
import type { Checkpoint } from '../checkpoint/types';
import { chooseDevice, type DeviceChoice, type DeviceReport } from '../onnx/device';
import { Graph } from '../onnx/graph';
import type { GraphFile } from '../onnx/model-file';
import { openSession, type Session, type SessionSettings, type Tensor } from '../onnx/session';
import { halfOn, requirePrecision } from '../onnx/require-precision';
import type { JobOptions } from '../progress';
import { blockWeights, type KeepQuantized } from '../weights/blocks/open';
import { Bfloat16 } from '../weights/bfloat16';
import { Half } from '../weights/half';
import { withChanges } from '../weights/overlay';
import type { Precision } from '../precision';
import type { KeyedPatch } from '../weights/patches';
import { checkpointWeights } from '../weights/checkpoint';
import type { WeightSource } from '../weights/source';
import { Embedding } from './embedding';
import { HeldSessions, heldSessionBytes, type Lent } from './held-sessions';
import { expertMemory, type ExpertMemory } from './expert-memory';

/** Lists of changes to single weights, each on top of the one before. */
export type Changes = readonly (readonly KeyedPatch[])[];

export interface ModelOptions {
  readonly device?: DeviceChoice;
  /** Threads of one run; what COPPICE_THREADS says, or onnxruntime's choice (one per core), when undefined. */
  readonly threads?: number;
  /** Budget for hidden states, in bytes; an eighth of the machine's memory when undefined. */
  readonly memory?: number;
  /** Room for the experts of a block; what `memory` gives when undefined. */
  readonly experts?: ExpertMemory;
  /**
   * float16 computes Linears and attention products in half precision, on a GPU that can; bfloat16 computes Linears so, on a
   * CPU that can; int8 and int4 compute Linears with weights in blocks of 32, on the CPU. float32 when undefined.
   */
  readonly precision?: Precision;
  /** Where quantized weights are kept for the next time. */
  readonly quantized?: KeepQuantized;
  /** Progress and cancelling while weights are quantized. */
  readonly opening?: JobOptions;
  /** Changes to the checkpoint's weights, such as an adapter; each list lies on top of the one before. */
  readonly changes?: Changes;
  readonly hooks?: ModelHooks;
}

/** Callbacks for the code that opened the model. */
export interface ModelHooks {
  /** Called once the device is chosen. */
  readonly onDevice?: (device: DeviceReport) => void;
  /** Called with what the user should know about opening the model. */
  readonly onNote?: (text: string) => void;
  /** Awaited before every run, for example to let another job take its turn. */
  readonly beforeRun?: () => Promise<void>;
}

/**
 * Opens the model of a checkpoint, with changes on top if given.
 * @throws UserError when the checkpoint can only be inspected, or the device is missing
 */
export async function openModel(checkpoint: Checkpoint, options: ModelOptions = {}): Promise<Model> {
  const { changes = [], ...others } = options;
  return await openModelOver(withChanges(checkpointWeights(checkpoint), changes), checkpoint, others);
}

/**
 * Opens a model over any source of weights. The model closes the source.
 * @param checkpoint names the model in messages and records; its own weights are not read
 * @throws UserError when the device is missing or does not have the precision, or a file of weights cannot be read
 */
export async function openModelOver(
  weights: WeightSource,
  checkpoint: Checkpoint,
  options: Omit<ModelOptions, 'changes'> = {},
): Promise<Model> {
  const { threads, experts, hooks, quantized, opening, precision = 'float32' } = options;
  const { memory = memoryFor('hiddenStates') } = options;
  let source = weights;
  try {
    const isHalf = precision === 'float16';
    const inBlocks = precision === 'int8' || precision === 'int4';
    const { device: asked = 'auto' } = options;
    const needsCpu = inBlocks || precision === 'bfloat16';
    const chosen = await chooseDevice(needsCpu && asked === 'auto' ? 'cpu' : asked, threads);
    if (needsCpu) await requirePrecision(precision, chosen, [precision]);
    const device = isHalf ? { ...chosen, half: await halfOn(chosen.provider) } : chosen;
    const embedding = await Embedding.open(weights);
    hooks?.onDevice?.(device);
    if (isHalf) source = new Half(weights);
    if (precision === 'bfloat16') source = new Bfloat16(weights);
    if (inBlocks)
      source = await blockWeights(weights, precision, { ...quantized, job: opening, onNote: hooks?.onNote });
    const settings = { device, memory, experts, threads, beforeRun: hooks?.beforeRun };
    return new Model({ checkpoint, weights: source, embedding, ...settings });
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Weights on the device. */
export interface DeviceWeights {
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** Frees them. */
  readonly close: () => Promise<void>;
}

interface ModelParts {
  readonly checkpoint: Checkpoint;
  readonly weights: WeightSource;
  readonly embedding: Embedding;
  readonly device: DeviceReport;
  readonly memory: number;
  readonly experts?: ExpertMemory;
  readonly threads?: number;
  readonly beforeRun?: () => Promise<void>;
  /** Closing the model leaves its weights open. */
  readonly isBeside?: boolean;
}

export class Model {
  private readonly shared = new Map<string, Session>();
  private held: HeldSessions | undefined;

  /** Names the model in messages and records. */
  readonly checkpoint: Checkpoint;
  readonly weights: WeightSource;
  readonly embedding: Embedding;
  readonly device: DeviceReport;
  /** Budget for hidden states, in bytes. */
  readonly memory: number;
  /** Room for the experts of a block. */
  readonly experts: ExpertMemory;
  readonly threads: number | undefined;
  private readonly beforeRun: (() => Promise<void>) | undefined;
  private readonly isBeside: boolean;

  constructor(parts: ModelParts) {
    this.checkpoint = parts.checkpoint;
    this.weights = parts.weights;
    this.embedding = parts.embedding;
    this.device = parts.device;
    this.memory = parts.memory;
    this.experts = parts.experts ?? expertMemory(parts.memory);
    this.threads = parts.threads;
    this.beforeRun = parts.beforeRun;
    this.isBeside = parts.isBeside ?? false;
  }

  get architecture(): Architecture {
    return this.weights.architecture;
  }

  /** The arithmetic of its Linears. */
  get precision(): Precision {
    return this.weights.precision ?? 'float32';
  }

  /**
   * A session over a graph, on the model's device. The caller closes it.
   * @throws UserError for a weight that the model's precision cannot hold
   */
  async openSession(
    graph: GraphFile,
    settings: Pick<SessionSettings, 'prepack' | 'shareMemory' | 'onDevice'> = {},
  ): Promise<Session> {
    const { device, threads, beforeRun } = this;
    await this.weights.check?.();
    return openSession(graph, { ...settings, provider: device.provider, threads, beforeRun });
  }

  /**
   * The same checkpoint with other weights, on the same device and with the same hooks, in the precision of the source.
   * It closes the source.
   * @throws UserError when a file of weights cannot be read
   */
  withWeights(weights: WeightSource): Promise<Model> {
    const { checkpoint, device, threads, memory, experts, beforeRun } = this;
    const settings = { device: device.provider, threads, memory, experts };
    return openModelOver(weights, checkpoint, { ...settings, hooks: { beforeRun } });
  }

  /**
   * A second model beside this one, over a source that reads this model's weights, such as one of another precision.
   * Closing it leaves the weights open; it must be closed first.
   */
  beside(weights: WeightSource): Model {
    const { checkpoint, embedding, device, memory, experts, threads, beforeRun } = this;
    const settings = { device, memory, experts, threads, beforeRun };
    return new Model({ checkpoint, weights, embedding, ...settings, isBeside: true });
  }

  /** A session that is opened once and closed with the model. */
  async sharedSession(name: string, graph: () => GraphFile, onDevice: readonly string[]): Promise<Session> {
    let session = this.shared.get(name);
    if (!session) this.shared.set(name, (session = await this.openSession(graph(), { onDevice })));
    return session;
  }

  /**
   * While `use` passes over the model several times, steps that were opened stay open, if all of them have room in the memory that is
   * free. Then the next pass opens nothing.
   */
  async holdingSessions<T>(use: () => Promise<T>): Promise<T> {
    if (this.held || !this.canHoldSessions) return use();
    this.held = new HeldSessions();
    try {
      return await use();
    } finally {
      const { held } = this;
      this.held = undefined;
      await held.close();
    }
  }

  /** From now on steps that were opened stay open until the model is closed, if all of them have room in the memory that is free now. */
  holdSessions(): void {
    if (this.canHoldSessions) this.held ??= new HeldSessions();
  }

  get holdsSessions(): boolean {
    return this.held !== undefined;
  }

  /** A session over a step or a piece of the head, which may stay open after its user has closed it. @param name equal names have equal graphs */
  async stepSession(name: string, graph: () => GraphFile): Promise<Lent> {
    // Sessions that stay open side by side share the memory for what they compute.
    if (this.held) return this.held.lend(name, () => this.openSession(graph(), { prepack: true, shareMemory: true }));
    const session = await this.openSession(graph(), { prepack: true });
    return { session, close: () => session.close() };
  }

  /** Whether open sessions over all steps have room. */
  get canHoldSessions(): boolean {
    return heldSessionBytes(this.architecture, this.precision) <= memoryFor('sweepSessions');
  }

  /**
   * Weights as tensors on the device, by the names that `build` gives the outputs of its graph. Their memory
   * belongs to the session that loaded them, so that session remains open until they are closed.
   */
  async deviceWeights(build: (g: Graph) => readonly string[]): Promise<DeviceWeights> {
    const g = new Graph();
    const onDevice = build(g);
    const session = await this.openSession(g.serialize(), { onDevice });
    let tensors: Record<string, Tensor> = {};
    const close = async (): Promise<void> => {
      for (const tensor of Object.values(tensors)) tensor.dispose();
      await session.close();
    };
    try {
      tensors = await session.run({});
      return { tensors, close };
    } catch (error) {
      await close();
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const session of this.shared.values()) await session.close();
    this.shared.clear();
    await this.held?.close();
    await (this.isBeside ? this.weights.release?.() : this.weights.close());
  }
}
