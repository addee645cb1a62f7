/**
 * What short convolutions carry between the runs of an exported graph: the last inputs of each row, under the names that Hugging Face's
 * exports of LFM2 have. Padding takes no part on either side: it is zeros, as before a text, and the last inputs are those of tokens.
 */
import type { Graph, Value } from '../../onnx/graph';
import { causalConvolution, lastInputs } from '../../onnx/ops/convolution';
import { mul } from '../../onnx/ops/elementwise';
import { newEnds, newTokens } from '../../onnx/ops/padded';
import { cast, reshape } from '../../onnx/ops/shapes';
import { type Flow, noFlow } from '../../model/flow';

export interface PaddedRows {
  /** (rows, total) int64, 0 at padding */
  readonly mask: Value;
  /** Names the extent of the new tokens of a row. */
  readonly length: string;
}

/**
 * Feeds "past_conv.INDEX" (rows, K − 1, channels).
 * @param output is told "present_conv.INDEX", in the same shape
 */
export function carriedConvolution(
  g: Graph,
  index: number,
  { mask, length }: PaddedRows,
  output: (name: string, value: Value) => void,
): Flow {
  const [rows] = mask.shape;
  return {
    ...noFlow,
    byRow: (x) => reshape(g, x, [rows, length, x.shape[1]]),
    convolve: (_name, x, kernel, bias) => {
      const [channels, , width] = kernel.shape.map(Number);
      const inputs = g.input(`past_conv.${index}`, 'float32', [rows, width - 1, channels]);
      const past = { inputs, total: `${width - 1} + ${length}` };
      const isToken = g.once(`tokens of ${mask.name}`, () =>
        reshape(g, cast(g, newTokens(g, mask, length), 'float32'), [rows, length, 1]),
      );
      const kept = mul(g, x, isToken);
      output(`present_conv.${index}`, lastInputs(g, kept, { width, past, counts: newEnds(g, mask, length) }));
      return causalConvolution(g, kept, kernel, bias, past);
    },
  };
}
