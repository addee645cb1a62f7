/**
 * Files of float32 numbers that the processes of one job leave for each other: safetensors, with a note in the header. Only
 * the header is read when one is opened, and its lengths are checked against the file.
 */
import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isObject, type JsonObject, parseNumbers, stringifyJson } from '../../format/json';
import type { Checkpoint } from '../checkpoint/types';
import { type WeightKey, weightOf } from '../checkpoint/weight-key';
import { requireArchitecture } from '../checkpoint/open';
import { elements } from '../checkpoint/parameters';
import { UserError } from '../errors';
import { writeOnce } from '../files/once';
import { headerBytes } from '../formats/safetensors/tensor-file';
import { readShardHeader } from '../formats/safetensors/file';
import { readTensor } from '../formats/read-tensor';
import { storedTensor } from '../formats/stored-tensor';
import type { TensorInfo } from '../formats/tensor';
import { sha256OfNumbers } from './patch-note';
import type { KeyedPatch } from './patches';
import { withinReach } from './reach';

/** Numbers to be written. They are made when their turn comes, so that not all are in memory. */
export interface FloatTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: () => Float32Array;
}

const NOTE = 'coppice.part';

/** Writes a file, unless it is there. @param note says what the numbers are @throws UserError */
export async function writeFloats(path: string, tensors: readonly FloatTensor[], note: JsonObject): Promise<void> {
  let end = 0;
  const entries = tensors.map(({ name, shape }) => {
    const start = end;
    end += 4 * elements(shape);
    return [name, { dtype: 'F32', shape, data_offsets: [start, end] }] as const;
  });
  await writeOnce(path, async (file) => {
    await file.handle.writeFile(
      headerBytes({ __metadata__: { [NOTE]: stringifyJson(note) }, ...Object.fromEntries(entries) }),
    );
    for (const { values } of tensors) {
      const numbers = values();
      await file.handle.writeFile(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
      await file.wrote(numbers.byteLength);
    }
  });
}

export class FloatFile {
  private constructor(
    readonly path: string,
    readonly note: JsonObject,
    private readonly tensors: ReadonlyMap<string, TensorInfo>,
  ) {}

  /** @throws UserError for a file that is damaged, or no such file */
  static async open(path: string): Promise<FloatFile> {
    const { shard, tensors } = await readShardHeader(path, basename(path));
    const note = noteIn(shard.metadata[NOTE]);
    if (note === undefined) throw unusable(path, 'its header does not say what it is');
    return new FloatFile(path, note, new Map(tensors.map((tensor) => [tensor.name, tensor])));
  }

  get names(): string[] {
    return [...this.tensors.keys()];
  }

  /** @throws UserError when it has no tensor of this name and shape */
  async read(name: string, shape: readonly number[]): Promise<Float32Array> {
    return readTensor(this.tensor(name, shape));
  }

  /** A weight of the model, and the same as a patch that stays in the file. @throws UserError */
  async weight(
    checkpoint: Checkpoint,
    key: WeightKey,
  ): Promise<{ readonly values: Float32Array; readonly patch: KeyedPatch }> {
    const { name, shape } = weightOf(requireArchitecture(checkpoint), key)!;
    const tensor = this.tensor(name, shape);
    const values = await readTensor(tensor);
    const stored: KeyedPatch = [key, { kind: 'stored', tensor: storedTensor(tensor), sha256: sha256OfNumbers(values) }];
    const [patch] = await withinReach([stored], checkpoint);
    return { values, patch };
  }

  private tensor(name: string, shape: readonly number[]): TensorInfo {
    const tensor = this.tensors.get(name);
    if (tensor?.dtype === 'F32' && isDeepStrictEqual(tensor.shape, shape)) return tensor;
    throw unusable(this.path, `it has no ${name} of ${shape.join(' × ')} numbers`);
  }
}

function noteIn(text: string | undefined): JsonObject | undefined {
  try {
    const note: unknown = parseNumbers(text ?? '');
    return isObject(note) ? note : undefined;
  } catch {
    return undefined;
  }
}

/** A file that other parts of the job cannot have left. */
export const unusable = (path: string, why: string): UserError =>
  new UserError(
    `${path} cannot be used`,
    why,
    'Remove the file, and start the parts again: the part that wrote it does so again.',
  );
