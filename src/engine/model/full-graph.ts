/** Every parameter of a block as an input of the graph: full-parameter training, and Taylor scores over fed weights. */
import type { Architecture } from '../checkpoint/architecture';
import type { Graph, Value } from '../onnx/graph';
import { projectWith, blockWeightBinder } from './forward-graph';
import type { Bind } from './graph-weights';
import type { Trainables } from './training-graph';

/** Parameters are named by their keys ("q", "qBias", "inputNorm"); `bind` says where they come from. */
export function fullTrainables(g: Graph, architecture: Architecture, index: number, bind: Bind): Trainables {
  const parameters = new Map<string, Value>();
  const weight = blockWeightBinder(architecture, index, (key, w) => {
    const value = bind(key, w);
    parameters.set(key, value);
    return value;
  });
  return { norm: (name) => weight(name)!, project: projectWith(g, weight), wanted: () => parameters };
}
