/**
 * The programs that run what was written, where they are installed: llama.cpp through node-llama-cpp, transformers.js, and
 * onnxruntime-genai. Nothing is installed. Their tokens are compared as long as the model is sure of its own.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isObject } from '../../../format/json';
import { readSmallFile } from '../../files/regular-file';
import { announce, type JobOptions } from '../../progress';
import { compareTokens, type GreedyComparison } from '../compare';
import type { VerificationRows } from '../rows';
import type { Said } from '../verify';
import { GENAI_PROGRAM, LLAMA_PROGRAM, TRANSFORMERS_PROGRAM } from './programs';
import { type Printed, runNode, runProgram } from './run';

/** What a program did. */
export interface Consumed extends Partial<GreedyComparison> {
  readonly name: string;
  readonly version?: string;
  /** Kind of an ONNX model; "gguf". */
  readonly of: string;
  readonly seconds: number;
  /** Why it did not run; absent if it did. */
  readonly failure?: string;
}

/** A file for programs, and what the model that is in it says. */
export interface Consumable {
  /** Absolute. */
  readonly path: string;
  readonly rows: VerificationRows;
  /** What the file itself says, in Coppice or onnxruntime; by kind for ONNX. */
  readonly said: readonly { readonly of: string; readonly said: Pick<Said, 'greedy' | 'margins'> }[];
  /** Tokens that end a text: programs stop there. */
  readonly eos: readonly number[];
}

/**
 * Programs round activations and caches, so they may decide a near tie otherwise. llama.cpp's own differences from float64
 * were seen up to leads of 0.065.
 */
const SURE = 0.1;

/** @param near folders whose packages are looked at, besides the working folder */
async function runGgufConsumers(file: Consumable, near: readonly string[], job: JobOptions): Promise<Consumed[]> {
  const library = await findPackage('node-llama-cpp', near);
  if (!library) return [];
  const [{ of, said }] = file.said;
  const { prompt } = file.rows;
  announce(job, 'running llama.cpp');
  const args = [library.file, file.path, JSON.stringify(prompt), String(said.greedy.length)];
  const run: Run = (around) => runNode(LLAMA_PROGRAM, args, around);
  return [await consumed({ name: 'llama.cpp (node-llama-cpp)', version: library.version, of }, file, said, run, job)];
}

async function runOnnxConsumers(file: Consumable, near: readonly string[], job: JobOptions): Promise<Consumed[]> {
  const done: Consumed[] = [];
  const prompt = JSON.stringify(file.rows.prompt);
  const library = await findPackage('@huggingface/transformers', near);
  for (const { of, said } of library ? file.said : []) {
    announce(job, `running ${of} in transformers.js`);
    const given = [library!.file, file.path, prompt, String(said.greedy.length), of];
    const run: Run = (around) => runNode(TRANSFORMERS_PROGRAM, given, around);
    done.push(await consumed({ name: 'transformers.js', version: library!.version, of }, file, said, run, job));
  }
  if (!existsSync(join(file.path, 'genai_config.json'))) return done;
  const [{ of, said }] = file.said;
  announce(job, 'running onnxruntime-genai');
  const python = process.platform === 'win32' ? 'python' : 'python3';
  const args = ['-c', GENAI_PROGRAM, file.path, prompt, String(said.greedy.length)];
  let isThere = true;
  const run: Run = async (around) => {
    const printed = await runProgram(python, args, around);
    isThere = !isMissing(printed);
    return printed;
  };
  const genai = await consumed({ name: 'onnxruntime-genai', of }, file, said, run, job);
  return isThere ? [...done, genai] : done;
}

/** Whether Python or the library is not installed. Windows has a stub of Python that says so. Any other failure is one. */
export const isMissing = (printed: Printed): boolean =>
  'failure' in printed &&
  (printed.isMissing === true ||
    /^ModuleNotFoundError: No module named '?onnxruntime_genai'?|^Python was not found/.test(printed.failure));

type Run = (around: { readonly folder: string; readonly signal?: AbortSignal }) => Promise<Printed>;

async function consumed(
  about: Pick<Consumed, 'name' | 'version' | 'of'>,
  { path, eos }: Consumable,
  { greedy, margins }: Pick<Said, 'greedy' | 'margins'>,
  run: Run,
  { signal }: JobOptions,
): Promise<Consumed> {
  const start = performance.now();
  const printed = await run({ folder: dirname(path), signal });
  const seconds = (performance.now() - start) / 1000;
  if ('failure' in printed) return { ...about, seconds, failure: printed.failure };
  const sure = sureTokens(greedy, margins, eos);
  const version = printed.version ?? about.version;
  return { ...about, ...(version !== undefined && { version }), ...compareTokens(sure, printed.ids), seconds };
}

/**
 * The tokens before the first that other programs may decide otherwise, or that ends a text.
 * @param margins leads of the tokens over the second best @param eos tokens that end a text
 */
export function sureTokens(
  greedy: readonly number[],
  margins: readonly number[],
  eos: readonly number[],
): readonly number[] {
  const ends = greedy.findIndex((id, i) => !(margins[i] > SURE) || eos.includes(id));
  return ends < 0 ? greedy : greedy.slice(0, ends);
}

interface Package {
  /** Of the module for `import`. */
  readonly file: string;
  readonly version?: string;
}

/** Of a manifest. */
const MOST_BYTES = 2 ** 20;

async function findPackage(name: string, near: readonly string[]): Promise<Package | undefined> {
  for (const folder of new Set([process.cwd(), ...near])) {
    let resolved: string;
    try {
      resolved = createRequire(join(folder, 'package.json')).resolve(name);
    } catch {
      continue; // it is not installed there
    }
    const version = await versionOf(resolved, name);
    return { file: resolved.replace(/\.node\.cjs$/, '.node.mjs'), ...(version !== undefined && { version }) };
  }
  return undefined;
}

/** From the package.json above one of its files. */
async function versionOf(file: string, name: string): Promise<string | undefined> {
  for (let folder = dirname(file); dirname(folder) !== folder; folder = dirname(folder)) {
    try {
      const manifest: unknown = JSON.parse((await readSmallFile(join(folder, 'package.json'), MOST_BYTES)).toString());
      if (isObject(manifest) && manifest.name === name) {
        return typeof manifest.version === 'string' ? manifest.version : undefined;
      }
    } catch {
      continue; // folders of a package have none, or one that only says how its modules are read
    }
  }
  return undefined;
}

/** Runs what is installed for the format of a file. */
export function runConsumers(
  format: 'safetensors' | 'gguf' | 'onnx',
  file: Consumable,
  near: readonly string[],
  job: JobOptions,
): Promise<Consumed[]> {
  if (format === 'gguf') return runGgufConsumers(file, near, job);
  return format === 'onnx' ? runOnnxConsumers(file, near, job) : Promise.resolve([]);
}
