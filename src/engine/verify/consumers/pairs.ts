/**
 * A model and its draft in the program that they were written for, where it is installed: their texts, and the passes that they
 * took; and what passes of each cost there. Nothing is installed.
 */
import { join } from 'node:path';
import { isObject, type JsonObject } from '../../../format/json';
import type { Runtime } from '../../draft/runtimes';
import { announce, type JobOptions } from '../../progress';
import { STRANGE_CONFIG } from './consumers';
import { genaiConfigIn } from './genai-config';
import {
  GENAI_COSTS_PROGRAM,
  GENAI_PAIR_PROGRAM,
  LLAMA_COSTS_PROGRAM,
  LLAMA_PAIR_PROGRAM,
  TORCH_COSTS_PROGRAM,
  TORCH_PAIR_PROGRAM,
} from './pair-programs';
import { findPackage, findPython, placeOf } from './places';
import { type Failed, runNode, runPython } from './run';
import { strangeInFolder } from './transformers-config';
import { type ConsumerThere, GENAI, LLAMA, versionIn } from './there';

/** A text that the model writes by itself. */
export interface OwnText {
  readonly prompt: readonly number[];
  readonly ids: readonly number[];
}

/** How a pair drafts, and on which texts. */
export interface PairRun {
  readonly texts: readonly OwnText[];
  /** The most tokens of a round. */
  readonly length: number;
  /** A token that the draft finds less likely ends the round's draft; 0 for none. */
  readonly threshold: number;
}

/** What a pair wrote for a prompt. */
export interface RanText {
  readonly ids: readonly number[];
  /** Passes of the model. */
  readonly rounds: number;
  /** Where the text is not the expected one: what the model writes alone. */
  readonly alone?: readonly number[];
  /** At the first token that is not that of the model alone: how much likelier that finds its own, in nats. */
  readonly lead?: number;
}

export interface RanPair {
  /** The program. */
  readonly name: string;
  readonly version?: string;
  readonly texts: readonly RanText[];
}

/** Times of passes after a prompt, in seconds. */
export interface MeasuredCosts {
  readonly name: string;
  readonly version?: string;
  /** Of the model for so many rows at once: a list for each number of rows, with each measurement. */
  readonly target: { readonly rows: readonly number[]; readonly seconds: readonly (readonly number[])[] };
  /** Of each draft for one row. */
  readonly drafts: readonly (readonly number[])[];
}

/** What passes are timed on. */
export interface Timed {
  /** Files for llama.cpp, folders for the others. */
  readonly target: string;
  readonly drafts: readonly string[];
  /** Rows that the model reads at once. */
  readonly rows: readonly number[];
  readonly runs: number;
  /** Ids of the text before them. */
  readonly prompt: readonly number[];
}

/** Where a program comes from and how it runs. */
export interface Place {
  /** A folder of programs that the user names. */
  readonly from?: string;
  /** One by default: llama.cpp's threads wait for each other in a loop. */
  readonly threads?: number;
}

/** Seconds for a whole run: a large model writes some tokens a second. */
const PATIENCE = 3600;

/** Names of the two models in a folder of a pair. genai reads one folder. */
export const PAIR_PLACES: Readonly<Record<Runtime, { readonly target: string; readonly draft: string }>> = {
  genai: { target: 'onnx', draft: 'draft' },
  transformers: { target: 'target', draft: 'draft' },
  'llama.cpp': { target: 'target.gguf', draft: 'draft.gguf' },
  'node-llama-cpp': { target: 'target.gguf', draft: 'draft.gguf' },
};

/** As tables name it. */
export const PAIR_PROGRAMS: Readonly<Record<Runtime, string>> = {
  genai: GENAI,
  transformers: 'transformers',
  'llama.cpp': LLAMA,
  'node-llama-cpp': LLAMA,
};

/**
 * Runs a pair greedily on texts in its program.
 * @param folder absolute
 * @returns undefined where the program is not installed
 * @throws CancelledError
 */
export async function runPairIn(
  runtime: Runtime,
  folder: string,
  { texts, length, threshold }: PairRun,
  { from, threads = 1 }: Place,
  job: JobOptions,
): Promise<RanPair | Failed | undefined> {
  const { target, draft } = PAIR_PLACES[runtime];
  const input = { texts, length, threshold, threads };
  const models = { target: join(folder, target), draft: join(folder, draft) };
  const read = (line: JsonObject): Omit<RanPair, 'name'> | undefined => readRan(line, texts.length);
  const start = await starterOf(runtime, from, {
    folders: runtime === 'transformers' ? Object.values(models) : [folder],
    programs: { llama: LLAMA_PAIR_PROGRAM, torch: TORCH_PAIR_PROGRAM, genai: GENAI_PAIR_PROGRAM },
  });
  if (start === undefined || 'failure' in start) return start;
  announce(job, `running the pair in ${PAIR_PROGRAMS[runtime]}`);
  return named(runtime, await start.run({ ...input, ...models, folder }, read, job));
}

/**
 * Times passes of a model and of its drafts in a program, in turn.
 * @returns undefined where the program is not installed
 * @throws CancelledError
 */
