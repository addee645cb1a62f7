/** The weights of a model as a GGUF file has them: gate and up of Granite 4, which lie in one matrix, apart; factors of Falcon-H1 in matrices. */
import type { Architecture } from '../checkpoint/architecture';
import { ggufArchitecture, isFolded, isTakenApart } from '../checkpoint/gguf/as-gguf';
import type { WeightKey } from '../checkpoint/weight-key';
import type { Dtype } from '../formats/dtype';
import { storedTensor } from '../formats/stored-tensor';
import { requireRows, type Rows, type TensorInfo } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import { takeRows } from '../onnx/ops/shapes';
import { Folded } from './folded';
import { Over } from './over';
import { readWide, type WeightSource } from './source';

/** The same model in the matrices that a file has. Closing it closes the source. */
export function asGgufModel(source: WeightSource): WeightSource {
  if (isFolded(source.architecture)) return new Folded(source);
  return isTakenApart(source.architecture) ? new TakenApart(source) : source;
}

/** The matrix of a model that the file has two halves of in place of it; the key itself for other weights. */
export const wholeKey = (key: WeightKey): WeightKey =>
  typeof key !== 'string' && (key.name === 'gate' || key.name === 'up') ? { ...key, name: 'gateUp' } : key;

class TakenApart extends Over {
  private readonly own: Architecture;

  constructor(source: WeightSource) {
    super(source);
    this.own = ggufArchitecture(source.architecture);
  }

  override get architecture(): Architecture {
    return this.own;
  }

  override shape(key: WeightKey): readonly number[] {
    const [rows, ...width] = this.source.shape(wholeKey(key));
    return isHalf(key) ? [rows / 2, ...width] : [rows, ...width];
  }

  override bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value {
    if (!isHalf(key)) return this.source.bind(g, key, rows);
    if (rows && 'name' in rows) return takeRows(g, this.bind(g, key), rows);
    return this.source.bind(g, wholeKey(key), this.rowsOf(key, rows));
  }

  override read(key: WeightKey, rows?: Rows): Promise<Float32Array> {
    return isHalf(key) ? this.source.read(wholeKey(key), this.rowsOf(key, rows)) : this.source.read(key, rows);
  }

  override readWide(key: WeightKey, rows?: Rows): Promise<Float64Array> {
    return readWide(this.source, wholeKey(key), isHalf(key) ? this.rowsOf(key, rows) : rows);
  }

  override stored(key: WeightKey): TensorInfo | undefined {
    const stored = this.source.stored(wholeKey(key));
    if (!stored || !isHalf(key)) return stored;
    if (stored.halves) return stored.halves[isUp(key) ? 1 : 0];
    const whole = storedTensor(stored);
    const bytes = whole.bytes / 2;
    const half: TensorInfo & { readonly offset: number } = {
      ...whole,
      shape: this.shape(key),
      bytes,
      offset: whole.offset + (isUp(key) ? bytes : 0),
    };
    return half;
  }

  override storedType(key: WeightKey): Dtype | undefined {
    return this.source.storedType?.(wholeKey(key));
  }

  /** Of the whole matrix: gate is its first half, up its second. */
  private rowsOf(key: WeightKey, rows?: Rows): Rows {
    const [all] = this.shape(key);
    const { start, count } = rows ?? { start: 0, count: all };
    requireRows({ start, count }, all);
    return { start: start + (isUp(key) ? all : 0), count };
  }
}

const isHalf = (key: WeightKey): boolean => wholeKey(key) !== key;

const isUp = (key: WeightKey): boolean => typeof key !== 'string' && key.name === 'up';
