/** What a user of written ONNX models should know. */
import type { Architecture } from '../../checkpoint/architecture';
import { attentionIn, carriedBy } from '../../checkpoint/kinds/parts';
import { MAX_DATA_FILES } from './kinds';
import { lengthNotes } from './positions';
import type { OnnxModelFacts } from './write-onnx';

export function notesOf({ architecture, models }: OnnxModelFacts): string[] {
  const notes: string[] = [];
  if (architecture.layers.some(carriedBy)) {
    notes.push(
      'short convolutions carry states of their own (past_conv): onnxruntime and transformers.js run the model; no settings ' +
        'for onnxruntime-genai are written',
    );
  } else if (!runsInGenai(architecture)) {
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

/** Whether the caches of all blocks have one shape, and nothing else is carried between runs. */
export function runsInGenai({ layers }: Pick<Architecture, 'layers'>): boolean {
  const shapes = layers.map(attentionIn).map((attention) => attention && [attention.kvHeads, attention.headDim].join());
  return new Set(shapes).size === 1 && !layers.some(carriedBy);
}
