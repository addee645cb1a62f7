/**
 * The running jobs of all windows of a workspace: a file a window, which names its process. So another window tells a job
 * that still runs from one whose window is gone. Does not use VS Code.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, ownMark, type ProcessMark } from '../engine/files/process-birth';
import { isObject } from '../format/json';
import { Emitter } from '../sidecar/emitter';
import { watchFolder } from './watch-folder';

const SUFFIX = '.jobs.json';
/** A window that is killed tells nobody: while another one has jobs, its process is looked for. */
const LOOK_MS = 5000;

interface WindowFile {
  readonly file: string;
  readonly owner: ProcessMark;
  /** The window has ended its jobs itself. */
  readonly closed: boolean;
  readonly jobs: readonly unknown[];
}

export class WindowJobs {
  private readonly own: string;
  private readonly changed = new Emitter<void>();
  /** Another window's jobs are others now. */
  readonly onChange = this.changed.on;
  private readonly watching;
  private readonly timer: NodeJS.Timeout;
  private seen: string;

  constructor(private readonly folder: string) {
    this.own = join(folder, `${process.pid}-${randomBytes(4).toString('hex')}${SUFFIX}`);
    this.seen = this.state();
    this.watching = watchFolder(folder, () => this.look());
    this.timer = setInterval(() => this.seen !== '' && this.look(), LOOK_MS);
    this.timer.unref();
  }

  /** Writes the jobs of this window. @param closed they end now, because the window does */
  write(jobs: readonly unknown[], closed = false): void {
    try {
      if (jobs.length === 0) {
        rmSync(this.own, { force: true });
        return;
      }
      mkdirSync(this.folder, { recursive: true });
      writeFileSync(`${this.own}.tmp`, JSON.stringify({ ...ownMark(), closed, jobs }));
      renameSync(`${this.own}.tmp`, this.own);
    } catch {
      // Nothing is kept where nothing can be written. The jobs run all the same.
    }
  }

  /** What runs in other windows. */
  elsewhere(): readonly unknown[] {
    return this.files()
      .filter(isAtWork)
      .flatMap(({ jobs }) => jobs);
  }

  /** Takes the jobs of windows that are gone. Each is given to one window only. */
  take(): readonly unknown[] {
    return this.files()
      .filter((each) => !isAtWork(each) && this.claim(each.file))
      .flatMap(({ jobs }) => jobs);
  }

  /** Tells when other windows' files, or the windows themselves, are others than before. */
  look(): void {
    const seen = this.state();
    if (seen === this.seen) return;
    this.seen = seen;
    this.changed.fire();
  }

  dispose(): void {
    clearInterval(this.timer);
    this.watching.dispose();
  }

  /** What is there, as a text to compare; empty where no other window has jobs. */
  private state(): string {
    return this.files()
      .map((each) => JSON.stringify([each, isAtWork(each)]))
      .join('\n');
  }

  private claim(file: string): boolean {
    const mine = `${file}.${process.pid}.taken`;
    try {
      renameSync(file, mine); // of two windows one succeeds
      rmSync(mine, { force: true });
      return true;
    } catch {
      return false;
    }
  }

  private files(): readonly WindowFile[] {
    let names: string[];
    try {
      names = readdirSync(this.folder).filter((name) => name.endsWith(SUFFIX));
    } catch {
      return [];
    }
    const others = names.map((name) => join(this.folder, name)).filter((file) => file !== this.own);
    return others.flatMap((file) => readFile(file) ?? []);
  }
}

/** This process has one window at a time: what it has left was of one before. */
const isAtWork = ({ owner, closed }: WindowFile): boolean => !closed && owner.pid !== process.pid && isRunning(owner);

function readFile(file: string): WindowFile | undefined {
  let stored: unknown;
  try {
    stored = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined; // taken by another window meanwhile
  }
  if (!isObject(stored) || typeof stored.pid !== 'number' || !Array.isArray(stored.jobs)) return undefined;
  const { pid, birth, at } = stored;
  const owner = { pid, ...(typeof birth === 'string' && { birth }), ...(typeof at === 'number' && { at }) };
  return { file, owner, closed: stored.closed === true, jobs: stored.jobs };
}
