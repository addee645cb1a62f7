/**
 * One block during training: forward over a chunk of the residual stream, and backward over the same chunk.
 *
 * With enough memory the forward pass saves what the backward pass needs. Otherwise the backward pass computes it
 * again. The numbers are the same.
 */
import type { GraphFile } from '../onnx/model-file';
import type { Feeds, Fetches, Session, Tensor } from '../onnx/session';
import type { Model } from './model';
import { gradientName, type TrainingGraphs } from './training-graph';

/** Intermediate values of one chunk, from the forward pass to the backward pass. */
export type Activations = Feeds;

export interface BackwardResult {
  /** ∂L/∂x, (tokens, hidden). */
  readonly dx: Tensor;
  /** By parameter, with its shape or the reduced shape. */
  readonly gradients: Readonly<Record<string, Tensor>>;
}

/** Values kept between the passes; the numbers are the same in both cases. */
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
   * @param fetches "y" and, if they are kept, the activations. Their buffers are filled in place, so that the copies of
   * the run can be freed at once. All are newly allocated when omitted
   * @returns y (tokens, hidden), and the activations, if they are kept
   */
  async forward(feeds: Feeds, fetches?: Feeds): Promise<{ y: Tensor; activations: Activations }> {
    const { graphs, policy } = this;
    this.forwardSession ??= await this.open(policy.keepActivations ? graphs.forward() : graphs.forwardOnly());
    const { y, ...activations } = { ...(await this.forwardSession.run(feeds, fetches)), ...fetches };
    return { y, activations };
  }

  /**
   * @param feeds the feeds of the forward pass, its activations, and dy (tokens, hidden)
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
