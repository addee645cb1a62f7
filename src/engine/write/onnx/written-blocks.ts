/** Which models have a graph that programs around onnxruntime run. */
import type { Architecture } from '../../checkpoint/architecture';
import { mixerKind } from '../../checkpoint/kinds';
import { carriedBy, expertsIn } from '../../checkpoint/kinds/parts';
import { UserError } from '../../errors';
import { set } from '../../option-token';
import type { OnnxTarget } from './kinds';

/**
 * Refuses what no graph is written for: mixers that carry a state beside keys and values, and experts on a GPU, where no operator
 * picks the tokens that chose one.
 * @throws UserError
 */
export function requireOnnxBlocks({ layers }: Pick<Architecture, 'layers'>, target: OnnxTarget): void {
  const carrying = layers.find(carriedBy);
  if (carrying) {
    throw new UserError(
      'The model cannot be written as ONNX',
      `blocks of it have ${mixerKind(carrying.mixer).words}, whose states the graph has no caches for`,
      'Write GGUF or safetensors in place of it.',
    );
  }
  if (target === 'webgpu' && layers.some(expertsIn)) {
    throw new UserError(
      'The model cannot be written as ONNX for WebGPU',
      'blocks of it have experts, and onnxruntime picks the tokens of an expert on the CPU only',
      `${set('target', 'cpu')}, or write GGUF.`,
    );
  }
}
