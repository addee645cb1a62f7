/**
 * Runs a program in a process of its own, with a limit of time, and reads the last line that it prints. Its working folder is
 * new and empty: Python and Node look there for modules first.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CancelledError, messageOf } from '../../errors';
import { isObject } from '../../../format/json';

/** What a program printed, or why it did not. */
export type Printed =
  | { readonly ids: readonly number[]; readonly version?: string }
  | { readonly failure: string; readonly isMissing?: true };

const PATIENCE = 300_000;
/** Of an error of another program. */
const MOST_WORDS = 300;
/** Ids and warnings: a program that prints more is stopped. */
const MOST_OUTPUT = 2 ** 20;

/**
 * Runs a program of Node. It needs a file: libraries start processes with the arguments of their own, and would run a
 * program among the arguments again.
 * @throws CancelledError
 */
export const runNode = (program: string, args: readonly string[], signal?: AbortSignal): Promise<Printed> =>
  inNewFolder(async (folder) => {
    const file = join(folder, 'program.mjs');
    await writeFile(file, program);
    return start(process.execPath, [file, ...args], folder, signal);
  });

/**
 * Runs a program of Python, isolated (-I): neither the working folder nor the environment adds modules. Those of the user
 * (`pip install --user`) are found all the same.
 * @param python absolute
 * @throws CancelledError
 */
export const runPython = (
  python: string,
  program: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<Printed> =>
  inNewFolder((folder) => start(python, ['-I', '-c', USER_MODULES + program, ...args], folder, signal));

const USER_MODULES = `
import site, sys
if sys.prefix == sys.base_prefix: site.addsitedir(site.getusersitepackages())
`;

async function inNewFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'coppice-verify-'));
  try {
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws CancelledError */
function start(file: string, args: readonly string[], cwd: string, signal?: AbortSignal): Promise<Printed> {
  // In an editor, `process.execPath` is Electron; this makes it behave as Node. llama.cpp's package asks for it, too.
  const asNode = process.versions.electron === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' };
  const quiet = { NODE_OPTIONS: '', ORT_DISABLE_TELEMETRY: '1', HF_HUB_OFFLINE: '1' };
  const env = { ...process.env, ...asNode, ...quiet };
  const child = spawn(file, [...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let [said, complained] = ['', ''];
    let stopped: string | undefined;
    const stop = (why: string): void => {
      stopped = why;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => stop(`it did not answer within ${PATIENCE / 1000} s`), PATIENCE);
    const cancel = (): void => stop('cancelled');
    signal?.addEventListener('abort', cancel, { once: true });
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    };
    const add = (text: string, more: string): string => {
      if (text.length + more.length > MOST_OUTPUT) stop('it printed too much');
      return (text + more).slice(-MOST_OUTPUT);
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said = add(said, text)));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complained = add(complained, text)));
    child.on('error', (error) => {
      end();
      resolve({ failure: messageOf(error), isMissing: true });
    });
    child.on('close', (code, by) => {
      end();
      if (signal?.aborted) {
        reject(new CancelledError());
        return;
      }
      const lines = complained.trim().split('\n');
      const died = lines.findLast((line) => /^\w*Error\b/.test(line)) ?? (lines[0] || `it ended with ${by ?? code}`);
      resolve(readIds(said) ?? { failure: (stopped ?? died).replace(/\s+/g, ' ').slice(0, MOST_WORDS) });
    });
  });
}

/** From the last line with ids. Libraries print lines of their own. */
function readIds(said: string): Printed | undefined {
  for (const line of said.split('\n').reverse()) {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      continue;
    }
    if (!isObject(value) || !Array.isArray(value.ids)) continue;
    const ids = value.ids.filter((id): id is number => Number.isInteger(id));
    return { ids, ...(typeof value.version === 'string' && { version: value.version }) };
  }
  return undefined;
}
