/** What the folder of a recipe says of its run on a cluster: what was asked for, its jobs, and what was submitted. */
import { version } from '../../../package.json';
import type { PartEstimate } from '../../cluster/estimate';
import { UserError } from '../../engine/errors';
import { isThere } from '../../engine/files/existing';
import { readTextFile } from '../../engine/files/text-file';
import { writeWhole } from '../../engine/files/whole-file';
import { MAX_PARTS } from '../../engine/parts/part';
import { isObject, stringifyJson } from '../../format/json';
import { isCutKind } from '../../jobs/parts/part-record';
import type { RecipeJob } from './jobs';
import { recipeRunFile, REPORT } from './places';
import { type Json, NAME } from '../recipe';

/** What a job was handed over as, at one time. */
export interface JobSubmission {
  /** The name of the job. */
  readonly job: string;
  /** The scheduler's number of the array, where parts were submitted. */
  readonly array?: string;
  /** Of the job that gives the result: it gathers, or runs the steps. */
  readonly id: string;
  /** Numbers of the parts. */
  readonly parts: readonly number[];
  /** ISO 8601, UTC; for people only. */
  readonly at: string;
}

/** A job with what it is expected to need at most; absent where that is not known. */
export type AskedRecipeJob = RecipeJob & { readonly estimate?: PartEstimate };

/** Of a step at the time of the submission. */
export interface StepBefore {
  readonly name: string;
  readonly job: string;
  /** Its run whose result was there, and null without one. Another run than this is new. */
  readonly run: string | null;
}

export interface RecipeRun {
  readonly schema: 1;
  readonly coppice: string;
  /** The file, absolute. */
  readonly recipe: string;
  /** The other choices of `coppice run`; the model is absolute. */
  readonly asks: {
    readonly model?: string;
    readonly set?: Readonly<Record<string, Json>>;
    readonly quick?: boolean;
    readonly only?: readonly string[];
    readonly programs?: { readonly from?: string };
  };
  readonly scheduler: 'slurm';
  readonly asked: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  /** All steps that were asked for, in their order. */
  readonly steps: readonly StepBefore[];
  /** Those that run; the last one writes the report, if the whole recipe was asked for. */
  readonly jobs: readonly AskedRecipeJob[];
  /** Oldest first. */
  readonly submissions: readonly JobSubmission[];
  /** Proof that who submitted it knows what it starts (`src/cluster/consent.ts`). */
  readonly seal?: string;
}

export const newRecipeRun = (run: Omit<RecipeRun, 'schema' | 'coppice' | 'submissions' | 'scheduler'>): RecipeRun => ({
  schema: 1,
  coppice: version,
  scheduler: 'slurm',
  ...run,
  submissions: [],
});

/** @param folder of the state @throws the system's error */
export const writeRecipeRun = (folder: string, run: RecipeRun): Promise<void> =>
  writeWhole(recipeRunFile(folder), `${stringifyJson(run, 2)}\n`);

/** Whether a folder is that of a recipe which was submitted. */
export const isRecipeRun = (folder: string): Promise<boolean> => isThere(recipeRunFile(folder));

const MAX_BYTES = 16 * 2 ** 20;

/** @throws UserError when the folder has none, or not one that this version reads */
export async function readRecipeRun(folder: string): Promise<RecipeRun> {
  const file = recipeRunFile(folder);
  const refuse = (why: string): UserError =>
    new UserError(`${file} is no run of a recipe`, why, 'Submit the recipe again: what is done stays done.');
  const { text } = await readTextFile(file, MAX_BYTES, 'It has a few kilobytes.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse('it is not JSON');
  }
  const fault = faultOf(value);
  if (fault !== undefined) throw refuse(fault);
  return value as RecipeRun;
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isListOf = (value: unknown, is: (item: unknown) => boolean): value is unknown[] =>
  Array.isArray(value) && value.every(is);
const isTexts = (value: unknown): boolean => isListOf(value, isText);
/** Names become names of folders. */
const isName = (value: unknown): boolean => isText(value) && (NAME.test(value) || value === REPORT);
const isNumber = (value: unknown): boolean =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= MAX_PARTS;
/** What Slurm calls jobs: these words become arguments of its programs. */
const isId = (value: unknown): boolean => isText(value) && /^\d{1,10}$/.test(value);

function faultOf(value: unknown): string | undefined {
  if (!isObject(value)) return 'it is not an object';
  if (value.schema !== 1) return `schema is ${JSON.stringify(value.schema)}, this version reads 1`;
  if (!isText(value.recipe) || !isObject(value.asks)) return 'it does not say which recipe it is';
  const { set, only, programs, model, quick } = value.asks;
  const isOptional = (each: unknown, is: (found: unknown) => boolean): boolean => each === undefined || is(each);
  if (!isOptional(set, isObject) || !isOptional(only, isTexts) || !isOptional(programs, isObject))
    return 'asks is not valid';
  if (!isOptional(model, isText) || !isOptional(quick, (each) => typeof each === 'boolean')) return 'asks is not valid';
  if (isObject(programs) && !isOptional(programs.from, isText)) return 'asks is not valid';
  if (value.scheduler !== 'slurm') return 'scheduler is unknown';
  if (!isObject(value.asked) || !isTexts(Object.values(value.asked))) return 'asked is not an object of texts';
  if (!isTexts(value.command)) return 'command is not a list of texts';
  if (!isListOf(value.steps, isStep)) return 'steps is not a list of steps';
  if (!isListOf(value.jobs, isJob)) return 'jobs is not a list of jobs';
  if (!isListOf(value.submissions, isSubmission)) return 'submissions is not a list of submissions';
  return value.seal === undefined || isText(value.seal) ? undefined : 'seal is not a text';
}

const isStep = (value: unknown): boolean =>
  isObject(value) && isName(value.name) && isText(value.job) && (value.run === null || isText(value.run));

const isJob = (value: unknown): boolean =>
  isObject(value) &&
  isName(value.name) &&
  isListOf(value.steps, isName) &&
  isListOf(value.after, isName) &&
  isCut(value.cut);

const isCut = (value: unknown): boolean =>
  value === undefined || (isObject(value) && isText(value.kind) && isCutKind(value.kind) && isNumber(value.parts));

const isSubmission = (value: unknown): boolean =>
  isObject(value) &&
  isName(value.job) &&
  (value.array === undefined || isId(value.array)) &&
  isId(value.id) &&
  isListOf(value.parts, isNumber) &&
  isText(value.at);
