/** The weights of a checkpoint in safetensors files. A graph reads them from the files without conversion or copies. */
import type { WeightKey } from '../checkpoint/weight-key';
import type { Rows } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import { bindTensor } from './external';
import { StoredWeights } from './stored';

export class SafetensorsWeights extends StoredWeights {
  /** An initializer that remains in its file, in the file's element type, and a Cast that the session folds. */
  bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value {
    const tensor = this.stored(key);
    if (tensor.scales) return this.dequantized(g, key, tensor, rows);
    return bindTensor(g, tensor, tensor.name, rows);
  }
}
