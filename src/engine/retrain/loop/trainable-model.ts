/** What the training loop needs to know about a model: its steps, head and embedding, and the trained parameters. */
import type { Graph } from '../../onnx/graph';
import type { Feeds } from '../../onnx/session';
import type { HeadLossOptions } from '../../model/head-loss-graph';
import type { BlockParameters } from '../../model/training-graph';
import type { Step } from '../../model/view';
import type { Parameters } from './adamw';

/** An input of a block's graph that dropout masks. */
export interface DropoutSite {
  /** Name of the mask among the graph's feeds, (tokens, width). */
  readonly name: string;
  readonly width: number;
}

/** A step of the model with the parameters that are trained in it. */
export interface TrainedStep {
  readonly step: Step;
  /** Steps with equal keys share their graphs and sessions. */
  readonly sessionKey: string;
  /** Declares the step's parameters in its graph. */
  readonly declare: (g: Graph) => BlockParameters;
  /** The parameters by their names in the graph. The tensors share memory with the values, which training updates. */
  readonly feeds: Feeds;
  /** Names among the model's parameters, by their names in the graph. */
  readonly names: ReadonlyMap<string, string>;
  readonly dropoutSites: readonly DropoutSite[];
}

/** The final norm and the LM head. */
export interface TrainedHead {
  readonly options: Pick<HeadLossOptions, 'bind' | 'trainable'>;
  /** As those of a step; empty when the head is frozen. */
  readonly feeds: Feeds;
  readonly names: ReadonlyMap<string, string>;
}

export interface TrainedEmbedding {
  /** Embeds tokens into `into`, (ids.length, hidden). */
  lookUp(ids: readonly number[], into: Float32Array): Promise<void>;
  /** Adds to ∂L/∂embedding in `sums`, given ∂L/∂(embedded tokens); absent when the embedding is frozen. */
  addGradient?(ids: readonly number[], gradient: Float32Array, sums: Map<string, Float32Array>): void;
}

/** A model whose adapters (lora/lora-model.ts) or weights (full/full-model.ts) are trained. */
export interface TrainableModel {
  readonly embedding: TrainedEmbedding;
  /** In the order of the residual stream. */
  readonly steps: readonly TrainedStep[];
  readonly head: TrainedHead;
  readonly parameters: Parameters;
  /** Default tokens of a micro-batch. */
  readonly tokensPerRun: number;
  /** Bytes of a block's weight in an open session. */
  readonly bytesPerWeight: number;
}
