/** A recipe with everything that a plan or a run of it needs: variables, model, folders, state, and values of references. */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { version } from '../../package.json';
import { UserError } from '../engine/errors';
import { isInside } from '../engine/files/paths';
import type { JobOptions } from '../engine/progress';
import { type JsonObject, stringifyJson } from '../format/json';
import type { AnyJob } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import { checkpointName } from '../jobs/titles';
import type { ValueKind } from '../jobs/option';
import type { PathOf } from '../jobs/option-paths';
import { checkpointPlace, Contents } from './content';
import { mapPaths, type OptionPath, pathsIn, type Places, stepOptions } from './options';
import { fieldOf } from './fields';
import { chosenSteps, inOrder } from './order';
import { outputOptions, productOptions, QUICK_OUTPUTS, RESULT_FILE } from './outputs';
import { checkPaths, claimFolder, OWN_FOLDER, refuseLinks } from './own-places';
import type { Programs, RecipeRequest } from './plan';
import { placeOfPrograms, wantsPrograms, withoutPrograms } from './programs';
import { type Json, type Limits, type Recipe, RECIPE_VERSION, type RecipeStep } from './recipe';
import { type Reference, substitute, TOKEN } from './references';
import { readResult, RecipeState } from './state';
import type { FinishedStep } from './types';

const CONTENTS_FILE = 'contents.json';

export class Session {
  private readonly results = new Map<string, JsonObject>();

  private constructor(
    readonly recipe: Recipe,
    readonly home: string,
    readonly folder: string,
    readonly model: string | undefined,
    readonly quick: boolean,
    readonly variables: Recipe['variables'],
    readonly order: readonly RecipeStep[],
    readonly chosen: ReadonlySet<string>,
    readonly state: RecipeState,
    readonly contents: Contents,
    private readonly programs: Programs | undefined,
    /** Names of steps that ask for other programs and get none. */
    readonly withheld: ReadonlySet<string>,
  ) {}

  /** @throws UserError for an unknown step or variable, or a state that cannot be used */
  static async open(request: RecipeRequest): Promise<Session> {
    const { recipe, quick = false, only = [] } = request;
    const home = dirname(recipe.file);
    const variables = { ...recipe.variables, ...(quick && recipe.quick), ...request.set };
    checkNames('variable', Object.keys(request.set ?? {}), Object.keys(recipe.variables));
    checkNames(
      'step',
      only,
      recipe.steps.map(({ name }) => name),
    );
    const model = modelOf(request, home, variables);
    const folder = stateFolderOf(request);
    if (model !== undefined && isInside(folder, checkpointPlace(model))) {
      throw new UserError(
        `${recipe.name} cannot run beside its model's files`,
        `what it writes would be in ${folder}, inside the checkpoint, and Coppice never writes there`,
        'Move the recipe out of that folder.',
      );
    }
    const withheld = request.programs ? [] : recipe.steps.filter(wantsPrograms);
    const { order } = inOrder(recipe.steps.map((step) => (withheld.includes(step) ? withoutPrograms(step) : step)));
    await refuseLinks(request.folder === undefined ? home : dirname(folder), folder);
    const state = await RecipeState.open({ recipe: recipe.name, home, folder, records: recordFolders(home, folder) });
    if (request.folder !== undefined) await checkChosen(folder, recipe.name, state);
    const contents = await Contents.open(join(folder, CONTENTS_FILE));
    const chosen = chosenSteps(order, only);
    const known = [recipe, home, folder, model, quick, variables, order, chosen, state, contents] as const;
    return new Session(...known, request.programs, new Set(withheld.map(({ name }) => name)));
  }

  stepFolder(name: string): string {
    return join(this.folder, name);
  }

  /** Folders for records: those of the workspace's runs, so that the results panel shows them too. */
  get records(): string[] {
    return recordFolders(this.home, this.folder);
  }

