/**
 * The weights of a model in GGUF files. Numbers that are stored one by one remain in their file, as those of a safetensors
 * checkpoint do; a graph brings the rows of queries and keys into the model's order when a session opens. Norms that are stored
 * as 1 + w, heads in another order and powers are read and quantized blocks dequantized at that time, one weight after another, and only the open block of the
 * model is in memory in float32.
 */
import type { WeightKey } from '../checkpoint/weight-key';
import { isBlockType } from '../formats/dtype';
import type { Rows } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import { bindTensor } from './external';
import { StoredWeights } from './stored';

export class GgufWeights extends StoredWeights {
  bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value {
    const tensor = this.stored(key);
    const { dtype, above, tiled, power } = tensor;
    const isRead = isBlockType(dtype) || above !== undefined || tiled !== undefined || power !== undefined;
    return isRead ? this.dequantized(g, key, tensor, rows) : bindTensor(g, tensor, tensor.name, rows);
  }
}
