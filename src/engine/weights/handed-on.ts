/**
 * A source whose numbers were just read for something else: the next session that wants a weight gets them from memory, and
 * their memory is free again. What was not handed on comes from the source below.
 */
import { canonicalKey, keyText, type WeightKey } from '../checkpoint/weight-key';
import { elements } from '../checkpoint/parameters';
import { requireRows, type Rows } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import { takeRows } from '../onnx/ops/shapes';
import { Over } from './over';
import { rowWidth } from './source';

/** Bytes of a weight at most: a model file in memory is limited to 2 GiB. */
const MOST = 2 ** 30;

export class HandedOn extends Over {
  private readonly numbers = new Map<string, Float32Array>();

  /** Takes numbers of some rows; all rows are taken before the weight is bound. */
  take(key: WeightKey, { start }: Rows, values: ArrayLike<number>): void {
    const size = elements(this.shape(key));
    if (size * Float32Array.BYTES_PER_ELEMENT > MOST) return;
    const text = this.textOf(key);
    let all = this.numbers.get(text);
    if (!all) this.numbers.set(text, (all = new Float32Array(size)));
    all.set(values, start * rowWidth(this.shape(key)));
  }

  override bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value {
    const text = this.textOf(key);
    if (!this.numbers.has(text)) return this.source.bind(g, key, rows);
    if (rows && 'name' in rows) return takeRows(g, this.bind(g, key), rows);
    const [all, ...width] = this.shape(key);
    const { start, count } = rows ?? { start: 0, count: all };
    requireRows({ start, count }, all);
    const write = async (into: Uint8Array): Promise<void> => {
      const values = this.handOut(text, { start, count }, key) ?? (await this.source.read(key, { start, count }));
      into.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    };
    return g.once(`${text}[${start}+${count}]`, () => g.later('float32', [count, ...width], write));
  }

  override close(): Promise<void> {
    this.numbers.clear();
    return super.close();
  }

  /** They are forgotten once the last row was handed out. */
  private handOut(text: string, { start, count }: Rows, key: WeightKey): Float32Array | undefined {
    const numbers = this.numbers.get(text);
    const [all] = this.shape(key);
    const width = rowWidth(this.shape(key));
    if (start + count === all) this.numbers.delete(text);
    return numbers?.subarray(start * width, (start + count) * width);
  }

  private textOf(key: WeightKey): string {
    return keyText(canonicalKey(this.architecture, key));
  }
}
