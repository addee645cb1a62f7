/** A step of the residual stream as an open session: from a file, or with its weights on the device. */
import { Graph } from '../onnx/graph';
import { type Feeds, keepsTensors, type Tensor } from '../onnx/session';
import type { WeightSource } from '../weights/source';
import { fedBinding, sourceBinding } from './binding';
import { type AttentionKind, buildStep } from './forward-graph';
import type { ExpertWatch } from './expert-groups';
import { hasExperts, openExpertStep } from './expert-step';
import type { GraphFile } from '../onnx/model-file';
import { graphKey } from './graph-key';
import type { Lent } from './held-sessions';
import type { Model } from './model';
import type { Step } from './view';

/** Several runs, for which each group of experts is opened once. */
export interface RunsTogether {
  /** Tokens of all runs that have room; 0 where nothing is gained, because all groups stay open. */
  readonly tokens: number;
  readonly run: (
    runs: readonly { readonly feeds: Feeds; readonly into?: Tensor }[],
    watch?: ExpertWatch,
  ) => Promise<Tensor[]>;
}

export interface StepSession {
  /**
   * @param feeds of `buildStep`
   * @param into is filled with the result if it comes to this process's memory; not for results on the device
   * @returns "y", (tokens, hidden); the caller disposes of a tensor on the device
   */
  readonly run: (feeds: Feeds, into?: Tensor) => Promise<Tensor>;
  /** How a step with experts takes several runs; absent for other steps. */
  readonly together?: RunsTogether;
  readonly close: () => Promise<void>;
}

/**
 * Opens a step.
 * @param toHost whether results are needed in this process's memory, and not only on the device
 */
export async function openStepSession(
  model: Model,
  step: Step,
  kind: AttentionKind,
  toHost: boolean,
): Promise<StepSession> {
  return keepsTensors(model.device.provider)
    ? openOnDevice(model, step, kind, toHost)
    : openOverFile(model, model.weights, step, kind);
}

/** A separate session for the block, with its weights from a source: the model's, or one of other widths. */
export async function openOverFile(
  model: Model,
  weights: WeightSource,
  step: Step,
  kind: AttentionKind,
): Promise<StepSession> {
  if (hasExperts(weights.architecture, step)) return openExpertStep(model, weights, step, kind);
  const graph = () => {
    const g = new Graph();
    buildStep(g, weights.architecture, step, kind, sourceBinding(g, weights));
    return g.serialize();
  };
  const { block, attention, ffn } = step;
  const { session, close } =
    weights === model.weights
      ? await model.stepSession(`step ${block} ${attention} ${ffn} ${kind}`, graph)
      : await opened(model, graph());
  return {
    run: async (feeds, into) => {
      const { y } = await session.run(feeds, { y: into ?? null });
      return into ?? y;
    },
    close,
  };
}

async function opened(model: Model, graph: GraphFile): Promise<Lent> {
  const session = await model.openSession(graph, { prepack: true });
  return { session, close: () => session.close() };
}

/** One session for all steps of one shape, fed with the block's weights on the device. */
async function openOnDevice(model: Model, step: Step, kind: AttentionKind, toHost: boolean): Promise<StepSession> {
  const { architecture } = model;
  const g = new Graph();
  const binding = fedBinding(g, model.weights);
  buildStep(g, architecture, step, kind, binding);
  const name = `step ${kind} ${graphKey(architecture, step)} ${toHost} ${binding.matrices()}`;
  const session = await model.sharedSession(name, () => g.serialize(), toHost ? [] : ['y']);
  const weights = await model.deviceWeights(binding.fetch);
  return {
    run: async (feeds) => (await session.run({ ...feeds, ...weights.tensors })).y,
    close: weights.close,
  };
}
