/**
 * Writes new weights into a safetensors file as they are found, one tensor after the other, so that they need no memory.
 * The start of the file has room for the header, which is filled in at the end. Until then the file has a temporary name,
 * and graphs can read its tensors.
 */
import { foldersOf } from '../checkpoint/folders';
import { open, realpath, rename, rm, type FileHandle } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { canonicalKey, keyText, type WeightKey, weightOf } from '../checkpoint/weight-key';
import { requireArchitecture } from '../checkpoint/open';
import { elements } from '../checkpoint/parameters';
import type { Checkpoint } from '../checkpoint/types';
import { systemErrorCode, UserError } from '../errors';
import { removeStale, temporaryName } from '../files/partial';
import { refuseExisting } from '../files/existing';
import { isInside } from '../files/paths';
import { nearestFolder, syncFolder } from '../files/target';
import { headerBytes } from '../formats/safetensors/tensor-file';
import type { StoredTensor } from '../formats/stored-tensor';
import { option } from '../option-token';
import { cannotWrite } from '../system-failure';
import { baseOf, type Facts } from './beside';
import { digestOf, NOTE_KEY, noteText, type PatchNote, sha256OfNumbers } from './patch-note';
import type { KeyedPatch, PatchSink } from './patches';
import { withinReach } from './reach';

/** What the note of a patch says, apart from what follows from the checkpoint and the numbers. */
export interface PatchContents extends Pick<PatchNote, 'adapter' | 'removed' | 'method' | 'texts' | 'facts'> {
  /** Every weight that may get new numbers; others are refused. */
  readonly keys: readonly WeightKey[];
}

/** Room in the header for facts that are known at the end. */
const LATE_BYTES = 16 * 1024;
/** A digest and an offset as long as they can be. */
const LONGEST_DIGEST = 'f'.repeat(64);
const LONGEST_OFFSET = Number.MAX_SAFE_INTEGER;
/** Bytes of one write: the system takes at most 2 GiB. */
const WRITE_BYTES = 2 ** 30;

interface Added {
  readonly key: WeightKey;
  readonly tensor: StoredTensor;
  readonly sha256: string;
}

interface Destination {
  /** The file while it is written; links resolved. */
  readonly temporary: string;
  /** The finished file, absolute; undefined if it is never finished. */
  readonly final?: string;
  /** The same with links resolved. */
  readonly resolved?: string;
}

export class PatchWriter implements PatchSink {
  private readonly added = new Map<string, Added>();
  private readonly allowed: ReadonlySet<string>;
  private readonly dataStart: number;
  private end: number;
  private state: 'open' | 'finished' | 'gone' = 'open';
  private readonly onExit = (): void => rmSync(this.place.temporary, { force: true });

  private constructor(
    private readonly checkpoint: Checkpoint,
    private readonly contents: PatchContents,
    private readonly place: Destination,
    private readonly file: FileHandle,
  ) {
    const architecture = requireArchitecture(checkpoint);
    const names = contents.keys.map((key) => keyText(canonicalKey(architecture, key)));
    this.allowed = new Set(names);
    const entries = contents.keys.map((key) => this.longestEntry(key));
    this.dataStart = this.header(Object.fromEntries(entries), LONGEST_DIGEST, contents.facts).length + LATE_BYTES;
    this.end = this.dataStart;
    process.once('exit', this.onExit);
  }

  /**
   * Starts the file `path`, which must not exist; its folder must.
   * @throws UserError when it cannot be written
   */
  static async create(path: string, checkpoint: Checkpoint, contents: PatchContents): Promise<PatchWriter> {
    const final = resolve(path);
    const folder = dirname(final);
    try {
      await refuseExisting(final, anotherPatch());
      const resolved = join(await realpath(folder), basename(final));
      for (const source of foldersOf(checkpoint)) {
        if (isInside(resolved, await realpath(source))) throw insideSource(final, checkpoint);
      }
      await removeStale(folder, basename(final));
      const temporary = join(dirname(resolved), temporaryName(basename(final)));
      return new PatchWriter(checkpoint, contents, { temporary, final, resolved }, await open(temporary, 'wx'));
    } catch (error) {
      throw failure(final, error);
    }
  }

  /**
   * Starts a file without a lasting name, for weights that are needed only until a checkpoint is written from them.
   * onnxruntime opens it by name, so it has one; what a killed process leaves is removed by the next one.
   * @param folder on a disk with room for it; if it does not exist yet, the nearest one above it
   * @throws UserError when it cannot be written
   */
  static async temporary(
    checkpoint: Checkpoint,
    contents: PatchContents,
    folder: string = tmpdir(),
  ): Promise<PatchWriter> {
    try {
      const real = await realpath(await nearestFolder(resolve(folder)));
      await removeStale(real, 'healed');
      const temporary = join(real, temporaryName('healed'));
      return new PatchWriter(checkpoint, contents, { temporary }, await open(temporary, 'wx', 0o600));
    } catch (error) {
      throw cannotWrite(`a temporary file in ${folder}`, error);
    }
  }

