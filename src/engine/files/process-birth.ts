/** Whether a process that a file names still runs, and is the same one: its number may have been given to another since. */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { systemErrorCode } from '../errors';

/** A process, so that it is known again. */
export interface ProcessMark {
  readonly pid: number;
  /** When it started, where the system says so. */
  readonly birth?: string;
  /** Milliseconds since the epoch at which the mark was made. */
  readonly at?: number;
}

const DEAD = 'dead';
/** Clocks are set, and the machine's uptime is not exact. */
const CLOCK_SLACK_MS = 60_000;

/** The mark of this process. */
export function ownMark(now = Date.now()): ProcessMark {
  const birth = birthOf(process.pid);
  return { pid: process.pid, ...(birth !== undefined && { birth }), at: now };
}

/** Whether the process runs. Where its start is not known, its number and the start of the machine decide. */
export function isRunning({ pid, birth, at }: ProcessMark): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || !answers(pid)) return false;
  const now = birthOf(pid);
  if (now === DEAD) return false;
  if (now !== undefined && birth !== undefined) return now === birth;
  return at === undefined || at > Date.now() - uptime() * 1000 - CLOCK_SLACK_MS;
}

function answers(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}

/** When a process started, on Linux: ticks since the machine started, or that it is a zombie. */
function birthOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return undefined;
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name, in parentheses, may contain any characters. The state is field 3, the start time field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? DEAD : fields[19];
}
