/**
 * One block during training: forward over a chunk of the residual stream, and backward over the same chunk.
 *
 * With memory to spare the forward pass leaves what the backward pass needs; else the backward pass computes it again.
 * The numbers are the same.
 */
import type { GraphFile } from '../onnx/graph';
import type { Feeds, Fetches, Session, Tensor } from '../onnx/session';
import type { Model } from './model';
import { gradientName, type TrainingGraphs } from './training-graph';

/** Intermediate values of one chunk, from the forward pass to the backward pass. */
export type Activations = Feeds;

export interface BackwardResult {
  /** ∂L/∂x, (tokens, hidden). */
  readonly dx: Tensor;
  /** By parameter, of its shape or what it was reduced to. */
  readonly gradients: Readonly<Record<string, Tensor>>;
}

/** What is held between passes; the numbers are the same either way. */
export interface MemoryPolicy {
  readonly keepSessions: boolean;
  readonly keepActivations: boolean;
}

export class TrainingStep {
  private forwardSession: Session | undefined;
  private backwardSession: Session | undefined;

  constructor(
    private readonly model: Model,
    private readonly graphs: TrainingGraphs,
    private readonly policy: MemoryPolicy,
  ) {}

  /**
   * @param feeds x (tokens, hidden), position feeds, parameters
   * @param fetches "y" and, when they are kept, the activations, which are filled where they are, so that the copies that a
   *   run returns can go at once; all, newly allocated, when omitted
   * @returns y (tokens, hidden), and the activations, none unless they are kept
   */
  async forward(feeds: Feeds, fetches?: Feeds): Promise<{ y: Tensor; activations: Activations }> {
    const { graphs, policy } = this;
    this.forwardSession ??= await this.open(policy.keepActivations ? graphs.forward() : graphs.forwardOnly());
    const { y, ...activations } = { ...(await this.forwardSession.run(feeds, fetches)), ...fetches };
    return { y, activations };
  }

  /**
   * @param feeds those of the forward pass, its activations, and dy (tokens, hidden)
   * @param fetches "dx" and the gradients wanted; all, newly allocated, when omitted
   */
  async backward(feeds: Feeds, fetches?: Fetches): Promise<BackwardResult> {
    const { graphs, policy } = this;
    this.backwardSession ??= await this.open(policy.keepActivations ? graphs.backward() : graphs.recomputing());
    const { dx, ...rest } = await this.backwardSession.run(feeds, fetches);
    return { dx, gradients: Object.fromEntries(graphs.parameters.map((name) => [name, rest[gradientName(name)]])) };
  }

  private open(graph: GraphFile): Promise<Session> {
    return this.model.openSession(graph, { prepack: true, shareMemory: this.policy.keepSessions });
  }

  /** Frees its sessions; a later run opens them again. */
  async close(): Promise<void> {
    await this.forwardSession?.close();
    await this.backwardSession?.close();
    this.forwardSession = this.backwardSession = undefined;
  }
}
