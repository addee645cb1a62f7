/**
 * What sources of another precision share: everything but the products of Linears is that of the source below, and the numbers
 * that `bind` and `read` give are those of the file.
 */
import type { Architecture } from '../checkpoint/architecture';
import type { WeightKey } from '../checkpoint/weight-key';
import type { Dtype } from '../formats/dtype';
import type { Rows, TensorInfo } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import { readWide, type WeightSource } from './source';

export abstract class Over implements WeightSource {
  /** @param source closing this source closes it */
  constructor(protected readonly source: WeightSource) {}

  get architecture(): Architecture {
    return this.source.architecture;
  }

  get identity(): string {
    return this.source.identity;
  }

  get bytesInGraph(): number {
    return this.source.bytesInGraph;
  }

  shape(key: WeightKey): readonly number[] {
    return this.source.shape(key);
  }

  bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value {
    return this.source.bind(g, key, rows);
  }

  read(key: WeightKey, rows?: Rows): Promise<Float32Array> {
    return this.source.read(key, rows);
  }

  readWide(key: WeightKey, rows?: Rows): Promise<Float64Array> {
    return readWide(this.source, key, rows);
  }

  stored(key: WeightKey): TensorInfo | undefined {
    return this.source.stored(key);
  }

  storedType(key: WeightKey): Dtype | undefined {
    return this.source.storedType?.(key);
  }

  close(): Promise<void> {
    return this.source.close();
  }
}
