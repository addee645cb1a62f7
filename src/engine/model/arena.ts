/** Memory for results whose shapes come back: the same buffers serve every run, so nothing waits for the collector. */
import { float32, type Tensor } from '../onnx/session';
import type { Dim } from '../onnx/graph';

/** What the named dimensions are in one run. */
export type Extents = Readonly<Record<string, number>>;

/** @throws Error for a name without an extent */
export function concreteShape(shape: readonly Dim[], extents: Extents): number[] {
  return shape.map((dim) => {
    const extent = typeof dim === 'number' ? dim : extents[dim];
    if (extent === undefined) throw new Error(`dimension '${dim}' has no extent`);
    return extent;
  });
}

export class Arena {
  private readonly buffers = new Map<string, Float32Array>();

  /** A tensor over the buffer called `name`, which grows as needed; what it held before is gone. */
  take(name: string, shape: readonly number[]): Tensor {
    const size = shape.reduce((a, b) => a * b, 1);
    let buffer = this.buffers.get(name);
    if (!buffer || buffer.length < size) this.buffers.set(name, (buffer = new Float32Array(size)));
    return float32(buffer.subarray(0, size), shape);
  }
}
