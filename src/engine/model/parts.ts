/** What a kind of mixer or of feed-forward gets to compute with, and how it says what it computes. */
import type { Architecture, LinearName } from '../checkpoint/architecture';
import type { BlockWeightName } from '../checkpoint/weight-key';
import type { Graph, Value } from '../onnx/graph';
import type { Flow } from './flow';

export interface BlockStrategies {
  /** A stored weight as it is: of norms, convolutions, routers. Linears are applied by `project`. */
  readonly weight: (name: BlockWeightName) => Value;
  /** Applies several Linears to one input. (tokens, in) → (tokens, out) each. */
  readonly project: (x: Value, linears: readonly LinearName[]) => Value[];
  /**
   * (tokens, heads · headDim), 2 × (tokens, kvHeads · headDim) → (tokens, heads · headDim)
   * @param sinks (heads), where the attention has them
   */
  readonly attend: (query: Value, key: Value, value: Value, sinks?: Value) => Value;
  /** Set where an expert computes the tokens that chose it alone; if absent, all of them, which has gradients. */
  readonly picksTokens?: true;
  /** How tokens follow each other in mixers that carry something from token to token. */
  readonly flow: Flow;
}

/** The strategies with the settings of the model, and its norm. */
export interface Parts extends BlockStrategies {
  readonly architecture: Architecture;
  /** RMSNorm by a stored weight. */
  readonly norm: (input: Value, name: BlockWeightName) => Value;
}

/** What a module of a kind adds to the stream, without its norms. x: (tokens, hidden) → (tokens, hidden) */
export type Compute<Shape> = (g: Graph, x: Value, shape: Shape, parts: Parts) => Value;
