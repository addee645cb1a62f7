/**
 * Seals: proofs that Coppice wrote something on this machine, for this user: a line of a recipe's state, or the command of a
 * run on a cluster. These lie in repositories and shared folders, where anyone may have made them, and the key of the
 * seals in the user's cache folder, which none of these reaches.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../errors';
import { cacheFolder } from './cache';
import { withFile } from './regular-file';

const KEY_FILE = 'recipe-seals.key';
const KEY_BYTES = 32;

export class Seals {
  private key: Buffer | undefined;

  /** The seal of a claim, such as ["output", recipe, path, digest]. */
  async of(claim: readonly string[]): Promise<string> {
    this.key ??= (await readKey()) ?? (await makeKey());
    return sealOf(this.key, claim);
  }

  /** Whether a seal is the one of a claim. Without a key nothing was sealed; it is not made, because plans ask too. */
  async holds(seal: string | undefined, claim: readonly string[]): Promise<boolean> {
    this.key ??= await readKey();
    if (this.key === undefined || seal === undefined) return false;
    const [given, right] = [Buffer.from(seal), Buffer.from(sealOf(this.key, claim))];
    return given.length === right.length && timingSafeEqual(given, right);
  }
}

const sealOf = (key: Buffer, claim: readonly string[]): string =>
  createHmac('sha256', key).update(JSON.stringify(claim)).digest('hex');

const keyFile = async (): Promise<string> => join(await cacheFolder(), KEY_FILE);

/** Undefined if there is none that can be trusted: another user's key proves nothing. */
async function readKey(): Promise<Buffer | undefined> {
  return withFile(await keyFile(), async (file) => {
    const isOwn = process.getuid === undefined || file.stats.uid === process.getuid();
    return isOwn && file.bytes === KEY_BYTES ? await file.readRange(0, KEY_BYTES) : undefined;
  }).catch(() => undefined);
}

/** A new key; one that cannot be kept is good for this run. */
async function makeKey(): Promise<Buffer> {
  const key = randomBytes(KEY_BYTES);
  try {
    await writeFile(await keyFile(), key, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return (await readKey()) ?? key; // another run was first
  }
  return key;
}
