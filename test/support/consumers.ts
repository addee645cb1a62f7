/**
 * Programs of others that run what Coppice writes. Scripts beside the repository install them into the user's cache, where the
 * network of packages is there; else tests that need them are skipped and say so.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { full, hasShared, shared } from './shared';

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'coppice-consumers');

/** Each takes some ten seconds; without a network they fail at once. */
const INSTALL_MS = 120_000;

/** The folder of a consumer, by the version in its script; undefined where it is not installed. */
function consumer(name: string, script: string, version: RegExp): string | undefined {
  const path = shared('consumers', script);
  if (!hasShared || !existsSync(path)) return undefined;
  const found = version.exec(readFileSync(path, 'utf8'))?.[1];
  if (found === undefined) return undefined;
  const folder = join(cache, `${name}-${found}`);
  if (!existsSync(folder)) {
    // It installs itself, and then fails because there is no model.
    const program = script.endsWith('.py') ? 'python3' : process.execPath;
    spawnSync(program, [path, join(cache, 'none'), 'a', '1'], { timeout: INSTALL_MS });
  }
  return existsSync(folder) ? folder : undefined;
}

const transformersJs = consumer('transformersjs', 'transformersjs.mjs', /VERSION = '([\d.]+)'/);

/** `node_modules` with transformers.js, both kinds of onnxruntime and a tokenizer; undefined where it is not installed. */
export const nodePackages = transformersJs && join(transformersJs, 'node_modules');

/** Where llama.cpp is; undefined where it is not installed. */
export const llamaCpp = consumer('node-llama-cpp', 'llamacpp.mjs', /VERSION = '([\d.]+)'/);

const genai = consumer('genai', 'genai.py', /GENAI, ORT = '([\d.]+)'/);

/** Python with onnxruntime, onnxruntime-genai and numpy; undefined where it is not installed. */
export const genaiPython = genai && join(genai, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');

/** The folder of that Python, as `--consumers-from` takes it. */
export const genaiFolder = genai;

const TOKENIZERS = '0.23.3';

/** A folder for PYTHONPATH with the package tokenizers; undefined where it is not installed. */
export const pythonTokenizers = genaiPython && installedTokenizers(genaiPython);

function installedTokenizers(python: string): string | undefined {
  const folder = join(cache, `tokenizers-${TOKENIZERS}`);
  const install = ['install', '-q', '--no-deps', '--disable-pip-version-check', '--target', folder];
  if (!existsSync(folder)) {
    spawnSync(python, ['-m', 'pip', ...install, `tokenizers==${TOKENIZERS}`], { timeout: INSTALL_MS });
  }
  return existsSync(folder) ? folder : undefined;
}

/** A test that runs a program of others, if it is there. */
export function itWith(installed: string | undefined, title: string, body: Mocha.AsyncFunc | Mocha.Func): void {
  if (installed !== undefined) it(title, body);
  else it.skip(`${title} (needs a program that the network of packages has)`);
}

/** The same for one that only `npm run test:full` has the time for. */
export function itWithFull(installed: string | undefined, title: string, body: Mocha.AsyncFunc | Mocha.Func): void {
  if (full) itWith(installed, title, body);
  else it.skip(`${title} (in test:full)`);
}

/** Runs a program, with one thread; what it prints, without the last line break. */
export function printed(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const output = execFileSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, OMP_NUM_THREADS: '1', ...env },
  });
  return output.replace(/\r?\n$/, '');
}

/** What a consumer's script prints of a greedy continuation. */
export interface Continued {
  readonly ids: readonly number[];
  readonly text: string;
}

/** Continues a prompt of ids in a consumer: the file or folder, for transformers.js the kind of the model too. */
export function continued(
  script: 'llamacpp.mjs' | 'transformersjs.mjs' | 'genai.py',
  model: string,
  ids: readonly number[],
  count: number,
  ...kind: readonly string[]
): Continued {
  const program = script.endsWith('.py') ? 'python3' : process.execPath;
  const args = [shared('consumers', script), model, JSON.stringify(ids), String(count), ...kind];
  return JSON.parse(printed(program, args, { ORT_DISABLE_TELEMETRY: '1' }).split('\n').at(-1)!) as Continued;
}

/** A folder as of `venv` with torch and transformers, by COPPICE_TEST_TORCH; undefined without. */
export const torchFolder = process.env.COPPICE_TEST_TORCH;

/** Its Python. */
export const torchPython =
  torchFolder && join(torchFolder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python3');

/** Python of the folder (as of `venv`) that a variable names; undefined without. */
const pythonIn = (folder: string | undefined): string | undefined =>
  folder && join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');

/** Programs that a training is handed to, with PEFT and transformers: by COPPICE_TEST_TRL and COPPICE_TEST_MODELOPT. */
export const trainers = {
  trl: pythonIn(process.env.COPPICE_TEST_TRL),
  modelopt: pythonIn(process.env.COPPICE_TEST_MODELOPT),
} as const;