  /**
   * Appends the new numbers of a weight.
   * @throws UserError when they are not finite or cannot be written; Error for a weight that was not announced
   */
  async add(key: WeightKey, values: Float32Array): Promise<void> {
    const architecture = requireArchitecture(this.checkpoint);
    const canonical = canonicalKey(architecture, key);
    const text = keyText(canonical);
    const weight = weightOf(architecture, canonical);
    if (!weight || !this.allowed.has(text)) throw new Error(`${text} was not announced`);
    if (this.state !== 'open' || this.added.has(text)) throw new Error(`${text} cannot be added now`);
    const { name, shape } = weight;
    if (values.length !== elements(shape)) throw new Error(`${values.length} numbers for ${text}`);
    if (!values.every(Number.isFinite)) throw notFinite(name);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const offset = this.end;
    await this.write(bytes, offset);
    this.end += bytes.length;
    const tensor = { name, dtype: 'F32', shape, file: this.place.temporary, offset, bytes: bytes.length } as const;
    this.added.set(text, { key: canonical, tensor, sha256: sha256OfNumbers(values) });
  }

  /** The weights so far, as patches of the source that lie in the file; after `finish`, in the finished one. */
  async patches(): Promise<readonly KeyedPatch[]> {
    if (this.state === 'gone') throw new Error('the file is gone');
    const file = this.state === 'finished' ? this.place.resolved! : this.place.temporary;
    const stored = [...this.added.values()].map(({ key, tensor, sha256 }): KeyedPatch => {
      return [key, { kind: 'stored', tensor: { ...tensor, file }, sha256 }];
    });
    return withinReach(stored, this.checkpoint);
  }

  /** See `digestOf`. */
  get digest(): string {
    const tensors = new Map([...this.added.values()].map(({ tensor, sha256 }) => [tensor.name, sha256]));
    return digestOf({ base: baseOf(this.checkpoint), ...this.contents }, tensors);
  }

  /**
   * Completes the file and gives it its name.
   * @param facts in addition to those of the start
   * @returns its path, absolute
   * @throws UserError when it cannot be written
   */
  async finish(facts: Facts = {}): Promise<string> {
    const { temporary, final } = this.place;
    if (this.state !== 'open' || final === undefined) throw new Error('there is nothing to finish');
    const entries = [...this.added.values()].map(({ tensor: { name, dtype, shape, offset, bytes } }) => {
      const start = offset - this.dataStart;
      return [name, { dtype, shape, data_offsets: [start, start + bytes] }] as const;
    });
    const header = this.header(Object.fromEntries(entries), this.digest, { ...this.contents.facts, ...facts });
    if (header.length > this.dataStart) throw new Error(`no room for the facts ${Object.keys(facts).join(', ')}`);
    try {
      const padded = Buffer.alloc(this.dataStart, ' ');
      header.copy(padded);
      padded.writeBigUInt64LE(BigInt(this.dataStart - 8));
      await this.write(padded, 0);
      await this.file.sync();
      await this.file.close();
      await refuseExisting(final, anotherPatch());
      await rename(temporary, final);
      this.state = 'finished';
      process.removeListener('exit', this.onExit);
      await syncFolder(dirname(final));
      return final;
    } catch (error) {
      throw failure(final, error);
    }
  }

  /** Closes and removes the file; does nothing once it is finished. */
  async discard(): Promise<void> {
    if (this.state !== 'open') return;
    this.state = 'gone';
    process.removeListener('exit', this.onExit);
    await this.file.close().catch(() => undefined); // it may be closed
    await rm(this.place.temporary, { force: true });
  }

  private header(entries: object, digest: string, facts: Facts): Buffer {
    const { adapter, removed, method, texts } = this.contents;
    const note = noteText({ base: baseOf(this.checkpoint), adapter, removed, method, texts, facts, digest });
    return headerBytes({ __metadata__: { format: 'pt', [NOTE_KEY]: note }, ...entries });
  }

  private longestEntry(key: WeightKey): readonly [string, object] {
    const { name, shape } = weightOf(requireArchitecture(this.checkpoint), key)!;
    return [name, { dtype: 'F32', shape, data_offsets: [LONGEST_OFFSET, LONGEST_OFFSET] }];
  }

  private async write(bytes: Uint8Array, position: number): Promise<void> {
    const { final = `a temporary file in ${dirname(this.place.temporary)}` } = this.place;
    try {
      for (let done = 0; done < bytes.length;) {
        const length = Math.min(WRITE_BYTES, bytes.length - done);
        done += (await this.file.write(bytes, done, length, position + done)).bytesWritten;
      }
    } catch (error) {
      throw cannotWrite(final, error);
    }
  }
}

const anotherPatch = (): string => `Choose another ${option('patch')}, or remove it first.`;

function insideSource(path: string, { folder }: Checkpoint): UserError {
  const why = `it is inside the checkpoint ${folder}, and Coppice never writes there`;
  return new UserError(`${path} cannot be written`, why, 'Choose a place beside it.');
}

function notFinite(name: string): UserError {
  const why = 'they hold infinities or NaN';
  return new UserError(
    `The new numbers of ${name} cannot be used`,
    why,
    `Raise ${option('ridge')}, or use more tokens.`,
  );
}

/** A missing folder is not a missing file. */
function failure(path: string, error: unknown): unknown {
  if (systemErrorCode(error) !== 'ENOENT') return cannotWrite(path, error);
  const why = `there is no folder ${dirname(path)}`;
  return new UserError(`${path} cannot be written`, why, 'Name a file in a folder that exists.', { cause: error });
}