export async function measureCostsIn(
  runtime: Runtime,
  timed: Timed,
  { from, threads = 1 }: Place,
  job: JobOptions,
): Promise<MeasuredCosts | Failed | undefined> {
  const read = (line: JsonObject): Omit<MeasuredCosts, 'name'> | undefined => readCosts(line, timed);
  const start = await starterOf(runtime, from, {
    folders: [timed.target, ...timed.drafts],
    programs: { llama: LLAMA_COSTS_PROGRAM, torch: TORCH_COSTS_PROGRAM, genai: GENAI_COSTS_PROGRAM },
  });
  if (start === undefined || 'failure' in start) return start;
  announce(job, `timing passes in ${PAIR_PROGRAMS[runtime]}`);
  return named(runtime, await start.run({ ...timed, threads }, read, job));
}

/** The program that would run a pair, where it is installed. Starts none. @param from a folder that the user names */
export async function pairProgramThere(runtime: Runtime, from?: string): Promise<ConsumerThere[]> {
  const name = PAIR_PROGRAMS[runtime];
  if (name === LLAMA) {
    const library = await findPackage('node-llama-cpp', from);
    return library ? [{ name, ...versionIn(library), place: placeOf(library) }] : [];
  }
  const python = findPython(from);
  return python === undefined ? [] : [{ name, place: python }];
}

interface Starting {
  /** Folders that the program opens. */
  readonly folders: readonly string[];
  readonly programs: Readonly<Record<'llama' | 'torch' | 'genai', string>>;
}

interface Starter {
  run<T extends object>(
    input: object,
    read: (line: JsonObject) => T | undefined,
    job: JobOptions,
  ): Promise<T | Failed | undefined>;
}

async function starterOf(
  runtime: Runtime,
  from: string | undefined,
  { folders, programs }: Starting,
): Promise<Starter | Failed | undefined> {
  if (runtime === 'llama.cpp' || runtime === 'node-llama-cpp') {
    const library = await findPackage('node-llama-cpp', from);
    if (!library) return undefined;
    return {
      async run(input, read, { signal }) {
        const given = { ...input, library: library.file };
        const printed = await runNode(programs.llama, { input: given, read, signal, patience: PATIENCE });
        return 'failure' in printed ? printed : { ...versionIn(library), ...printed };
      },
    };
  }
  const python = findPython(from);
  if (python === undefined) return undefined;
  const strange = runtime === 'genai' ? await strangeGenai(folders) : await strangeTransformers(folders);
  if (strange !== undefined) return { failure: strange };
  const program = programs[runtime === 'genai' ? 'genai' : 'torch'];
  return {
    async run(input, read, { signal }) {
      const printed = await runPython(python, program, { input, read, signal, patience: PATIENCE });
      return 'failure' in printed && isNotThere(printed) ? undefined : printed;
    },
  };
}

async function strangeGenai(folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const config = await genaiConfigIn(folder);
    if (config === 'strange') return STRANGE_CONFIG;
    if (config !== 'ours') return 'it was not run: there is no genai_config.json';
  }
  return undefined;
}

async function strangeTransformers(folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const strange = await strangeInFolder(folder);
    if (strange !== undefined) {
      return `it was not run: ${strange} is nothing that Coppice writes, and transformers could load code or weights by it`;
    }
  }
  return undefined;
}

/** Whether Python or one of its packages is not installed. */
const isNotThere = ({ failure, isMissing }: Failed): boolean =>
  isMissing === true ||
  /^ModuleNotFoundError: No module named '?(onnxruntime_genai|torch|transformers)'?|^Python was not found/.test(
    failure,
  );

const named = <T extends object>(
  runtime: Runtime,
  printed: T | Failed | undefined,
): (T & { readonly name: string }) | Failed | undefined =>
  printed === undefined || 'failure' in printed ? printed : { ...printed, name: PAIR_PROGRAMS[runtime] };

/** What was printed of texts; undefined if it is not about so many. */
function readRan({ texts, version }: JsonObject, count: number): Omit<RanPair, 'name'> | undefined {
  if (!Array.isArray(texts) || texts.length !== count) return undefined;
  const read = texts.map(readText);
  if (!read.every((text) => text !== undefined)) return undefined;
  return { texts: read, ...(typeof version === 'string' && { version }) };
}

function readText(text: unknown): RanText | undefined {
  if (!isObject(text)) return undefined;
  const { ids, rounds, alone, lead } = text;
  if (!isIds(ids) || !Number.isInteger(rounds)) return undefined;
  return {
    ids,
    rounds: rounds as number,
    ...(isIds(alone) && { alone }),
    ...(typeof lead === 'number' && { lead }),
  };
}

const isIds = (value: unknown): value is number[] => Array.isArray(value) && value.every((id) => Number.isInteger(id));

function readCosts(
  { target, drafts, version }: JsonObject,
  { rows, runs, drafts: given }: Timed,
): Omit<MeasuredCosts, 'name'> | undefined {
  const isTimes = (value: unknown): value is number[] =>
    Array.isArray(value) && value.length === runs && value.every((time) => typeof time === 'number' && time > 0);
  const isAll = (value: unknown, count: number): value is number[][] =>
    Array.isArray(value) && value.length === count && value.every(isTimes);
  if (!isAll(target, rows.length) || !isAll(drafts, given.length)) return undefined;
  return { target: { rows, seconds: target }, drafts, ...(typeof version === 'string' && { version }) };
}
