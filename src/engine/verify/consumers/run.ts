/**
 * Runs a program in a process of its own, with a limit of time, and reads the last line that it prints. Its working folder is
 * new and empty: Python and Node look there for modules first.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CancelledError, messageOf } from '../../errors';
import { isObject, type JsonObject } from '../../../format/json';

/** Why a program did not print what was asked for. */
export interface Failed {
  readonly failure: string;
  readonly isMissing?: true;
}

/** What a program printed, or why it did not. */
export type Printed = { readonly ids: readonly number[]; readonly version?: string } | Failed;

/** How a program is run, and what is read of its lines. */
export interface Running<T extends object> {
  /** Of a line that is a JSON object; undefined for one that says something else. */
  readonly read: (line: JsonObject) => T | undefined;
  readonly args?: readonly string[];
  /** Written to `input.json` in the working folder: arguments have a limit. */
  readonly input?: object;
  /** Seconds that it may take. */
  readonly patience?: number;
  readonly signal?: AbortSignal;
}

/** Seconds. */
const PATIENCE = 300;
/** Of an error of another program. */
const MOST_WORDS = 300;
/** Ids and warnings: a program that prints more is stopped. */
const MOST_OUTPUT = 4 * 2 ** 20;

/**
 * Runs a program of Node. It needs a file: libraries start processes with the arguments of their own, and would run a
 * program among the arguments again.
 * @throws CancelledError
 */
export const runNode = <T extends object>(program: string, running: Running<T>): Promise<T | Failed> =>
  inNewFolder(running, async (folder) => {
    const file = join(folder, 'program.mjs');
    await writeFile(file, program);
    return start(process.execPath, [file, ...(running.args ?? [])], folder, running);
  });

/**
 * Runs a program of Python, isolated (-I): neither the working folder nor the environment adds modules. Those of the user
 * (`pip install --user`) are found all the same.
 * @param python absolute
 * @throws CancelledError
 */
export const runPython = <T extends object>(
  python: string,
  program: string,
  running: Running<T>,
): Promise<T | Failed> =>
  inNewFolder(running, (folder) =>
    start(python, ['-I', '-c', USER_MODULES + program, ...(running.args ?? [])], folder, running),
  );

const USER_MODULES = `
import site, sys
if sys.prefix == sys.base_prefix: site.addsitedir(site.getusersitepackages())
`;

/** What a program printed, as it is, and how it ended: 0 where it did its work. */
export interface Text {
  readonly code: number | null;
  readonly text: string;
  readonly complained: string;
}

/**
 * Runs a program of the machine in a new folder with the text `input.txt`.
 * @param file absolute
 * @throws CancelledError
 */
export const runText = (
  file: string,
  args: readonly string[],
  text: string,
  running: Pick<Running<object>, 'patience' | 'signal'>,
): Promise<Text | Failed> =>
  inNewFolder<Text | Failed>({}, async (folder) => {
    await writeFile(join(folder, 'input.txt'), text);
    const take: Take<Text> = (text, complained, code) => (code === null ? undefined : { code, text, complained });
    return startTaking(file, args, folder, running, take);
  });

async function inNewFolder<T>(
  { input }: Pick<Running<object>, 'input'>,
  run: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'coppice-verify-'));
  try {
    if (input) await writeFile(join(folder, 'input.json'), JSON.stringify(input));
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws CancelledError */
const start = <T extends object>(
  file: string,
  args: readonly string[],
  cwd: string,
  running: Running<T>,
): Promise<T | Failed> => startTaking(file, args, cwd, running, (said) => lastLine(said, running.read));

/** What is made of the output; undefined for one that says something else. */
type Take<T> = (said: string, complained: string, code: number | null) => T | undefined;

/** @throws CancelledError */
function startTaking<T extends object>(
  file: string,
  args: readonly string[],
  cwd: string,
  { patience = PATIENCE, signal }: Pick<Running<object>, 'patience' | 'signal'>,
  take: Take<T>,
): Promise<T | Failed> {
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
    const timer = setTimeout(() => stop(`it did not answer within ${patience} s`), 1000 * patience);
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
      resolve(take(said, complained, code) ?? { failure: (stopped ?? died).replace(/\s+/g, ' ').slice(0, MOST_WORDS) });
    });
  });
}

/** From the last line that is read. Libraries print lines of their own. */
function lastLine<T extends object>(said: string, read: Running<T>['read']): T | undefined {
  for (const line of said.split('\n').reverse()) {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      continue;
    }
    const found = isObject(value) ? read(value) : undefined;
    if (found) return found;
  }
  return undefined;
}

/** Reads ids. */
export function readIds({ ids, version }: JsonObject): Exclude<Printed, Failed> | undefined {
  if (!Array.isArray(ids)) return undefined;
  const found = ids.filter((id): id is number => Number.isInteger(id));
  return { ids: found, ...(typeof version === 'string' && { version }) };
}
