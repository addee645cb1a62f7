/** Attention beside Mamba-2, as Falcon-H1 has it (TII 2025). */
import type { ParallelMixer } from '../../checkpoint/kinds/parallel';
import { add, scale } from '../../onnx/ops/elementwise';
import type { Compute } from '../parts';
import { attention } from './attention';
import { mamba } from './mamba';

export const parallel: Compute<ParallelMixer> = (g, n, shape, parts) => {
  const { factors } = shape;
  const read = mamba(g, n, shape.mamba, parts);
  const attended = attention(g, scale(g, n, factors.input), shape.attention, parts);
  return add(g, scale(g, read, factors.mamba), scale(g, attended, factors.attention));
};
