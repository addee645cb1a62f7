/** How the steps of a decoder are spread over sessions. */
import { memoryFor } from '../memory';
import { type Architecture, withLayers } from '../checkpoint/architecture';
import { bytesOfWeights } from '../weights/bytes';
import type { Precision } from '../precision';
import type { LinearName } from '../checkpoint/architecture';
import type { Model } from './model';
import { stepsOf, type Step, type View } from './view';

/**
 * Weights in the graph may take at most this many bytes, because a model file in memory is limited to 2 GiB. Those of a GGUF file
 * come into the graph when a session opens.
 */
const MAX_BYTES_IN_GRAPH = 2 ** 30;

/**
 * Quantized bytes of a session at most, unless it is a single block. While a session opens, onnxruntime has the weights as
 * they are in the file beside those that it packs.
 */
const MAX_QUANTIZED_BYTES = 2 ** 28;

/** A Linear of a step, to whose result a product of low rank is added that a run is fed. */
export interface FedLinear {
  /** The step's number in its segment. */
  readonly step: number;
  readonly name: LinearName;
}

/** Consecutive steps in one session. */
export interface Segment {
  readonly steps: readonly Step[];
  readonly head: boolean;
  /** Other products of low rank are a part of the graph. None where the segment is not shared. */
  readonly fed?: readonly FedLinear[];
}

/** Bytes of the weights of a block, and of all that is in no block. */
export function bytesOfParts(architecture: Architecture, precision: Precision): { outer: number; blocks: number[] } {
  const outer = bytesOfWeights(withLayers(architecture, []), precision);
  const blocks = architecture.layers.map(
    (_, block) => bytesOfWeights(withLayers(architecture, [block]), precision) - outer,
  );
  return { outer, blocks };
}

/** Whether that many bytes of weights can stay in memory, with those that graphs of the model hold. */
export function fits(bytes: number, { weights: { bytesInGraph } }: Model): boolean {
  return bytes + bytesInGraph < memoryFor('decoding') && bytesInGraph <= MAX_BYTES_IN_GRAPH;
}

/** The whole model in one session, or in a few if it is large or its weights are quantized; undefined if it does not fit into memory. */
export function segmentsInMemory(model: Model, view: View): Segment[] | undefined {
  const { architecture, precision } = model;
  const steps = stepsOf(view);
  const { outer, blocks } = bytesOfParts(architecture, precision);
  const total = steps.reduce((sum, { block }) => sum + blocks[block], outer);
  if (!fits(total, model)) return undefined;
  const most = precision === 'int8' || precision === 'int4' ? MAX_QUANTIZED_BYTES : MAX_BYTES_IN_GRAPH;
  if (total <= most) return [{ steps, head: true }];
  const segments: { steps: Step[]; head: boolean }[] = [];
  let held = Infinity;
  for (const step of steps) {
    if (held + blocks[step.block] > most) {
      segments.push({ steps: [], head: false });
      held = 0;
    }
    segments.at(-1)!.steps.push(step);
    held += blocks[step.block];
  }
  return [...segments, { steps: [], head: true }];
}

/** A session for each step, and for the head. */
export function segmentsApart(view: View): Segment[] {
  return [...stepsOf(view).map((step) => ({ steps: [step], head: false })), { steps: [], head: true }];
}
