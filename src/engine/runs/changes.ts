/** Whether what a run read is still what it was. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { openCheckpoint } from '../checkpoint/open';
import { systemErrorCode, UserError } from '../errors';
import { ADAPTER_WEIGHTS } from '../retrain/adapter-tensors';
import type { RunInput } from './record';

/** Looks files up; each is read once for as long as it stays the same. */
export class InputWatch {
  private readonly hashes = new Map<string, { readonly stamp: string; readonly hash: string }>();
  /** Many runs name the same file: they look at it together. */
  private readonly looking = new Map<string, Promise<string | undefined>>();

  /**
   * @param folder of the record, from where its places are seen
   * @param known inputs as they are now, which need not be looked up: those of the same role and name
   * @returns what is another one now, or gone, in words; inputs without a place are taken on trust
   */
  async changed(inputs: readonly RunInput[], folder: string, known: readonly RunInput[] = []): Promise<string[]> {
    const found = await Promise.all(inputs.map((input) => this.changeOf(input, folder, known)));
    return [...new Set(found.filter((words) => words !== undefined))];
  }

  private async changeOf(input: RunInput, folder: string, known: readonly RunInput[]): Promise<string | undefined> {
    const { role, name, place } = input;
    const then = hashOf(input);
    if (then === undefined) return undefined;
    const what = role === 'model' ? 'the model' : name;
    const same = known.find((other) => other.role === role && other.name === name);
    if (!same && place === undefined) return undefined;
    const now = same ? hashOf(same) : await this.lookAt(role, resolve(folder, place!));
    if (now === undefined) return `${what} is no longer there`;
    return now === then ? undefined : `${what} has changed since`;
  }

  private lookAt(role: string, path: string): Promise<string | undefined> {
    const key = `${role} ${path}`;
    let look = this.looking.get(key);
    if (!look) {
      look = this.hashAt(role, path).finally(() => this.looking.delete(key));
      this.looking.set(key, look);
    }
    return look;
  }

  /** Undefined where nothing can be read. */
  private async hashAt(role: string, path: string): Promise<string | undefined> {
    try {
      if (role === 'model' || role === 'teacher') return (await openCheckpoint(path)).identity;
      return await this.fileHash(role === 'adapter' ? join(path, ADAPTER_WEIGHTS) : path);
    } catch (error) {
      if (error instanceof UserError || systemErrorCode(error) !== undefined) return undefined;
      throw error;
    }
  }

  private async fileHash(path: string): Promise<string> {
    const { size, mtimeMs } = await stat(path);
    const stamp = `${size} ${mtimeMs}`;
    const known = this.hashes.get(path);
    if (known?.stamp === stamp) return known.hash;
    const digest = createHash('sha256');
    for await (const piece of createReadStream(path)) digest.update(piece as Buffer);
    const hash = digest.digest('hex');
    this.hashes.set(path, { stamp, hash });
    return hash;
  }
}

const hashOf = ({ identity, sha256 }: RunInput): string | undefined => identity ?? sha256;
