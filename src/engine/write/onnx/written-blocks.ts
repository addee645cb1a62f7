/** Which models have a graph that programs around onnxruntime run. */
import type { Architecture } from '../../checkpoint/architecture';
import { mixerKind } from '../../checkpoint/kinds';
import { carriedBy, expertsIn } from '../../checkpoint/kinds/parts';
import { type ErrorTexts, UserError } from '../../errors';
import { set } from '../../option-token';
import type { OnnxTarget } from './kinds';

/**
 * Why no graph is written for a model: it has mixers with a recurrence, or experts on a GPU, where no operator picks the tokens that
 * chose one. Undefined if one is.
 */
export function onnxRefusal({ layers }: Pick<Architecture, 'layers'>, target: OnnxTarget): ErrorTexts | undefined {
  const recurrent = layers.find((layer) => layer.mixer.kind !== 'convolution' && carriedBy(layer));
  if (recurrent) {
    return {
      what: 'The model cannot be written as ONNX',
      why: `blocks of it have ${mixerKind(recurrent.mixer).words}, whose states the graph has no caches for`,
      action: 'Write GGUF or safetensors in place of it.',
    };
  }
  if (target === 'cpu' || !layers.some(expertsIn)) return undefined;
  return {
    what: 'The model cannot be written as ONNX for WebGPU',
    why: 'blocks of it have experts, and onnxruntime picks the tokens of an expert on the CPU only',
    action: `${set('target', 'cpu')}, or write GGUF or safetensors.`,
  };
}

/** @throws UserError for a model that no graph is written for */
export function requireOnnxBlocks(architecture: Pick<Architecture, 'layers'>, target: OnnxTarget): void {
  const refusal = onnxRefusal(architecture, target);
  if (refusal) throw new UserError(refusal.what, refusal.why, refusal.action);
}