  /**
   * Makes the folders that the step writes into and that belong to the recipe.
   * @throws UserError for one that is someone else's
   */
  async claim(step: RecipeStep, outputs: readonly string[]): Promise<void> {
    await claimFolder(this.folder, this.stepFolder(step.name));
    const quick = join(this.folder, QUICK_OUTPUTS);
    if (outputs.some((path) => isInside(path, quick))) await claimFolder(this.folder, quick);
    for (const path of outputs) if (isInside(path, this.folder)) await refuseLinks(this.folder, dirname(path));
  }

  private places(step: RecipeStep): Places {
    return {
      home: this.home,
      model: this.model ?? '',
      folder: this.stepFolder(step.name),
      ...(this.quick && { outputsBelow: join(this.folder, QUICK_OUTPUTS) }),
    };
  }

  /** @throws UserError when the step needs one that is not finished, a field that its result lacks, or a path of its own */
  options(step: RecipeStep): JsonObject {
    const options = stepOptions(step, this.places(step), (reference) => this.valueOf(reference));
    checkPaths(step, options, { home: this.home, folder: this.folder, stepFolder: this.stepFolder(step.name) });
    return { ...options, ...placeOfPrograms(options as Readonly<Record<string, Json>>, this.programs) };
  }

  /** The limits with their values. */
  limits(limits: Limits): Limits {
    return substitute(limits, (reference) => this.valueOf(reference)) as Limits;
  }

  /** A value of the recipe's tables; undefined if its step has no such result. */
  value(written: Json): Json | undefined {
    try {
      return substitute(written, (reference) => this.valueOf(reference));
    } catch (error) {
      if (error instanceof UserError) return undefined;
      throw error;
    }
  }

  /** Loads the result of a finished step, which references may then name. @throws UserError */
  async learn(step: FinishedStep): Promise<JsonObject> {
    const result = await readResult(step);
    this.results.set(step.name, result);
    return result;
  }

  private valueOf(reference: Reference): Json {
    if (reference.kind === 'step') return this.fieldOf(reference.step, reference.fields);
    const { name } = reference;
    if (Object.hasOwn(this.variables, name)) return this.variables[name];
    return this.model ?? '';
  }

  private fieldOf(name: string, fields: readonly string[]): Json {
    const step = this.state.finished(name);
    const result = this.results.get(name);
    const asked = `\${steps.${[name, ...fields].join('.')}}`;
    if (!step || !result) throw new UserError(`${asked} has no value yet`, `${name} has not run`, `Run ${name} first.`);
    const value = fieldOf(step, result, fields);
    if (value !== undefined) return value;
    if (fields.length === 0) return ''; // its job decided against writing
    const known = Object.keys(result).slice(0, 30).join(', ');
    throw new UserError(`${asked} has no value`, `the result of ${name} has ${known}`, 'Name one of these fields.');
  }

  /**
   * The key of a step whose needs are finished: a digest of its job, its options with the contents of their files in
   * place of paths, and Coppice's version. What comes from another step counts as that run of the step.
   * @throws UserError for an input that is not there
   */
  async key(step: RecipeStep, job: JobOptions): Promise<string> {
    const options = stepOptions(step, this.places(step), (reference) => this.tokenOf(reference));
    const known: AnyJob = JOBS[step.job];
    const kept = outputOptions(step.job).filter((name) => !productOptions(step.job).includes(name));
    const names = Object.keys(known.options).filter((name) => {
      const { machine, byHand } = known.options[name];
      return machine !== 'speed' && !byHand && !kept.includes(name);
    });
    const found: [string, unknown][] = [];
    for (const name of names.sort()) {
      const { kind, writes, default: usual } = known.options[name];
      const value = (options[name] ?? usual) as Json | undefined;
      if (value === undefined) continue;
      found.push([name, writes ? this.placeOf(value) : await this.withContents(step.name, name, kind, value, job)]);
    }
    const text = stringifyJson({ recipe: RECIPE_VERSION, coppice: version, job: step.job, options: found });
    return createHash('sha256').update(text).digest('hex');
  }

