/**
 * The weights of a model in GGUF files. Numbers that are stored one by one remain in their file, as those of a safetensors
 * checkpoint do; a graph brings the rows of queries and keys into the model's order when a session opens. Norms that are stored
 * as 1 + w, heads in another order, powers and matrices in two tensors are read and quantized blocks dequantized at that time, one weight after another, and only the open block of the
 * model is in memory in float32.
 */
import type { WeightKey } from '../checkpoint/weight-key';
import { isBlockType } from '../formats/dtype';
import { liesAsInModel, type Rows } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import { bindTensor } from './external';
import { StoredWeights } from './stored';

export class GgufWeights extends StoredWeights {
  bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value {
    const tensor = this.stored(key);
    // Rows of queries and keys come into order in the graph.
    const isRead = isBlockType(tensor.dtype) || !liesAsInModel({ ...tensor, paired: undefined });
    return isRead ? this.dequantized(g, key, tensor, rows) : bindTensor(g, tensor, tensor.name, rows);
  }
}
