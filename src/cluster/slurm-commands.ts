/** Runs the programs of Slurm, without a shell and with a limit of time. */
import { execFile } from 'node:child_process';
import { systemErrorCode } from '../engine/errors';

/** What a program said. `code` is its exit status; null if it was ended, "missing" if it is not installed. */
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
      const lines = err.split('\n').map((line) =>
        line
          .replace(`${program}: `, '')
          .replace(/^(error|fatal): /, '')
          .trim(),
      );
      const told = lines
        .filter((line) => line !== '')
        .join('; ')
        .slice(0, MOST_WORDS);
      if (!error) resolve({ code: 0, out, complaint: told });
      else if (systemErrorCode(error) === 'ENOENT')
        resolve({ code: 'missing', out: '', complaint: 'it is not installed' });
      else {
        const late = error.killed === true ? `it did not answer within ${PATIENCE_MS / 1000} s` : error.message;
        resolve({ code: child.exitCode, out, complaint: told || late });
      }
    });
    child.stdin?.end();
  });
}

/** The configuration of the cluster, as its controller prints it. Undefined if it cannot be asked. */
export async function slurmConfiguration(): Promise<
  { readonly maxArraySize?: number; readonly countsMemory?: boolean } | undefined
> {
  const said = await runSlurm('scontrol', ['show', 'config']);
  if (said.code !== 0) return undefined;
  const valueOf = (name: string): string | undefined =>
    new RegExp(`^${name}\\s*=\\s*(\\S+)\\s*$`, 'm').exec(said.out)?.[1];
  const [size, selected] = [valueOf('MaxArraySize'), valueOf('SelectTypeParameters')];
  return {
    ...(size !== undefined && /^\d+$/.test(size) && { maxArraySize: Number(size) }),
    ...(selected !== undefined && { countsMemory: /memory/i.test(selected) }),
  };
}
