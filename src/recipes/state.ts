/**
 * What a recipe has done: finished steps with their keys, in a file that is replaced as a whole. Paths in it start at
 * the recipe's folder, so that a repository can be moved. A run that is killed at any moment leaves the steps that were
 * finished, and the next run goes on. A state may come with a repository from anywhere: what it says of files that would
 * be replaced or removed counts only with its seal.
 */
import { createHash } from 'node:crypto';
import { rm, rename, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { systemErrorCode, UserError } from '../engine/errors';
import { isInside } from '../engine/files/paths';
import { readTextFile } from '../engine/files/text-file';
import { writeWhole } from '../engine/files/whole-file';
import { isObject, type JsonObject, stringifyJson } from '../format/json';
import { RESULT_FILE, STEP_KINDS } from './outputs';
import { Seals } from '../engine/files/seals';
import type { FinishedStep, StepOutput } from './types';

const STATE_FILE = 'state.json';
const SCHEMA = 2;
/** Options and notes of some steps; results are files of their own. */
const MAX_STATE = 64 * 2 ** 20;
/** The result of the largest task run has some tens of megabytes. */
const MAX_RESULT = 256 * 2 ** 20;

/** An earlier output that waits for the new one: it comes back if the step fails. */
export interface Aside {
  readonly path: string;
  readonly aside: string;
  readonly seal?: string;
}

/** A step that began, and has not ended as far as the state knows. */
export interface RunningStep {
  readonly step: string;
  readonly key: string;
  /** Paths that it writes. */
  readonly outputs: readonly string[];
  readonly asides: readonly Aside[];
  /** It failed, and was not stopped. */
  readonly failed?: true;
  readonly seal?: string;
}

/** Where a state belongs. */
export interface StatePlace {
  /** The name of the recipe. */
  readonly recipe: string;
  /** The folder of the recipe. */
  readonly home: string;
  /** Of the state; it need not exist. */
  readonly folder: string;
  /** Folders of records. */
  readonly records: readonly string[];
}

export class RecipeState {
  private readonly seals = new Seals();

  private constructor(
    private readonly place: StatePlace,
    /** The recipe that the file names; undefined without a file. */
    readonly owner: string | undefined,
    private readonly steps: Map<string, FinishedStep>,
    private interrupted: RunningStep | undefined,
  ) {}

  /** @throws UserError for a file that is no state */
  static async open(place: StatePlace): Promise<RecipeState> {
    const file = join(place.folder, STATE_FILE);
    const exists = await stat(file).catch(() => undefined);
    if (!exists) return new RecipeState(place, undefined, new Map(), undefined);
    const { text } = await readTextFile(file, MAX_STATE, REMOVE);
    const { recipe, steps, running } = stateIn(text, file);
    const absolute = (path: string): string => resolve(place.home, path);
    const found = steps.map((step): [string, FinishedStep] => [step.name, trusted(withPaths(step, absolute), place)]);
    return new RecipeState(place, recipe, new Map(found), running && asidesOf(running, absolute));
  }

  finished(name: string): FinishedStep | undefined {
    return this.steps.get(name);
  }

  /** The step that a stopped run was at. */
  get running(): RunningStep | undefined {
    return this.interrupted;
  }

  /** Whether it was this recipe, on this machine, that wrote an output of a finished step as the state has it. */
  async wrote(step: string, output: StepOutput): Promise<boolean> {
    const finished = this.finished(step);
    const seal = finished?.seals?.[finished.outputs.indexOf(output)];
    return this.seals.holds(seal, this.outputClaim(output));
  }

  /** Whether it was this recipe, on this machine, that began to write there when it was stopped. */
  async began(step: string, path: string): Promise<boolean> {
    const { running } = this;
    if (running?.step !== step || !running.outputs.includes(path)) return false;
    return this.seals.holds(running.seal, this.runningClaim(running));
  }

  /** Makes the file, so that the folder is known as this recipe's. */
  async claim(): Promise<void> {
    if (this.owner === undefined) await this.save();
  }

  /** Puts outputs back whose step was killed. */
  async restore(): Promise<void> {
    for (const { path, aside, seal } of this.interrupted?.asides ?? []) {
      if (!(await this.seals.holds(seal, this.asideClaim(path)))) continue;
      const isThere = await stat(path).catch(() => undefined);
      if (isThere) await rm(aside, { recursive: true, force: true });
      else await rename(aside, path).catch(ignoreMissing);
    }
    if (this.interrupted) this.interrupted = { ...this.interrupted, asides: [] };
  }

  async begin(running: RunningStep): Promise<void> {
    const asides: Aside[] = [];
    for (const aside of running.asides) {
      asides.push({ ...aside, seal: await this.seals.of(this.asideClaim(aside.path)) });
    }
    this.interrupted = { ...running, asides, seal: await this.seals.of(this.runningClaim(running)) };
    await this.save();
  }

  async end(step: FinishedStep): Promise<void> {
    const seals: string[] = [];
    for (const output of step.outputs) seals.push(await this.seals.of(this.outputClaim(output)));
    this.steps.set(step.name, { ...step, seals });
    this.interrupted = undefined;
    await this.save();
  }

  private async save(): Promise<void> {
    const { recipe, home, folder } = this.place;
    const place = (path: string): string => relative(home, path);
    const state = {
      schema: SCHEMA,
      recipe,
      steps: [...this.steps.values()].map((step) => withPaths(step, place)),
      ...(this.interrupted && { running: asidesOf(this.interrupted, place) }),
    };
    await writeWhole(join(folder, STATE_FILE), stringifyJson(state, 2));
  }

  /** Places are relative, so that seals hold after a repository was moved. */
  private placeOf(path: string): string {
    return relative(this.place.home, path).replaceAll('\\', '/');
  }

  private outputClaim({ path, digest }: StepOutput): string[] {
    return ['output', this.place.recipe, this.placeOf(path), digest];
  }

  private asideClaim(path: string): string[] {
    return ['aside', this.place.recipe, this.placeOf(path)];
  }

  private runningClaim({ step, key, outputs }: RunningStep): string[] {
    return ['running', this.place.recipe, step, key, ...outputs.map((path) => this.placeOf(path))];
  }
}

/** A state from elsewhere makes nobody read other files: the result is in the step's folder, the record among records. */
function trusted(step: FinishedStep, { folder, records }: StatePlace): FinishedStep {
  const { name, record } = step;
  const isRecord = record !== null && records.some((each) => isInside(record, each));
  return { ...step, result: join(folder, basename(name), RESULT_FILE), record: isRecord ? record : null };
}

/** SHA-256 of a result's text. */
export const resultDigest = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * The result of a finished step, as `--json` of its job prints it.
 * @throws UserError if it cannot be read, or is another one than the step's
 */
export async function readResult({ result, resultSha256, name }: FinishedStep): Promise<JsonObject> {
  const { text } = await readTextFile(result, MAX_RESULT, `Run the step ${name} again: remove this file.`);
  const found = resultDigest(text) === resultSha256 ? parsed(text) : undefined;
  if (isObject(found)) return found;
  throw new UserError(
    `${result} is not the result of the step`,
    'it was changed since the step ran',
    `Remove it, and ${name} runs again.`,
  );
}

const REMOVE = 'Remove it, and all steps run again.';

const ignoreMissing = (error: unknown): void => {
  if (systemErrorCode(error) !== 'ENOENT') throw error;
};

const withPaths = (step: FinishedStep, change: (path: string) => string): FinishedStep => ({
  ...step,
  outputs: step.outputs.map((output) => ({ ...output, path: change(output.path) })),
  result: change(step.result),
  record: step.record === null ? null : change(step.record),
});

const asidesOf = (running: RunningStep, change: (path: string) => string): RunningStep => ({
  ...running,
  outputs: running.outputs.map(change),
  asides: running.asides.map((each) => ({ ...each, path: change(each.path), aside: change(each.aside) })),
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Found {
  readonly recipe: string;
  readonly steps: FinishedStep[];
  readonly running?: RunningStep;
}

function stateIn(text: string, file: string): Found {
  const found = parsed(text);
  if (!isObject(found) || found.schema !== SCHEMA || !isText(found.recipe) || !Array.isArray(found.steps)) {
    throw new UserError(`${file} is no state of a recipe`, 'it is damaged, or of another version of Coppice', REMOVE);
  }
  const steps = found.steps.filter(isFinished);
  return { recipe: found.recipe, steps, ...(isRunning(found.running) && { running: found.running }) };
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);

/** Steps that are damaged count as not done. */
function isFinished(step: unknown): step is FinishedStep {
  if (!isObject(step) || !STEP_KINDS.some((kind) => kind === step.job)) return false;
  const texts = [step.name, step.key, step.run, step.result, step.resultSha256, step.coppice, step.started];
  return (
    texts.every(isText) &&
    (step.record === null || isText(step.record)) &&
    (step.device === null || isText(step.device)) &&
    isObject(step.options) &&
    typeof step.seconds === 'number' &&
    isTexts(step.notes) &&
    isTexts(step.warnings) &&
    (step.seals === undefined || isTexts(step.seals)) &&
    Array.isArray(step.outputs) &&
    step.outputs.every(isOutput)
  );
}

const isOutput = (output: unknown): output is StepOutput =>
  isObject(output) &&
  isText(output.option) &&
  isText(output.path) &&
  isText(output.digest) &&
  typeof output.bytes === 'number';

/** What is put aside is beside its output, under a name of Coppice: a state from elsewhere moves nothing else. */
function isRunning(running: unknown): running is RunningStep {
  return (
    isObject(running) &&
    isText(running.step) &&
    isText(running.key) &&
    (running.seal === undefined || isText(running.seal)) &&
    isTexts(running.outputs) &&
    Array.isArray(running.asides) &&
    running.asides.every(isAside)
  );
}

const isAside = (each: unknown): boolean =>
  isObject(each) &&
  isText(each.path) &&
  each.aside === asideOf(each.path) &&
  (each.seal === undefined || isText(each.seal));

/** Where an earlier output waits. */
export function asideOf(path: string): string {
  const [folder, name] = [/^(.*[/\\])?([^/\\]*)$/.exec(path)?.[1] ?? '', path.split(/[/\\]/).at(-1) ?? ''];
  return `${folder}.${name}.before.coppice-partial`;
}
