/** What a user of written ONNX models should know. */
import type { Architecture } from '../../checkpoint/architecture';
import { attentionOf } from '../../checkpoint/kinds/parts';
import { MAX_DATA_FILES } from './kinds';
import { lengthNotes } from './positions';
import type { OnnxModelFacts } from './write-onnx';

export function notesOf({ architecture, models }: OnnxModelFacts): string[] {
  const notes: string[] = [];
  if (!hasEqualCaches(architecture)) {
    notes.push(
      'blocks differ in their key-value heads, so their caches have different shapes: onnxruntime and transformers.js run the ' +
        'model, but onnxruntime-genai knows one shape only',
    );
  }
  notes.push(...lengthNotes(architecture));
  for (const { file, data } of models) {
    if (data.length > MAX_DATA_FILES) {
      notes.push(`${file} has ${data.length} files of external data; transformers.js loads up to ${MAX_DATA_FILES}`);
    }
  }
  return notes;
}

/** Whether the caches of all blocks have one shape. */
export function hasEqualCaches({ layers: [first, ...others] }: Architecture): boolean {
  const { kvHeads, headDim } = attentionOf(first);
  return others.map(attentionOf).every((other) => other.kvHeads === kvHeads && other.headDim === headDim);
}