  private tokenOf(reference: Reference): Json {
    if (reference.kind === 'variable') return this.valueOf(reference);
    const run = this.state.finished(reference.step)?.run ?? '';
    return `${TOKEN}${[reference.step, run, ...reference.fields].join(TOKEN)}${TOKEN}`;
  }

  private placeOf(value: Json): Json {
    return typeof value === 'string' ? value.replace(this.home, '').replaceAll('\\', '/') : value;
  }

  private async withContents(step: string, name: string, kind: ValueKind, value: Json, job: JobOptions): Promise<Json> {
    const paths = new Map<string, PathOf>();
    mapPaths(kind, value, (path, of) => {
      if (!path.includes(TOKEN)) paths.set(path, of);
      return path;
    });
    const { contents } = this;
    const digests = new Map<string, string>();
    for (const [path, of] of paths) {
      try {
        const isModel = of === 'checkpoint';
        digests.set(path, isModel ? await contents.ofCheckpoint(path, job) : (await contents.of(path, job)).digest);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        throw error.withTexts((text) => (text === error.texts.what ? `${step}, option “${name}”: ${text}` : text));
      }
    }
    // A path of another step stands for the run that wrote it, wherever that is.
    const token = (path: string): string => path.slice(path.indexOf(TOKEN));
    return mapPaths(kind, value, (path) => digests.get(path) ?? token(path));
  }

  /** The paths in a step's options that do not depend on results of other steps. */
  paths(step: RecipeStep): OptionPath[] {
    const options = stepOptions(step, this.places(step), (reference) => this.tokenOf(reference));
    return pathsIn(step, options).filter(({ path }) => !path.includes(TOKEN));
  }

  resultFile(step: RecipeStep): string {
    return join(this.stepFolder(step.name), RESULT_FILE);
  }
}

/** Folders for records: those of the workspace's runs, so that the results panel shows them too. */
const recordFolders = (home: string, folder: string): string[] => [
  join(home, OWN_FOLDER, 'runs'),
  join(folder, 'runs'),
];

/** @throws UserError for a folder of `--folder` that is neither new, nor empty, nor of this recipe */
async function checkChosen(folder: string, recipe: string, { owner }: RecipeState): Promise<void> {
  if (owner === recipe) return;
  const names = await readdir(folder).catch((): string[] => []);
  const [first] = names.filter((name) => !name.startsWith('lock')); // of a run that was killed when it began
  if (first === undefined) return;
  throw new UserError(
    `${folder} cannot be the folder of ${recipe}`,
    owner === undefined ? `it has other files, such as ${first}` : `it belongs to the recipe ${owner}`,
    'Name a folder that is new or empty, or the one that this recipe has used before.',
  );
}

function checkNames(what: string, names: readonly string[], known: readonly string[]): void {
  const strange = names.find((name) => !known.includes(name));
  if (strange === undefined) return;
  const why = known.length === 0 ? `the recipe has no ${what}s` : `the ${what}s are ${known.join(', ')}`;
  throw new UserError(`There is no ${what} “${strange}”`, why, 'Name one of them.');
}

function modelOf({ recipe, model }: RecipeRequest, home: string, variables: Recipe['variables']): string | undefined {
  if (model !== undefined) return resolve(model);
  if (recipe.model === undefined) return undefined;
  const found = substitute(recipe.model, (reference) =>
    reference.kind === 'variable' ? variables[reference.name] : '',
  );
  if (typeof found === 'string') return resolve(home, found);
  throw new UserError(`${recipe.name} has no model`, 'its “model” is not a path', 'Give the variable a text.');
}

/** The folder of the state of a run, absolute. */
const stateFolderOf = (request: RecipeRequest): string =>
  resolve(request.folder ?? join(dirname(request.recipe.file), OWN_FOLDER, stateName(request)));

/** Another model, and a quick try, have a state of their own, so that they undo nothing. */
function stateName({ recipe, model, quick }: RecipeRequest): string {
  const own = model === undefined ? '' : `@${checkpointName(resolve(model)).replaceAll(/[^\w.-]/g, '-')}`;
  return `${basename(recipe.name)}${quick ? '.quick' : ''}${own}`;
}
