/**
 * A width in a file, *.width.safetensors: the note in its header names what is kept, its tensors are the biases. It is
 * small, so it is written and read as a whole.
 */
import { lstat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { groupsOf, type LayerBiases, narrowCheckpoint, type Width } from '../checkpoint/width';
import { systemErrorCode, UserError } from '../errors';
import { hashFile } from '../files/regular-file';
import { printable } from '../formats/bounded-json';
import { readTensor } from '../formats/read-tensor';
import { readShardHeader } from '../formats/safetensors/file';
import { type NamedTensor, writeTensorFile } from '../formats/safetensors/tensor-file';
import type { TensorInfo } from '../formats/tensor';
import { modelName, type RunInput } from '../records/record';
import { cannotWrite } from '../system-failure';
import {
  digestOfWidthFile,
  readWidthNote,
  WIDTH_NOTE_KEY,
  type WidthNote,
  type WidthOrigin,
  widthNoteText,
} from './width-note';

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
  const name = basename(path);
  const { shard, tensors } = await readShardHeader(resolve(path), name);
  const note = readWidthNote(shard.metadata, name);
  requireFitting(note, checkpoint, name);
  const { layers, compensated } = note;
  const width: Width = compensated ? { layers, biases: await readBiases(tensors, checkpoint, name) } : { layers };
  if (!compensated && tensors.length > 0)
    throw unusable(name, tensors[0].name, 'the note says that there are no biases');
  if (digestOfWidthFile(note.base, width) !== note.digest) {
    throw new UserError(
      `${name} is damaged`,
      'what it keeps is not what was written',
      'Copy the file again, or prune in width again.',
    );
  }
  return { path: resolve(path), note, width, input: { role: 'width', name, sha256: await hashFile(resolve(path)) } };
}

/** Whether the file holds a width of the checkpoint, by its header alone. False for any other file. */
export async function widthFits(path: string, checkpoint: Checkpoint): Promise<boolean> {
  try {
    const { shard } = await readShardHeader(resolve(path), basename(path));
    requireFitting(readWidthNote(shard.metadata, basename(path)), checkpoint, basename(path));
    return true;
  } catch (error) {
    if (error instanceof UserError || systemErrorCode(error) !== undefined) return false;
    throw error;
  }
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
export async function saveWidth(path: string, { narrowing }: Checkpoint, origin: WidthOrigin): Promise<string> {
  if (!narrowing) throw new Error('the checkpoint has its full width');
  const { from, width } = narrowing;
  const { layers } = requireArchitecture(from);
  const base = { name: modelName(from), identity: from.identity, blocks: layers.length };
  const note: WidthNote = {
    ...origin,
    base,
    layers: width.layers,
    compensated: width.biases !== undefined,
    digest: digestOfWidthFile(base, width),
  };
  const tensors = new Map<string, NamedTensor>();
  width.biases?.forEach((biases, layer) => {
    for (const part of PARTS)
      tensors.set(tensorName(layer, part), { shape: [biases[part].length], values: biases[part] });
  });
  const final = resolve(path);
  try {
    await refuseExisting(final);
    const text = widthNoteText(note, { ffn: layers.map(({ ffn }) => ffn) });
    await writeTensorFile(final, tensors, { format: 'pt', [WIDTH_NOTE_KEY]: text });
  } catch (error) {
    throw cannotWrite(final, error);
  }
  return final;
}

const PARTS = ['o', 'down'] as const;

const tensorName = (layer: number, part: (typeof PARTS)[number]): string => `layers.${layer}.${part}.bias`;

async function refuseExisting(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there)
    throw new UserError(
      `${path} exists already`,
      'a file of a width never replaces another file',
      'Name another file.',
    );
}

function requireFitting({ base, layers }: WidthNote, checkpoint: Checkpoint, file: string): void {
  const own = requireArchitecture(checkpoint).layers;
  if (checkpoint.identity !== base.identity || own.length !== base.blocks) {
    const name = printable(base.name, 80);
    throw new UserError(
      `${file} does not belong to ${modelName(checkpoint)}`,
      `it keeps parts of ${name}, whose files differ (identity ${base.identity.slice(0, 12)}, here ${checkpoint.identity.slice(0, 12)})`,
      `Use it with ${name}, or prune this model in width.`,
    );
  }
  layers.forEach(({ groups, neurons }, i) => {
    const { ffn } = own[i];
    const all = groupsOf(own[i]);
    const [what, most] = groups[groups.length - 1] >= all ? ['groups', all] : ['neurons', ffn];
    if (groups[groups.length - 1] < all && neurons[neurons.length - 1] < ffn) return;
    throw unusable(file, `layers[${i}].${what}`, `the block has ${most} of them`);
  });
}

async function readBiases(
  tensors: readonly TensorInfo[],
  checkpoint: Checkpoint,
  file: string,
): Promise<readonly LayerBiases[]> {
  const { layers, hidden } = requireArchitecture(checkpoint);
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const read = async (name: string): Promise<Float32Array> => {
    const tensor = byName.get(name);
    if (!tensor) throw unusable(file, name, 'it is missing');
    if (tensor.dtype !== 'F32' || !isDeepStrictEqual(tensor.shape, [hidden])) {
      throw unusable(file, name, `it is ${tensor.dtype} [${tensor.shape.join(', ')}] in place of F32 [${hidden}]`);
    }
    byName.delete(name);
    const values = await readTensor(tensor);
    if (!values.every(Number.isFinite)) throw unusable(file, name, 'it holds infinities or NaN');
    return values;
  };
  const biases: LayerBiases[] = [];
  for (const layer of layers.keys()) {
    biases.push({ o: await read(tensorName(layer, 'o')), down: await read(tensorName(layer, 'down')) });
  }
  const [extra] = byName.keys();
  if (extra !== undefined) throw unusable(file, extra, 'it is not a bias of this model');
  return biases;
}

const unusable = (file: string, field: string, why: string): UserError =>
  new UserError(
    `${file}: "${printable(field, 120)}" cannot be used`,
    why,
    'Copy the file again, or prune in width again.',
  );
