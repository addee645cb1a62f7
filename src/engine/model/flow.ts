/**
 * How the tokens of a row follow each other in mixers that carry something from token to token: from the start of a text in a
 * forward pass, after earlier tokens in cached decoding. A strategy of the block, as `attend` is.
 */
import type { Graph, Value } from '../onnx/graph';
import { causalConvolution, lastInputs } from '../onnx/ops/convolution';
import { reshape, reshapeBy } from '../onnx/ops/shapes';

export interface Flow {
  /** (tokens, n) → (rows, length, n) */
  readonly byRow: (x: Value) => Value;
  /**
   * The causal convolution of ops/convolution.ts. x: (rows, length, channels), kernel: (channels, 1, K), bias: (channels)
   * @param name of the state: the inputs of earlier tokens
   */
  readonly convolve: (name: string, x: Value, kernel: Value, bias: Value | undefined) => Value;
}

/** Names of a state that the step with this number, among those that carry one, is fed and returns. */
export const stateNames = (index: number, state: string): Record<'past' | 'present', string> => ({
  past: `past${index}.${state}`,
  present: `present${index}.${state}`,
});

/** From the start of each row. The graph has an input with an extent "rows" or "length". */
export const flowFromStart = (g: Graph): Flow => ({
  byRow: (x) => reshape(g, x, ['rows', 'length', x.shape[1]]),
  convolve: (_name, x, kernel, bias) => causalConvolution(g, x, kernel, bias),
});

/**
 * After the states of earlier tokens, (rows, …) each, which are fed and returned by `stateNames`.
 * @param index of the step among those that carry states
 * @param perText the shape of a value with so many numbers for each token: (rows, length, n)
 * @param counts new tokens of each row; what follows them fills the row up. (rows, 1) int64
 */
export function carriedFlow(g: Graph, index: number, perText: (width: number) => Value, counts: Value): Flow {
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
  };
}

/** The flow of a step whose mixer carries nothing. */
export const noFlow: Flow = { byRow: unreachable, convolve: unreachable };

function unreachable(): never {
  throw new Error('a step without a mixer that carries something does not flow');
}
