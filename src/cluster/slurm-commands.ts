/** Runs the programs of Slurm, without a shell and with a limit of time. */
import { execFile } from 'node:child_process';
import { systemErrorCode } from '../engine/errors';

/** What a program said. `code` is its exit status; null if it was ended, "missing" if there is no such program. */
export interface Said {
  readonly code: number | null | 'missing';
  readonly out: string;
  /** What it complained about, in one line, without its own name. */
  readonly complaint: string;
}

const PATIENCE_MS = 60_000;
/** A line for each of 10 000 tasks is far less. */
const MOST_OUTPUT = 64 * 2 ** 20;
const MOST_WORDS = 500;

export function runSlurm(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Said> {
  return new Promise((resolve) => {
    const options = { env: { ...env, LC_ALL: 'C' }, timeout: PATIENCE_MS, maxBuffer: MOST_OUTPUT };
    const child = execFile(program, [...args], options, (error, out, err) => {
      const told = err.replaceAll(`${program}: `, '').replace(/\s+/g, ' ').trim().slice(0, MOST_WORDS);
      if (!error) resolve({ code: 0, out, complaint: told });
      else if (systemErrorCode(error) === 'ENOENT')
        resolve({ code: 'missing', out: '', complaint: 'there is no such program' });
      else {
        const late = error.killed === true ? `it did not answer within ${PATIENCE_MS / 1000} s` : error.message;
        resolve({ code: child.exitCode, out, complaint: told || late });
      }
    });
    child.stdin?.end();
  });
}
