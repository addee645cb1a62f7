/**
 * What a recipe has done: finished steps with their keys, in a file that is replaced as a whole. Paths in it start at
 * the recipe's folder, so that a repository can be moved. A run that is killed at any moment leaves the steps that were
 * finished, and the next run goes on.
 */
import { rm, rename, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { systemErrorCode, UserError } from '../engine/errors';
import { readTextFile } from '../engine/files/text-file';
import { writeWhole } from '../engine/files/whole-file';
import { isObject, type JsonObject, stringifyJson } from '../format/json';
import { STEP_KINDS } from './outputs';
import type { FinishedStep, StepOutput } from './types';

const STATE_FILE = 'state.json';
const SCHEMA = 1;
/** Options and notes of some steps; results are files of their own. */
const MAX_STATE = 64 * 2 ** 20;
/** The result of the largest task run has some tens of megabytes. */
const MAX_RESULT = 256 * 2 ** 20;

/** An earlier output that waits for the new one: it comes back if the step fails. */
export interface Aside {
  readonly path: string;
  readonly aside: string;
}

/** A step that began, and has not ended as far as the state knows. */
export interface RunningStep {
  readonly step: string;
  readonly key: string;
  readonly asides: readonly Aside[];
  /** It failed, and was not stopped. */
  readonly failed?: true;
}

export class RecipeState {
  private constructor(
    private readonly home: string,
    readonly folder: string,
    private readonly steps: Map<string, FinishedStep>,
    private interrupted: RunningStep | undefined,
  ) {}

  /**
   * @param home folder of the recipe @param folder of the state; it need not exist
   * @throws UserError for a file that is no state
   */
  static async open(home: string, folder: string): Promise<RecipeState> {
    const file = join(folder, STATE_FILE);
    const exists = await stat(file).catch(() => undefined);
    if (!exists) return new RecipeState(home, folder, new Map(), undefined);
    const { text } = await readTextFile(file, MAX_STATE, REMOVE);
    const { steps, running } = stateIn(text, file);
    const found = steps.map((step): [string, FinishedStep] => [
      step.name,
      withPaths(step, (path) => resolve(home, path)),
    ]);
    return new RecipeState(home, folder, new Map(found), running && asidesOf(running, (path) => resolve(home, path)));
  }

  finished(name: string): FinishedStep | undefined {
    return this.steps.get(name);
  }

  /** The step that a stopped run was at. */
  get running(): RunningStep | undefined {
    return this.interrupted;
  }

  /** Puts outputs back whose step was killed. */
  async restore(): Promise<void> {
    for (const { path, aside } of this.interrupted?.asides ?? []) {
      const isThere = await stat(path).catch(() => undefined);
      if (isThere) await rm(aside, { recursive: true, force: true });
      else await rename(aside, path).catch(ignoreMissing);
    }
    if (this.interrupted) this.interrupted = { ...this.interrupted, asides: [] };
  }

  async begin(running: RunningStep): Promise<void> {
    this.interrupted = running;
    await this.save();
  }

  async end(step: FinishedStep): Promise<void> {
    this.steps.set(step.name, step);
    this.interrupted = undefined;
    await this.save();
  }

  private async save(): Promise<void> {
    const place = (path: string): string => relative(this.home, path);
    const state = {
      schema: SCHEMA,
      steps: [...this.steps.values()].map((step) => withPaths(step, place)),
      ...(this.interrupted && { running: asidesOf(this.interrupted, place) }),
    };
    await writeWhole(join(this.folder, STATE_FILE), stringifyJson(state, 2));
  }
}

/** The result of a finished step, as `--json` of its job prints it. @throws UserError */
export async function readResult({ result, name }: FinishedStep): Promise<JsonObject> {
  const { text } = await readTextFile(result, MAX_RESULT, `Run the step ${name} again: remove this file.`);
  const found = parsed(text);
  if (isObject(found)) return found;
  throw new UserError(
    `${result} is no result of a step`,
    'it is not a JSON object',
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
  asides: running.asides.map(({ path, aside }) => ({ path: change(path), aside: change(aside) })),
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function stateIn(text: string, file: string): { steps: FinishedStep[]; running?: RunningStep } {
  const found = parsed(text);
  if (!isObject(found) || found.schema !== SCHEMA || !Array.isArray(found.steps)) {
    throw new UserError(`${file} is no state of a recipe`, 'it is damaged, or of another version of Coppice', REMOVE);
  }
  const steps = found.steps.filter(isFinished);
  return { steps, ...(isRunning(found.running) && { running: found.running }) };
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);

/** Steps that are damaged count as not done. */
function isFinished(step: unknown): step is FinishedStep {
  if (!isObject(step) || !STEP_KINDS.some((kind) => kind === step.job)) return false;
  const texts = [step.name, step.key, step.run, step.result, step.coppice, step.started];
  return (
    texts.every(isText) &&
    (step.record === null || isText(step.record)) &&
    (step.device === null || isText(step.device)) &&
    isObject(step.options) &&
    typeof step.seconds === 'number' &&
    isTexts(step.notes) &&
    isTexts(step.warnings) &&
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
    Array.isArray(running.asides) &&
    running.asides.every((each: unknown) => isObject(each) && isText(each.path) && each.aside === asideOf(each.path))
  );
}

/** Where an earlier output waits. */
export function asideOf(path: string): string {
  const [folder, name] = [/^(.*[/\\])?([^/\\]*)$/.exec(path)?.[1] ?? '', path.split(/[/\\]/).at(-1) ?? ''];
  return `${folder}.${name}.before.coppice-partial`;
}
