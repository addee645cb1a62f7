/** How files have the matrices of all experts in one tensor. */
import type { Architecture } from '../architecture';
import { expertLinear } from '../kinds/experts';
import type { Stack } from '../stacks';

/**
 * The layout of transformers 5: gate on top of up, (experts, 2 · width, hidden), and down, (experts, hidden, width).
 * @param module the name of the experts' module in a block
 */
export function stackedExperts(module: string, { layers, hidden }: Architecture, layer: number): readonly Stack[] {
  const { ffn } = layers[layer];
  if (ffn.kind !== 'experts') return [];
  const { count, width } = ffn;
  const experts = Array.from({ length: count }, (_, expert) => expert);
  const name = (matrix: string): string => `model.layers.${layer}.${module}.${matrix}`;
  const rows = (slice: number, start: number, rowCount: number) => ({ slice, lines: { start, count: rowCount } });
  return [
    {
      name: name('gate_up_proj'),
      shape: [count, 2 * width, hidden],
      parts: experts.flatMap((expert) => [
        { name: expertLinear(expert, 'gate'), place: rows(expert, 0, width) },
        { name: expertLinear(expert, 'up'), place: rows(expert, width, width) },
      ]),
    },
    {
      name: name('down_proj'),
      shape: [count, hidden, width],
      parts: experts.map((expert) => ({ name: expertLinear(expert, 'down'), place: rows(expert, 0, hidden) })),
    },
  ];
}
