/**
 * Memory for results with recurring shapes. The same buffers serve every run, so nothing waits for the garbage
 * collector.
 */
import { float32, type Tensor } from '../onnx/session';
import type { Dim } from '../onnx/graph';

/** The extents of the named dimensions in one run. */
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

  /** A tensor over the buffer `name`, which grows as needed. Its previous content is lost. */
  take(name: string, shape: readonly number[]): Tensor {
    const size = shape.reduce((a, b) => a * b, 1);
    let buffer = this.buffers.get(name);
    if (!buffer || buffer.length < size) this.buffers.set(name, (buffer = new Float32Array(size)));
    return float32(buffer.subarray(0, size), shape);
  }
}
