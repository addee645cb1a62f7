/** The weights of a model as constants of its ONNX graph: what all kinds share. */
import { type Architecture, withLayers } from '../../checkpoint/architecture';
import { elements } from '../../checkpoint/parameters';
import { canonicalKey, keyText, layerKeys, type WeightKey, weightOf } from '../../checkpoint/weight-key';
import { throwIfCancelled } from '../../errors';
import type { Rows } from '../../formats/tensor';
import type { Graph, Value } from '../../onnx/graph';
import { ELEMENT_BYTES } from '../../onnx/model-file';
import { rowWidth, type WeightSource } from '../../weights/source';
import type { DataFiles, DataSource } from './layout';

/** Constants of at most so many bytes are in the model's own file. */
const SMALL_BYTES = 1024;

/** A constant that is computed, some rows at a time. */
export type Table = Pick<DataSource, 'name' | 'rows' | 'read'> & {
  /** Numbers of a row, float32. */
  readonly width: number;
};

/** How the graph of a model gets and applies its weights. Keys number the kept blocks from 0. */
export interface ModelWeights {
  /** A weight that no product rounds: of a norm, a bias, a router; float32. */
  vector(key: WeightKey): Value;
  /** The rows of the embedding. ids: (…) int64 → (…, hidden) float32 */
  embed(ids: Value): Value;
  /** x Wᵀ + bias. x: (tokens, in) → float32 (tokens, out) */
  apply(x: Value, key: WeightKey, bias?: Value): Value;
  /** Constants of one shape that are computed together: (rows, width) float32 each. */
  tables(table: Table, names: readonly string[]): Value[];
}

/** What all kinds share: names, small constants, and the numbers of a weight by rows. */
export class Constants {
  /** By key. */
  private readonly bound = new Map<string, Value>();

  private constructor(
    readonly g: Graph,
    /** Of the kept blocks. */
    readonly architecture: Architecture,
    private readonly source: WeightSource,
    private readonly kept: readonly number[],
    private readonly files: DataFiles,
    private readonly small: ReadonlyMap<string, Float32Array>,
  ) {}

  /** Reads the small weights of the blocks `kept`. @throws UserError when a file cannot be read; CancelledError */
  static async open(
    g: Graph,
    source: WeightSource,
    kept: readonly number[],
    files: DataFiles,
    signal?: AbortSignal,
  ): Promise<Constants> {
    const small = new Map<string, Float32Array>();
    const keys = [...kept.flatMap((layer) => layerKeys(source.architecture, layer)), 'finalNorm' as const];
    for (const key of keys) {
      const shape = source.shape(key);
      if (shape.length > 1 || ELEMENT_BYTES.float32 * elements(shape) > SMALL_BYTES) continue;
      throwIfCancelled(signal);
      small.set(keyText(key), await source.read(key));
    }
    return new Constants(g, withLayers(source.architecture, kept), source, kept, files, small);
  }

  /** What `make` gives for a weight, made once. The head of a tied model is its embedding. */
  once<T>(key: WeightKey, bound: Map<string, T>, make: (key: WeightKey) => T): T {
    const own = canonicalKey(this.architecture, key);
    let value = bound.get(keyText(own));
    if (value === undefined) bound.set(keyText(own), (value = make(own)));
    return value;
  }

  /** The name of a weight in the file: that of its tensor in a checkpoint with the kept blocks alone. */
  nameOf(key: WeightKey): string {
    return weightOf(this.architecture, key)!.name;
  }

  shape(key: WeightKey): readonly number[] {
    return this.source.shape(this.sourceKey(key));
  }

  /** The numbers of some rows of a weight. @throws UserError when a file cannot be read */
  read(key: WeightKey, rows: Rows): Promise<Float32Array> {
    return this.source.read(this.sourceKey(key), rows);
  }

  vector(key: WeightKey): Value {
    return this.once(key, this.bound, (own) => {
      const shape = this.shape(own);
      const small = this.small.get(keyText(this.sourceKey(own)));
      if (small) return this.g.floats(small, shape, this.nameOf(own));
      const read: DataSource['read'] = async (rows) => [bytesOf(await this.read(own, rows))];
      const rowBytes = [ELEMENT_BYTES.float32 * rowWidth(shape)];
      const [place] = this.files.place({ name: this.nameOf(own), rows: shape[0], rowBytes, read });
      return this.g.beside(this.nameOf(own), 'float32', shape, place);
    });
  }

  tables({ name, rows, width, read }: Table, names: readonly string[]): Value[] {
    const places = this.files.place({ name, rows, rowBytes: names.map(() => 4 * width), read });
    return names.map((each, i) => this.g.beside(each, 'float32', [rows, width], places[i]));
  }

  /** Places for constants of a weight. */
  place(key: WeightKey, rowBytes: readonly number[], read: DataSource['read']): ReturnType<DataFiles['place']> {
    return this.files.place({ name: this.nameOf(key), rows: this.shape(key)[0], rowBytes, read });
  }

  /** The key in the source. */
  private sourceKey(key: WeightKey): WeightKey {
    return typeof key === 'string' ? key : { layer: this.kept[key.layer], name: key.name };
  }
}

/** The bytes of an array, without a copy. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Uint8Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
