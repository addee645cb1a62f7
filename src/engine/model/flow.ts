/**
 * How the tokens of a row follow each other in mixers that carry something from token to token: from the start of a text in a
 * forward pass, after earlier tokens in cached decoding. A strategy of the block, as `attend` is.
 */
import type { Graph, Value } from '../onnx/graph';
import { causalConvolution, lastInputs } from '../onnx/ops/convolution';
import { mul } from '../onnx/ops/elementwise';
import { extentOf } from '../onnx/ops/extents';
import { chunkedRecurrence, fusedRecurrence, type Recurrence } from '../onnx/ops/recurrence';
import { cast, reshape, reshapeBy } from '../onnx/ops/shapes';

/** onnxruntime's fused operator, or chunks of plain products. */
export type RecurrenceForm = 'fused' | 'chunks';

const FORMS = { fused: fusedRecurrence, chunks: chunkedRecurrence } as const;

/** What the steps that carry states share in cached decoding. */
export interface Carrying {
  /** The shape of a value with so many numbers for each token: (rows, length, n) */
  readonly perText: (width: number) => Value;
  /** New tokens of each row; what follows them fills the row up. (rows, 1) int64 */
  readonly counts: Value;
  readonly form: RecurrenceForm;
}

export interface Flow {
  /** (tokens, n) → (rows, length, n) */
  readonly byRow: (x: Value) => Value;
  /**
   * The causal convolution of ops/convolution.ts. x: (rows, length, channels), kernel: (channels, 1, K), bias: (channels)
   * @param name of the state: the inputs of earlier tokens
   */
  readonly convolve: (name: string, x: Value, kernel: Value, bias: Value | undefined) => Value;
  /**
   * The recurrence of ops/recurrence.ts, what it reads for each token. (rows, length, heads, valueWidth)
   * @param name of the state: what the tokens before have left
   */
  readonly recur: (name: string, given: Omit<Recurrence, 'state'>) => Value;
}

/** Names of a state that the step with this number, among those that carry one, is fed and returns. */
export const stateNames = (index: number, state: string): Record<'past' | 'present', string> => ({
  past: `past${index}.${state}`,
  present: `present${index}.${state}`,
});

/**
 * From the start of each row. The graph has an input with an extent "rows" or "length".
 * @param form of recurrences; only chunks have gradients, and are computed everywhere
 */
export const flowFromStart = (g: Graph, form: RecurrenceForm): Flow => ({
  byRow: (x) => reshape(g, x, ['rows', 'length', x.shape[1]]),
  convolve: (_name, x, kernel, bias) => causalConvolution(g, x, kernel, bias),
  recur: (_name, given) => FORMS[form](g, given).output,
});

/**
 * After the states of earlier tokens, (rows, …) each, which are fed and returned by `stateNames`.
 * @param index of the step among those that carry states
 */
export function carriedFlow(g: Graph, index: number, { perText, counts, form }: Carrying): Flow {
  return {
    byRow: (x) => reshapeBy(g, x, perText(Number(x.shape[1])), ['texts', 'length', x.shape[1]]),
    convolve: (state, x, kernel, bias) => {
      const [channels, , width] = kernel.shape.map(Number);
      const names = stateNames(index, state);
      const inputs = g.input(names.past, 'float32', ['texts', width - 1, channels]);
      const past = { inputs, total: `${width - 1} + length` };
      g.output(names.present, lastInputs(g, x, { width, past, counts }));
      return causalConvolution(g, x, kernel, bias, past);
    },
    recur: (name, given) => {
      const [heads, valueWidth] = given.value.shape.slice(2);
      const names = stateNames(index, name);
      const state = g.input(names.past, 'float32', ['texts', heads, given.key.shape[3], valueWidth]);
      const { output, state: after } = FORMS[form](g, { ...onlyCounted(g, given, counts), state });
      g.output(names.present, after);
      return output;
    },
  };
}

/** What fills a row up leaves the state as it is: it does not fade and takes nothing in. */
function onlyCounted(g: Graph, given: Omit<Recurrence, 'state'>, counts: Value): Omit<Recurrence, 'state'> {
  const { value, decay, beta } = given;
  const [rows, length] = value.shape;
  const none = { type: 'int64', shape: [] } as const;
  const extent = g.op('Squeeze', [extentOf(g, value, 1)], none);
  const [first, step] = [0, 1].map((at) => g.op('Squeeze', [g.ints(at)], none));
  const places = g.op('Range', [first, extent, step], { type: 'int64', shape: [length] });
  const isNew = g.op('Less', [places, counts], { type: 'bool', shape: [rows, length] });
  const one = cast(g, isNew, 'float32');
  const mask = reshape(g, one, [rows, length, 1]);
  const faded = mul(g, decay, mask);
  if (beta) return { ...given, decay: faded, beta: mul(g, beta, mask) };
  return { ...given, decay: faded, value: mul(g, value, reshape(g, one, [rows, length, 1, 1])) };
}

/** The flow of a step whose mixer carries nothing. */
export const noFlow: Flow = { byRow: unreachable, convolve: unreachable, recur: unreachable };

function unreachable(): never {
  throw new Error('a step without a mixer that carries something does not flow');
}
