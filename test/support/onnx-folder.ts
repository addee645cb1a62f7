/** Whole folders of ONNX models, as the job writes them. */
import { join } from 'node:path';
import { requireArchitecture } from '../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../src/engine/checkpoint/types';
import { withWeights } from '../../src/engine/weights/checkpoint';
import { onnxFolderFiles } from '../../src/engine/write/onnx/folder/files';
import type { OnnxKind, OnnxTarget } from '../../src/engine/write/onnx/kinds';
import { writeOnnx } from '../../src/engine/write/onnx/write-onnx';
import { temporaryFolder } from './temporary';

/** Writes the model without the blocks `removed`. @returns the folder, named "model" */
export async function writeOnnxFolder(
  checkpoint: Checkpoint,
  removed: readonly number[],
  { kinds, target }: { readonly kinds: readonly OnnxKind[]; readonly target: OnnxTarget },
): Promise<string> {
  const kept = [...requireArchitecture(checkpoint).layers.keys()].filter((block) => !removed.includes(block));
  const { out } = await withWeights(checkpoint, (weights) =>
    writeOnnx(checkpoint, weights, join(temporaryFolder(), 'model'), {
      kept,
      kinds,
      target,
      beside: (facts) => onnxFolderFiles(checkpoint, facts, { name: 'model', kept }),
    }),
  );
  return out;
}
