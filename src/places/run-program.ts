/** Runs a program that is installed here to its end, without a shell, and keeps what it prints. */
import { execFile } from 'node:child_process';
import { CancelledError, messageOf, systemErrorCode, UserError } from '../engine/errors';

export interface Ran {
  readonly code: number;
  readonly out: string;
  /** The last line of its errors that says something. */
  readonly error: string;
}

const MOST_OUTPUT = 4 * 2 ** 20;
const MOST_WORDS = 300;

/** @param file absolute @throws UserError when it cannot be started; CancelledError */
export function runProgram(
  file: string,
  args: readonly string[],
  { signal, cwd }: { readonly signal?: AbortSignal; readonly cwd?: string },
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const options = { cwd, signal, maxBuffer: MOST_OUTPUT, env: process.env };
    execFile(file, [...args], options, (error, out, complained) => {
      if (signal?.aborted) {
        reject(new CancelledError());
        return;
      }
      const code = error?.code;
      if (error && (typeof code !== 'number' || systemErrorCode(error) === 'ENOENT')) {
        const why = messageOf(error).split('\n')[0];
        reject(new UserError(`${file} cannot be run`, why, 'Run it yourself to see why.', { cause: error }));
        return;
      }
      resolve({ code: typeof code === 'number' ? code : 0, out, error: lastLine(complained) });
    });
  });
}

/** Programs draw their progress with control sequences. */
const lastLine = (text: string): string =>
  text
    // eslint-disable-next-line no-control-regex
    .replace(/\x1b\[[\d;?]*[A-Za-z]/g, '')
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .at(-1)
    ?.slice(0, MOST_WORDS) ?? '';
