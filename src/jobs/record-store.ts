/**
 * The folder of run records as a list, newest first. Several programs write to it at the same time, each its own files.
 * A file that is not a record (truncated, or of a later version) is listed separately and never changed. Records of parts
 * are left out: only the whole that is gathered from them can be shown or compared. A link is no record: it may have come with a
 * repository, and lead to a file that is nobody's business.
 */
import { lstat, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { systemErrorCode, UserError } from '../engine/errors';
import { digestRecord } from './digest/digest';
import type { RunDigest } from '../engine/records/digest-types';
import { linkInOwn } from '../engine/records/folder';
import { PART_KIND } from '../engine/records/part';
import { readRecord, type RunInput } from '../engine/records/record';

/** Maximum number of listed records: years of work, and still quick. Older files stay in the folder. */
const MAX_RUNS = 500;

export interface StoredRun {
  /** File name, unique in its folder. */
  readonly id: string;
  readonly file: string;
  readonly digest: RunDigest;
  /** With their places, which digests lack. */
  readonly inputs: readonly RunInput[];
}

/** A file that looks like a record but is not one. */
export interface UnreadableRun {
  readonly id: string;
  readonly why: string;
}

export interface RunList {
  readonly runs: readonly StoredRun[];
  readonly unreadable: readonly UnreadableRun[];
}

interface Read {
  /** Changes when the file is written to. */
  readonly stamp: string;
  /** Undefined for the record of a part. */
  readonly run: StoredRun | UnreadableRun | undefined;
}

/** A store for each folder, which remembers what it has read. */
export class RunStores {
  private readonly stores = new Map<string, RunStore>();

  of(folder: string): RunStore {
    let store = this.stores.get(folder);
    if (!store) this.stores.set(folder, (store = new RunStore(folder)));
    return store;
  }
}

export class RunStore {
  private readonly read = new Map<string, Read>();

  constructor(readonly folder: string) {}

  /**
   * The current records; only new and changed files are read. A missing folder has none.
   * @param most newest files to look at, so that a folder of many is listed quickly
   */
  async list(most = MAX_RUNS): Promise<RunList> {
    const names = await this.names(most);
    for (const id of this.read.keys()) if (!names.includes(id)) this.read.delete(id);
    const found = (await Promise.all(names.map((id) => this.readRun(id)))).filter((run) => run !== undefined);
    const runs = found.filter((run) => 'digest' in run);
    return {
      runs: runs.sort((a, b) => b.digest.started.localeCompare(a.digest.started)),
      unreadable: found.filter((run) => 'why' in run),
    };
  }

  /** Deletes records. Records that are gone already count as deleted. @throws UserError */
  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      if (id !== basename(id) || !id.endsWith('.json')) {
        throw new UserError(`${id} is not deleted`, 'this folder has no such run', 'Choose a run from the list.');
      }
      await rm(join(this.folder, id), { force: true });
      this.read.delete(id);
    }
  }

  /** Names begin with the time, so the last ones are the newest. */
  private async names(most: number): Promise<string[]> {
    if ((await linkInOwn(this.folder)) !== undefined) return [];
    try {
      const names = await readdir(this.folder);
      return names
        .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
        .sort()
        .slice(-most);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  private async readRun(id: string): Promise<StoredRun | UnreadableRun | undefined> {
    const file = join(this.folder, id);
    const found = await lstat(file).catch(() => undefined);
    if (!found?.isFile()) return undefined; // deleted in the meantime, or a link
    const stamp = `${found.size} ${found.mtimeMs}`;
    const known = this.read.get(id);
    if (known?.stamp === stamp) return known.run;
    const run = await readRun(id, file);
    this.read.set(id, { stamp, run });
    return run;
  }
}

async function readRun(id: string, file: string): Promise<Read['run']> {
  try {
    const record = await readRecord(file);
    if (record.kind === PART_KIND) return undefined;
    return { id, file, digest: digestRecord(record), inputs: record.inputs };
  } catch (error) {
    if (error instanceof UserError) return { id, why: error.why };
    throw error;
  }
}
