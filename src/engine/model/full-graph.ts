/** The parameters of a block in training: all of them for gradients (full training, Taylor scores), or none. */
import type { Architecture } from '../checkpoint/architecture';
import type { Graph, Value } from '../onnx/graph';
import { type Bind, blockBinder, inputName } from './binding';
import { projectWith } from './project';
import type { BlockParameters } from './training-graph';

/** Parameters are named within the block ("q", "qBias", "inputNorm"); `bind` gets them. */
export function fullBlockParameters(g: Graph, architecture: Architecture, layer: number, bind: Bind): BlockParameters {
  const parameters = new Map<string, Value>();
  const weight = blockBinder(architecture, layer, (key) => {
    const value = bind(key);
    parameters.set(inputName(key), value);
    return value;
  });
  return { weight: (name) => weight(name)!, project: projectWith(g, weight), wanted: () => parameters };
}

/** A block that is not trained: only the gradient of its input is computed. */
export function frozenBlockParameters(
  g: Graph,
  architecture: Architecture,
  layer: number,
  bind: Bind,
): BlockParameters {
  const weight = blockBinder(architecture, layer, bind);
  return { weight: (name) => weight(name)!, project: projectWith(g, weight), wanted: () => new Map() };
}
