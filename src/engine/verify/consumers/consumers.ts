/**
 * The programs that run what was written, where they are installed: llama.cpp through node-llama-cpp and its own program on the
 * PATH, transformers.js, and onnxruntime-genai. Nothing is installed. Their tokens are compared as long as the model is sure of its own.
 */
import { announce, type JobOptions } from '../../progress';
import type { ExportFormat } from '../../write/formats';
import { compareTokens, type GreedyComparison } from '../compare';
import type { VerificationRows } from '../rows';
import type { Said } from '../verify';
import { genaiConfigIn } from './genai-config';
import { consumeByLlamaProgram } from './llama-program';
import { findPackage, findPython } from './places';
import { GENAI, LLAMA, TRANSFORMERS, versionIn } from './there';
import { GENAI_PROGRAM, LLAMA_PROGRAM, TRANSFORMERS_PROGRAM } from './programs';
import { type Printed, readIds, runNode, runPython } from './run';

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
export const SURE = 0.1;

async function runGgufConsumers(file: Consumable, from: string | undefined, job: JobOptions): Promise<Consumed[]> {
  const [{ of, said }] = file.said;
  const sure = sureTokens(said.greedy, said.margins, file.eos);
  const program = await consumeByLlamaProgram({ ...file, of, sure, count: said.greedy.length }, from, job);
  const library = await findPackage('node-llama-cpp', from);
  if (!library) return program;
  announce(job, 'running llama.cpp');
  const args = [library.file, file.path, JSON.stringify(file.rows.prompt), String(said.greedy.length)];
  const run: Run = (signal) => runNode(LLAMA_PROGRAM, { read: readIds, args, signal });
  return [await consumed({ name: LLAMA, ...versionIn(library), of }, file, said, run, job), ...program];
}

async function runOnnxConsumers(file: Consumable, from: string | undefined, job: JobOptions): Promise<Consumed[]> {
  const done: Consumed[] = [];
  const prompt = JSON.stringify(file.rows.prompt);
  const library = await findPackage('@huggingface/transformers', from);
  for (const { of, said } of library ? file.said : []) {
    announce(job, `running ${of} in transformers.js`);
    const given = [library!.file, file.path, prompt, String(said.greedy.length), of];
    const run: Run = (signal) => runNode(TRANSFORMERS_PROGRAM, { read: readIds, args: given, signal });
    done.push(await consumed({ name: TRANSFORMERS, ...versionIn(library!), of }, file, said, run, job));
  }
  const python = findPython(from);
  const config = await genaiConfigIn(file.path);
  if (config === undefined || python === undefined) return done;
  const [{ of, said }] = file.said;
  if (config === 'strange') return [...done, { name: GENAI, of, seconds: 0, failure: STRANGE_CONFIG }];
  announce(job, 'running onnxruntime-genai');
  const args = [file.path, prompt, String(said.greedy.length)];
  let isThere = true;
  const run: Run = async (signal) => {
    const printed = await runPython(python, GENAI_PROGRAM, { read: readIds, args, signal });
    isThere = !isMissing(printed);
    return printed;
  };
  const genai = await consumed({ name: GENAI, of }, file, said, run, job);
  return isThere ? [...done, genai] : done;
}

export const STRANGE_CONFIG =
  'it was not run: genai_config.json has settings of sessions that Coppice does not write, and such settings can name libraries to load';

/** Whether Python or the library is not installed. Windows has a stub of Python that says so. Any other failure is one. */
export const isMissing = (printed: Printed): boolean =>
  'failure' in printed &&
  (printed.isMissing === true ||
    /^ModuleNotFoundError: No module named '?onnxruntime_genai'?|^Python was not found/.test(printed.failure));

type Run = (signal?: AbortSignal) => Promise<Printed>;

async function consumed(
  about: Pick<Consumed, 'name' | 'version' | 'of'>,
  { eos }: Consumable,
  { greedy, margins }: Pick<Said, 'greedy' | 'margins'>,
  run: Run,
  { signal }: JobOptions,
): Promise<Consumed> {
  const start = performance.now();
  const printed = await run(signal);
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

/** Runs what is installed for the format of a file. @param from a folder of programs that the user names */
export function runConsumers(
  format: ExportFormat,
  file: Consumable,
  from: string | undefined,
  job: JobOptions,
): Promise<Consumed[]> {
  if (file.said.length === 0) return Promise.resolve([]); // there is nothing to compare with
  if (format === 'gguf') return runGgufConsumers(file, from, job);
  return format === 'onnx' ? runOnnxConsumers(file, from, job) : Promise.resolve([]);
}
