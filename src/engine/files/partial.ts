/**
 * Names of unfinished outputs. They contain the output, the machine and the process, so that a later attempt recognises
 * what a dead process left behind.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { systemErrorCode } from '../errors';

const SUFFIX = '.coppice-partial';
const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
/** Whole code points of the output's name, few enough for every file system's limit. */
const prefixOf = (name: string): string => `.${Array.from(name).slice(0, 32).join('')}-${host}-`;

/** A unique name for writing the output `name` beside it. */
export function temporaryName(name: string): string {
  return `${prefixOf(name)}${process.pid}-${randomBytes(4).toString('hex')}${SUFFIX}`;
}

/** Removes unfinished outputs of earlier attempts at the same output, if their process on this machine has ended. */
export async function removeStale(parent: string, name: string): Promise<void> {
  const prefix = prefixOf(name);
  for (const entry of await readdir(parent)) {
    if (!entry.startsWith(prefix) || !entry.endsWith(SUFFIX)) continue;
    const pid = /^(\d{1,10})-[0-9a-f]{8}$/.exec(entry.slice(prefix.length, -SUFFIX.length))?.[1];
    // A failure here is harmless: every attempt has its own folder.
    if (pid !== undefined && isGone(Number(pid))) {
      await rm(join(parent, entry), { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return systemErrorCode(error) === 'ESRCH';
  }
}
