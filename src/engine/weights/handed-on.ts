/**
 * A source whose numbers were just read for something else: the next session that wants a weight gets them from memory, and
 * their memory is free again. What was not handed on comes from the source below. Numbers of a float type are held in that type,
 * and the session widens them, as it does those of a file: bits and memory are the same.
 */
import { canonicalKey, keyText, type WeightKey } from '../checkpoint/weight-key';
import { elements } from '../checkpoint/parameters';
import { isWeightDtype, type WeightDtype } from '../formats/dtype';
import { ELEMENT_BYTES, narrow } from '../formats/narrow';
import { liesAsInModel, requireRows, type Rows } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import { cast, takeRows } from '../onnx/ops/shapes';
import { ELEMENT_TYPES } from './external';
import { Over } from './over';
import { rowWidth } from './source';

/** Writes numbers in a type that has them exactly; every second 16 bits are all of a bfloat16. */
function exactly(values: Float32Array, dtype: WeightDtype, into: Uint8Array): void {
  if (dtype === 'F32') into.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  else if (dtype === 'F16') narrow(values, dtype, into);
  else {
    const halves = new Uint16Array(values.buffer, values.byteOffset, 2 * values.length);
    const own = new Uint16Array(into.buffer, into.byteOffset, values.length);
    for (let i = 0; i < own.length; i++) own[i] = halves[2 * i + 1];
  }
}

/** Bytes of a weight at most: a model file in memory is limited to 2 GiB. */
const MOST = 2 ** 30;

export class HandedOn extends Over {
  private readonly held = new Map<string, Uint8Array>();

  /** Takes numbers of some rows; all rows are taken before the weight is bound. */
  take(key: WeightKey, { start }: Rows, values: Float64Array): void {
    const dtype = this.typeOf(key);
    const size = elements(this.shape(key)) * ELEMENT_BYTES[dtype];
    if (size > MOST) return;
    const text = this.textOf(key);
    let all = this.held.get(text);
    if (!all) this.held.set(text, (all = new Uint8Array(size)));
    const at = start * rowWidth(this.shape(key)) * ELEMENT_BYTES[dtype];
    const into = all.subarray(at, at + values.length * ELEMENT_BYTES[dtype]);
    exactly(new Float32Array(values), dtype, into);
  }

  override bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value {
    const text = this.textOf(key);
    if (!this.held.has(text)) return this.source.bind(g, key, rows);
    if (rows && 'name' in rows) return takeRows(g, this.bind(g, key), rows);
    const [all, ...width] = this.shape(key);
    const some = rows ?? { start: 0, count: all };
    requireRows(some, all);
    const dtype = this.typeOf(key);
    const write = async (into: Uint8Array): Promise<void> => {
      const bytes = this.handOut(text, some, key);
      if (bytes) into.set(bytes);
      else exactly(await this.source.read(key, some), dtype, into);
    };
    const later = (): Value => g.later(ELEMENT_TYPES[dtype], [some.count, ...width], write);
    return cast(g, g.once(`${text}[${some.start}+${some.count}]`, later), 'float32');
  }

  override close(): Promise<void> {
    this.held.clear();
    return super.close();
  }

  /** They are forgotten once the last row was handed out. */
  private handOut(text: string, { start, count }: Rows, key: WeightKey): Uint8Array | undefined {
    const bytes = this.held.get(text);
    const perRow = rowWidth(this.shape(key)) * ELEMENT_BYTES[this.typeOf(key)];
    if (start + count === this.shape(key)[0]) this.held.delete(text);
    return bytes?.subarray(start * perRow, (start + count) * perRow);
  }

  /** The type that has the numbers exactly: that of the file, if it has them as they are. */
  private typeOf(key: WeightKey): WeightDtype {
    const stored = this.stored(key);
    return stored && isWeightDtype(stored.dtype) && liesAsInModel({ ...stored, paired: undefined })
      ? stored.dtype
      : 'F32';
  }

  private textOf(key: WeightKey): string {
    return keyText(canonicalKey(this.architecture, key));
  }
}
