/** How files have the matrices of all experts in one tensor. */
import type { Architecture } from '../architecture';
import { expertLinear } from '../kinds/experts';
import { MXFP4_BLOCK } from '../../formats/mxfp4';
import type { Woven } from '../../formats/tensor';
import type { Stack } from '../stacks';

/** The tensors of transformers 5: gate on top of up, and down. */
const UNNAMED = { gateUp: 'gate_up_proj', down: 'down_proj' };

/**
 * The layout of transformers 5 and of Granite 4: gate on top of up, (experts, 2 · width, hidden), and down, (experts, hidden, width).
 * @param module the name of the experts' module in a block
 * @param names of the two tensors in it
 */
export function stackedExperts(
  module: string,
  { layers, hidden }: Architecture,
  layer: number,
  names = UNNAMED,
): readonly Stack[] {
  const { ffn } = layers[layer];
  if (ffn.kind !== 'experts') return [];
  const { count, width } = ffn;
  const experts = Array.from({ length: count }, (_, expert) => expert);
  const name = (matrix: string): string => `model.layers.${layer}.${module}.${matrix}`;
  const rows = (slice: number, start: number, rowCount: number) => ({ slice, lines: { start, count: rowCount } });
  return [
    {
      name: name(names.gateUp),
      shape: [count, 2 * width, hidden],
      parts: experts.flatMap((expert) => [
        { name: expertLinear(expert, 'gate'), place: rows(expert, 0, width) },
        { name: expertLinear(expert, 'up'), place: rows(expert, width, width) },
      ]),
    },
    {
      name: name(names.down),
      shape: [count, hidden, width],
      parts: experts.map((expert) => ({ name: expertLinear(expert, 'down'), place: rows(expert, 0, hidden) })),
    },
  ];
}

/**
 * The layout of gpt-oss: transposed, (experts, in, out), gate in the even columns and up in the odd ones, with biases. Where they are
 * stored in four bits, a block of 32 numbers has one scale, and the rows are those of the matrix, (experts, out, in).
 */
export function transposedExperts(module: string, { layers, hidden }: Architecture, layer: number): readonly Stack[] {
  const { ffn } = layers[layer];
  if (ffn.kind !== 'experts') return [];
  const { count, width } = ffn;
  const experts = Array.from({ length: count }, (_, expert) => expert);
  const matrices = [
    { name: 'gate_up_proj', linears: ['gate', 'up'], out: 2 * width, input: hidden },
    { name: 'down_proj', linears: ['down'], out: hidden, input: width },
  ] as const;
  return matrices.flatMap(({ name: matrix, linears, out, input }): Stack[] => {
    const name = `model.layers.${layer}.${module}.${matrix}`;
    const parts = (lines: Woven['lines'], end: '' | 'Bias' = ''): Stack['parts'] =>
      experts.flatMap((slice) =>
        linears.map((linear, first) => ({
          name: `${expertLinear(slice, linear)}${end}` as const,
          place: { slice, lines: { lines, first, step: linears.length, of: out } },
        })),
      );
    const blocks = input / MXFP4_BLOCK.elements;
    const scales = { name: `${name}_scales`, shape: [count, out, blocks] };
    return [
      { name, shape: [count, input, out], parts: parts('columns') },
      { name: `${name}_blocks`, shape: [...scales.shape, MXFP4_BLOCK.bytes], scales, parts: parts('rows') },
      { name: `${name}_bias`, shape: [count, out], parts: parts('columns', 'Bias') },
    ];
  });
}
