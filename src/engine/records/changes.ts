/** Checks whether the inputs of a run have changed. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openCheckpoint } from '../checkpoint/open';
import { systemErrorCode, UserError } from '../errors';
import type { JobOptions } from '../progress';
import { splitIn } from '../../format/text-share';
import { hashText } from '../application/read';
import { hashFile } from '../files/regular-file';
import { ADAPTER_WEIGHTS } from '../formats/peft';
import { systemReason } from '../system-failure';
import { followPlace } from './places';
import type { RunInput } from './record';

/** Texts and data have at most 256 MB, the largest adapters some gigabytes. Larger files are not inputs of a run. */
const MAX_HASHED_BYTES = 4 * 2 ** 30;

export interface LookOptions {
  /** Current inputs that need not be read, with the same role and name. */
  readonly known?: readonly RunInput[];
  /** Folders in which inputs may be read, in addition to the record's own (records/places.ts). */
  readonly given: readonly string[];
  readonly job?: JobOptions;
}

export interface InputCheck {
  /** Inputs that have changed or are gone, in words. */
  readonly changed: readonly string[];
  /** Inputs that were not checked, and why, in words. */
  readonly unchecked: readonly string[];
}

/** The state of a place. */
type Found = { readonly hash: string } | { readonly changed: string } | { readonly unchecked: string };

const GONE: Found = { changed: 'is no longer there' };

/** Reads files. Each is read once for as long as it stays the same. */
export class InputWatch {
  private readonly hashes = new Map<string, { readonly stamp: string; readonly hash: string }>();
  /** Several runs name the same file: it is read once for all of them. */
  private readonly checking = new Map<string, Promise<Found>>();

  /**
   * @param folder of the record; its places are relative to it
   * @returns the state of its inputs; inputs without a place or a hash are assumed unchanged
   * @throws CancelledError
   */
  async check(inputs: readonly RunInput[], folder: string, options: LookOptions): Promise<InputCheck> {
    const changed = new Set<string>();
    const unchecked = new Set<string>();
    for (const input of inputs) {
      const found = await this.find(input, folder, options);
      const what = input.role === 'model' ? 'the model' : input.name;
      if (found && 'changed' in found) changed.add(`${what} ${found.changed}`);
      if (found && 'unchecked' in found) unchecked.add(`${what} was not checked: ${found.unchecked}`);
    }
    return { changed: [...changed], unchecked: [...unchecked] };
  }

  /** Undefined if there is nothing to compare. */
  private async find(input: RunInput, folder: string, options: LookOptions): Promise<Found | undefined> {
    const { role, name, place } = input;
    const then = hashOf(input);
    if (then === undefined) return undefined;
    const same = options.known?.find((other) => other.role === role && other.name === name);
    if (!same && typeof place !== 'string') return undefined;
    const now = same ? foundAs(same) : await this.checkInput(input, place!, folder, options);
    return 'hash' in now && now.hash !== then ? { changed: 'has changed since' } : now;
  }

  private async checkInput(
    { role, name, share }: RunInput,
    place: string,
    folder: string,
    { given, job = {} }: LookOptions,
  ): Promise<Found> {
    const followed = await followPlace(place, folder, given);
    if (followed === 'gone') return GONE;
    if (followed === 'outside') return { unchecked: 'it is outside the folders that Coppice searches' };
    // An application's text has the same hash for all its splits, and may be a folder.
    const key = `${splitIn(share) === undefined ? role : 'application'} ${followed.path}`;
    let check = this.checking.get(key);
    if (!check) {
      check = this.read({ role, name, share }, followed.path, job).finally(() => this.checking.delete(key));
      this.checking.set(key, check);
    }
    return check;
  }

  private async read({ role, name, share }: RunInput, path: string, job: JobOptions): Promise<Found> {
    try {
      if (splitIn(share) !== undefined) return { hash: await hashText(path, share, job) };
      if (CHECKPOINTS.includes(role)) return { hash: (await openCheckpoint(path, job.signal)).identity };
      return await this.fileHash(role === 'adapter' ? join(path, ADAPTER_WEIGHTS) : path, name, job);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return GONE;
      const why = error instanceof UserError ? error.why : systemReason(error)?.why;
      if (why === undefined) throw error;
      return { changed: `can no longer be read: ${why}` };
    }
  }

  private async fileHash(path: string, name: string, job: JobOptions): Promise<Found> {
    const { size, mtimeMs, ino } = await stat(path);
    if (size > MAX_HASHED_BYTES) return { unchecked: `it has ${size} bytes, too many to be hashed` };
    const stamp = `${size} ${mtimeMs} ${ino}`;
    const known = this.hashes.get(path);
    if (known?.stamp === stamp) return known;
    const hash = await hashFile(path, `checking ${name}`, job);
    this.hashes.set(path, { stamp, hash });
    return { hash };
  }
}

/** Roles of inputs that are checkpoints. */
const CHECKPOINTS: readonly string[] = ['model', 'teacher', 'against'];

const foundAs = (input: RunInput): Found => ({ hash: hashOf(input) ?? '' });

const hashOf = ({ identity, sha256 }: RunInput): string | undefined => identity ?? sha256;
