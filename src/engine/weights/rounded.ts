/**
 * A source whose changed weights are rounded to the types of the checkpoint's tensors, as they will be in a written
 * checkpoint: it shows what rounding costs before anything is written. New numbers are bit for bit those of the file. An
 * adapter's sums are those of the file up to ties, since a graph adds them in float32 and the writer in float64.
 */
import { createHash } from 'node:crypto';
import type { Architecture } from '../checkpoint/architecture';
import type { WeightKey } from '../checkpoint/weight-key';
import { isWeightDtype, type WeightDtype } from '../formats/dtype';
import { ELEMENT_BYTES, narrow } from '../formats/narrow';
import type { Rows, TensorInfo } from '../formats/tensor';
import { widen } from '../formats/widen';
import type { Graph, Value } from '../onnx/graph';
import { cast } from '../onnx/ops/shapes';
import { ELEMENT_TYPES } from './external';
import { type LowRankSum, originOf, typeInCheckpoint, type WeightSource } from './source';

export class Rounded implements WeightSource {
  /**
   * @param source with changes; closing this source closes it
   * @param checkpoint the source of the stored weights, for their types; it may be narrower than its files
   */
  constructor(
    private readonly source: WeightSource,
    private readonly checkpoint: Pick<WeightSource, 'stored' | 'storedType'>,
  ) {}

  get architecture(): Architecture {
    return this.source.architecture;
  }

  get identity(): string {
    return createHash('sha256').update(`coppice rounded 1\n${this.source.identity}`).digest('hex');
  }

  get bytesInGraph(): number {
    return this.source.bytesInGraph;
  }

  get revision(): string | undefined {
    return this.source.revision;
  }

  shape(key: WeightKey): readonly number[] {
    return this.source.shape(key);
  }

  /** Through the stored type and back: onnxruntime rounds to the nearest, ties to even, as `narrow` does. */
  bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value {
    const value = this.source.bind(g, key, rows);
    const dtype = this.typeOf(key);
    return dtype === undefined ? value : cast(g, cast(g, value, ELEMENT_TYPES[dtype]), 'float32');
  }

  async read(key: WeightKey, rows?: Rows): Promise<Float32Array> {
    const values = await this.source.read(key, rows);
    const dtype = this.typeOf(key);
    if (dtype === undefined) return values;
    return widen(narrow(values, dtype, new Uint8Array(ELEMENT_BYTES[dtype] * values.length)), dtype, values);
  }

  stored(key: WeightKey): TensorInfo | undefined {
    return this.source.stored(key);
  }

  lowRank(key: WeightKey): LowRankSum | undefined {
    return this.typeOf(key) === undefined ? this.source.lowRank?.(key) : undefined;
  }

  origin(key: WeightKey): WeightSource {
    return this.typeOf(key) === undefined ? originOf(this.source, key) : this;
  }

  close(): Promise<void> {
    return this.source.close();
  }

  /** The type that a changed weight is rounded to; undefined for a stored weight. */
  private typeOf(key: WeightKey): WeightDtype | undefined {
    if (this.source.stored(key)) return undefined;
    const dtype = typeInCheckpoint(this.checkpoint, key);
    return dtype !== undefined && isWeightDtype(dtype) ? dtype : undefined;
  }
}
