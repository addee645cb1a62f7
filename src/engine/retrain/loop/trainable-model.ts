/** What training needs to know of what it trains: adapters on a frozen model, or every weight. */
import type { Graph } from '../../onnx/graph';
import type { Feeds } from '../../onnx/session';
import type { HeadLossOptions } from '../../model/head-loss';
import type { Trainables } from '../../model/training-graph';
import type { Step } from '../../model/view';
import type { Parameters } from './adamw';

/** An input of a block's graph that dropout masks. */
export interface DropoutSite {
  /** Name of the mask among the graph's feeds, (tokens, width). */
  readonly name: string;
  readonly width: number;
}

/** The head's weights: where they come from, and which are trained under which names. */
export interface TrainableHead {
  readonly options: Pick<HeadLossOptions, 'bind' | 'trainable'>;
  readonly feeds: () => Feeds;
  readonly nameOf: (key: string) => string;
}

export interface TrainableModel {
  /** The parts of the model that take part, in order; k below counts along them. */
  readonly steps: readonly Step[];
  readonly parameters: Parameters;
  /** Tokens of a micro-batch unless said otherwise. */
  readonly tokensPerRun: number;
  /** Steps with equal keys share their graphs and sessions. */
  readonly sessionKey: (k: number) => string;
  readonly trainables: (g: Graph, k: number) => Trainables;
  /** Parameters of step k by their names in its graph. */
  readonly stepFeeds: (k: number) => Feeds;
  /** Name among `parameters` of what step k's graph calls `key`. */
  readonly nameOf: (k: number, key: string) => string;
  readonly dropoutSites: (k: number) => readonly DropoutSite[];
  readonly head: TrainableHead;
  /** Embeds tokens into `into`, (ids.length, hidden). */
  readonly embed: (ids: readonly number[], into: Float32Array) => Promise<void>;
  /** Adds to ∂L/∂embedding, given ∂L/∂(embedded tokens); absent where the embedding is frozen. */
  readonly addEmbeddingGradient?: (
    ids: readonly number[],
    gradient: Float32Array,
    sums: Map<string, Float32Array>,
  ) => void;
}
