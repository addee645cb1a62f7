/**
 * Reads a file of new weights. Everything is checked before anything is computed with it: the format, the note, the model
 * that it belongs to, names, types and shapes, and in one pass over its bytes that every number is finite and the one that
 * was written.
 */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { type WeightKey, weightKeys, weightOf } from '../checkpoint/weight-key';
import { UserError } from '../errors';
import { type RegularFile, withFile } from '../files/regular-file';
import { type StoredTensor, storedTensor } from '../formats/stored-tensor';
import { type JobOptions, Work } from '../progress';
import type { RunInput } from '../records/record';
import { damaged, readBeside, unusable } from './beside';
import { digestOf, PATCH, type PatchNote } from './patch-note';
import type { KeyedPatch } from './patches';
import { withinReach } from './reach';

/** New weights of a checkpoint, from a file. */
export interface PatchFile {
  /** Absolute. */
  readonly path: string;
  readonly note: PatchNote;
  /** They lie in the file. */
  readonly patches: readonly KeyedPatch[];
  /** The file as an input of a run. */
  readonly input: RunInput;
}

/** Bytes to check between two looks at the signal. */
const PIECE_BYTES = 2 ** 22;

/**
 * Reads the file `path` for use with `checkpoint`.
 * @throws UserError when it is damaged or of another model; CancelledError
 */
export async function readPatchFile(path: string, checkpoint: Checkpoint, job: JobOptions = {}): Promise<PatchFile> {
  const { name, file, note, tensors } = await readBeside(path, checkpoint, PATCH);
  const keys = keysOf(checkpoint);
  const stored = tensors.map(storedTensor);
  for (const tensor of stored) requireFitting(tensor, keys, checkpoint, name);
  const { hashes, sha256 } = await checkBytes(file, stored, name, job);
  if (digestOf(note, hashes) !== note.digest) throw damaged(name, 'its numbers are not those that were written', PATCH);
  const patches = stored.map((tensor): KeyedPatch => {
    return [keys.get(tensor.name)!, { kind: 'stored', tensor, sha256: hashes.get(tensor.name)! }];
  });
  return {
    path: resolve(path),
    note,
    patches: await withinReach(patches, checkpoint),
    input: { role: 'patch', name, sha256 },
  };
}

function keysOf(checkpoint: Checkpoint): Map<string, WeightKey> {
  const architecture = requireArchitecture(checkpoint);
  return new Map([...weightKeys(architecture)].map((key) => [weightOf(architecture, key)!.name, key]));
}

function requireFitting(
  tensor: StoredTensor,
  keys: ReadonlyMap<string, WeightKey>,
  checkpoint: Checkpoint,
  file: string,
): void {
  const bad = (why: string): UserError => unusable(file, tensor.name, why, PATCH);
  const key = keys.get(tensor.name);
  if (key === undefined) throw bad('it is not a weight of this model');
  if (tensor.dtype !== 'F32') throw bad(`it is stored as ${tensor.dtype}; new weights are F32`);
  const { shape } = weightOf(requireArchitecture(checkpoint), key)!;
  if (isDeepStrictEqual(tensor.shape, shape)) return;
  throw bad(`its shape is [${tensor.shape.join(', ')}], it has to be [${shape.join(', ')}]`);
}

/**
 * One pass over the file.
 * @param tensors in the order of their bytes
 * @returns SHA-256 of each tensor by name, and of the file
 * @throws UserError for a number that is not finite
 */
async function checkBytes(
  path: string,
  tensors: readonly StoredTensor[],
  name: string,
  job: JobOptions,
): Promise<{ readonly hashes: ReadonlyMap<string, string>; readonly sha256: string }> {
  return withFile(
    path,
    async (file) => {
      const whole = createHash('sha256');
      const hashes = new Map<string, string>();
      const work = new Work(job, file.bytes, 'bytes', `checking ${name}`);
      const start = tensors.at(0)?.offset ?? file.bytes;
      await eachPiece(file, 0, start, work, (piece) => whole.update(piece));
      for (const tensor of tensors) {
        const own = createHash('sha256');
        await eachPiece(file, tensor.offset, tensor.bytes, work, (piece) => {
          if (!allFinite(piece)) throw notFinite(name, tensor.name);
          own.update(piece);
          whole.update(piece);
        });
        hashes.set(tensor.name, own.digest('hex'));
      }
      return { hashes, sha256: whole.digest('hex') };
    },
    name,
  );
}

async function eachPiece(
  file: RegularFile,
  position: number,
  bytes: number,
  work: Work,
  use: (piece: Uint8Array) => void,
): Promise<void> {
  const buffer = Buffer.alloc(Math.min(PIECE_BYTES, bytes));
  for (let at = 0; at < bytes; at += PIECE_BYTES) {
    const piece = buffer.subarray(0, Math.min(PIECE_BYTES, bytes - at));
    await file.readInto(piece, position + at);
    use(piece);
    work.advance(piece.length);
    await setImmediate();
  }
}

const EXPONENT = 0x7f800000;

/** Whether little-endian float32 numbers are finite: none has every bit of the exponent set. */
function allFinite(bytes: Uint8Array): boolean {
  const { buffer, byteOffset, byteLength } = bytes;
  const view = new DataView(buffer, byteOffset, byteLength);
  for (let at = 0; at < byteLength; at += 4) if ((view.getUint32(at, true) & EXPONENT) === EXPONENT) return false;
  return true;
}

const notFinite = (file: string, tensor: string): UserError =>
  new UserError(
    `${file}: "${tensor}" cannot be used`,
    'it holds infinities or NaN',
    'Heal the model again, with a larger ridge or more tokens.',
  );
