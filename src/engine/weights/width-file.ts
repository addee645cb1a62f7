/**
 * A width in a file, *.width.safetensors: the note in its header names what is kept, its tensors are the biases. It is
 * small, so it is written and read as a whole.
 */
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { type LayerBiases, narrowCheckpoint, type Width } from '../checkpoint/width';
import { denseOf } from '../checkpoint/kinds/parts';
import { refuseExisting } from '../files/existing';
import { hashFile } from '../files/regular-file';
import { readTensor } from '../formats/read-tensor';
import { type NamedTensor, writeTensorFile } from '../formats/safetensors/tensor-file';
import type { TensorInfo } from '../formats/tensor';
import type { RunInput } from '../records/record';
import { cannotWrite } from '../system-failure';
import { baseOf, damaged, type Finding, readBeside, unusable } from './beside';
import { digestOfWidthFile, WIDTH, WIDTH_NOTE_KEY, type WidthNote, widthNoteText } from './width-note';

/** A width of a checkpoint, from a file. */
export interface WidthFile {
  /** Absolute. */
  readonly path: string;
  readonly note: WidthNote;
  readonly width: Width;
  /** The file as an input of a run. */
  readonly input: RunInput;
}

/**
 * Reads the file `path` for use with `checkpoint`, as it is stored.
 * @throws UserError when it is damaged or of another model
 */
export async function readWidthFile(path: string, checkpoint: Checkpoint): Promise<WidthFile> {
  const { name, note, tensors } = await readBeside(path, checkpoint, WIDTH);
  const { layers, compensated } = note;
  const width: Width = compensated ? { layers, biases: await readBiases(tensors, checkpoint, name) } : { layers };
  if (!compensated && tensors.length > 0)
    throw unusable(name, tensors[0].name, 'the note says that there are no biases', WIDTH);
  if (digestOfWidthFile(note.base, width) !== note.digest)
    throw damaged(name, 'what it keeps is not what was written', WIDTH);
  return { path: resolve(path), note, width, input: { role: 'width', name, sha256: await hashFile(resolve(path)) } };
}

/** The checkpoint as the narrower model of a file. @throws UserError like `readWidthFile` */
export async function openNarrowed(
  checkpoint: Checkpoint,
  path: string,
): Promise<{ readonly checkpoint: Checkpoint; readonly file: WidthFile }> {
  const file = await readWidthFile(path, checkpoint);
  return { checkpoint: narrowCheckpoint(checkpoint, file.width), file };
}

/**
 * Writes the width of a narrowed checkpoint to `path`, which must not exist.
 * @returns the path, absolute
 * @throws UserError when it cannot be written; no partial output remains
 */
export async function saveWidth(path: string, { narrowing }: Checkpoint, finding: Finding): Promise<string> {
  if (!narrowing) throw new Error('the checkpoint has its full width');
  const { from, width } = narrowing;
  const { layers } = requireArchitecture(from);
  const base = baseOf(from);
  const compensated = width.biases !== undefined;
  const note: WidthNote = {
    ...finding,
    base,
    layers: width.layers,
    compensated,
    digest: digestOfWidthFile(base, width),
  };
  const tensors = new Map<string, NamedTensor>();
  width.biases?.forEach((biases, layer) => {
    for (const part of PARTS)
      tensors.set(tensorName(layer, part), { shape: [biases[part].length], values: biases[part] });
  });
  const final = resolve(path);
  try {
    await refuseExisting(final, 'Name another file.', 'a file of a width never replaces another file');
    const text = widthNoteText(note, { ffn: layers.map((layer) => denseOf(layer).width) });
    await writeTensorFile(final, tensors, { format: 'pt', [WIDTH_NOTE_KEY]: text });
  } catch (error) {
    throw cannotWrite(final, error);
  }
  return final;
}

const PARTS = ['o', 'down'] as const;

const tensorName = (layer: number, part: (typeof PARTS)[number]): string => `layers.${layer}.${part}.bias`;

async function readBiases(
  tensors: readonly TensorInfo[],
  checkpoint: Checkpoint,
  file: string,
): Promise<readonly LayerBiases[]> {
  const { layers, hidden } = requireArchitecture(checkpoint);
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const read = async (name: string): Promise<Float32Array> => {
    const tensor = byName.get(name);
    if (!tensor) throw unusable(file, name, 'it is missing', WIDTH);
    if (tensor.dtype !== 'F32' || !isDeepStrictEqual(tensor.shape, [hidden])) {
      throw unusable(
        file,
        name,
        `it is ${tensor.dtype} [${tensor.shape.join(', ')}] in place of F32 [${hidden}]`,
        WIDTH,
      );
    }
    byName.delete(name);
    const values = await readTensor(tensor);
    if (!values.every(Number.isFinite)) throw unusable(file, name, 'it holds infinities or NaN', WIDTH);
    return values;
  };
  const biases: LayerBiases[] = [];
  for (const layer of layers.keys()) {
    biases.push({ o: await read(tensorName(layer, 'o')), down: await read(tensorName(layer, 'down')) });
  }
  const [extra] = byName.keys();
  if (extra !== undefined) throw unusable(file, extra, 'it is not a bias of this model', WIDTH);
  return biases;
}
