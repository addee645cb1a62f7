/**
 * The weights of a model in GGUF files. Numbers that are stored one by one remain in their file, as those of a safetensors
 * checkpoint do; a graph brings the rows of queries and keys into the model's order when a session opens. Norms that are stored
 * as 1 + w are read and quantized blocks dequantized at that time, one weight after another, and only the open block of the
 * model is in memory in float32.
 */
import { elements } from '../checkpoint/parameters';
import type { WeightKey } from '../checkpoint/weight-key';
import { isBlockType } from '../formats/dtype';
import type { StoredTensor } from '../formats/stored-tensor';
import { requireRows, type Rows } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import { takeRows } from '../onnx/ops/shapes';
import { bindTensor } from './external';
import { StoredWeights } from './stored';

/** Bytes of float32 numbers that are dequantized at a time. */
const PIECE_BYTES = 2 ** 23;

export class GgufWeights extends StoredWeights {
  bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value {
    const tensor = this.stored(key);
    return isBlockType(tensor.dtype) || tensor.above !== undefined
      ? this.dequantized(g, key, tensor, rows)
      : bindTensor(g, tensor, tensor.name, rows);
  }

  /** The numbers are read when the session opens. */
  private dequantized(g: Graph, key: WeightKey, { name, shape }: StoredTensor, rows?: Rows | Value): Value {
    if (rows && 'name' in rows) return takeRows(g, this.bind(g, key), rows);
    const { start, count } = rows ?? { start: 0, count: shape[0] };
    requireRows({ start, count }, shape[0]);
    const width = elements(shape.slice(1));
    const atATime = Math.max(1, Math.floor(PIECE_BYTES / (4 * width)));
    const write = async (into: Uint8Array): Promise<void> => {
      for (let row = 0; row < count; row += atATime) {
        const some = Math.min(atATime, count - row);
        const values = await this.read(key, { start: start + row, count: some });
        into.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 4 * row * width);
      }
    };
    return g.once(`${name}[${start}+${count}]`, () => g.later('float32', [count, ...shape.slice(1)], write));
  }
}
