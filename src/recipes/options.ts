/** Options of a step: references replaced, texts of the command line's form read, paths absolute, outputs in their place. */
import { isAbsolute, join, relative, resolve } from 'node:path';
import { UserError } from '../engine/errors';
import type { JsonObject } from '../format/json';
import type { AnyJob } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import type { ValueKind } from '../jobs/option';
import { changePaths, type PathOf } from '../jobs/option-paths';
import { InvalidValue, parseValue } from '../jobs/values';
import { usualOutputs } from './outputs';
import type { Json, RecipeStep } from './recipe';
import { type Reference, substitute, TOKEN } from './references';

/** What a step's options are completed from. */
export interface Around {
  /** Absolute path of the model, or ''. */
  readonly model: string;
  /** The step's own folder. */
  readonly folder: string;
}

/** Adds the recipe's model and the usual outputs, where the step names none. An option of null is left out. */
export function withUsual(step: RecipeStep, given: JsonObject, { model, folder }: Around): JsonObject {
  const job: AnyJob = JOBS[step.job];
  const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  const several = 'checkpoints' in job.options && options.checkpoints === undefined && options.columns === undefined;
  return {
    ...('checkpoint' in job.options && { checkpoint: model }),
    ...(several && { checkpoints: [model] }),
    ...options,
    ...usualOutputs(step.job, options, folder, step.name),
  };
}

/** Kinds of values that may be texts as on the command line: "10,12-14", "2GB", "5.4B". */
const TEXTS: readonly ValueKind['kind'][] = ['blocks', 'parts', 'bytes', 'parameters'];

/** Reads a text of the command line's form. @throws UserError */
export function fromText(kind: ValueKind, value: Json, named: string): Json {
  // A value of another step is not known while a key is made.
  if (typeof value !== 'string' || value.includes(TOKEN) || !TEXTS.includes(kind.kind)) return value;
  try {
    return parseValue(kind, value, named) as Json;
  } catch (error) {
    if (error instanceof InvalidValue && error.cause instanceof UserError) throw error.cause;
    if (error instanceof InvalidValue)
      throw new UserError(`${named} cannot be used`, error.message, 'Give it another value.');
    throw error;
  }
}

/** A list may be one reference that is a single value. */
export const asListed = (kind: ValueKind, value: Json): Json =>
  kind.kind === 'list' && value !== null && !Array.isArray(value) ? [value] : value;

/** Changes every path in a value. */
export const mapPaths = (kind: ValueKind, value: Json, change: (path: string, of: PathOf) => Json): Json =>
  changePaths(kind, value, change) as Json;

/** Where the relative paths of a recipe start, and where its outputs go. */
export interface Places extends Around {
  /** The folder of the recipe. */
  readonly home: string;
  /** Outputs with a place of their own go below this folder; undefined for the places that they name. */
  readonly outputsBelow?: string;
}

/**
 * The options that a step's job gets.
 * @param valueOf the value of a reference; may throw
 * @throws UserError
 */
export function stepOptions(step: RecipeStep, places: Places, valueOf: (reference: Reference) => Json): JsonObject {
  const job: AnyJob = JOBS[step.job];
  const { home, outputsBelow } = places;
  const given = Object.entries(step.options).map(([name, value]): [string, Json] => {
    const { kind, writes } = job.options[name];
    const read = fromText(kind, substitute(value, valueOf), `“${name}” of the step “${step.name}”`);
    const whole = asListed(kind, read);
    return [
      name,
      mapPaths(kind, whole, (path) => {
        const place = resolve(home, path);
        return writes && outputsBelow !== undefined ? join(outputsBelow, inside(home, place)) : place;
      }),
    ];
  });
  return withUsual(step, Object.fromEntries(given), places);
}

/** A path as a path below any folder: "../shipped" and "C:\\x" stay inside. */
function inside(home: string, path: string): string {
  const way = relative(home, path);
  return (isAbsolute(way) ? way.replace(/^[A-Za-z]:/, '') : way).replaceAll('..', 'up');
}

/** A path in the options of a step. */
export interface OptionPath {
  readonly option: string;
  readonly path: string;
  /** The step writes there. */
  readonly writes: boolean;
}

/** Every path in the options of a step; options that its job does not have count for nothing. */
export function pathsIn({ job }: Pick<RecipeStep, 'job'>, options: JsonObject): OptionPath[] {
  const known: AnyJob = JOBS[job];
  const found: OptionPath[] = [];
  for (const [option, value] of Object.entries(options)) {
    if (!Object.hasOwn(known.options, option)) continue;
    const { kind, writes = false } = known.options[option];
    changePaths(kind, value, (path) => found.push({ option, path, writes }));
  }
  return found;
}

/** Paths that a step writes to, by option. */
export function outputsOf(step: RecipeStep, options: JsonObject): Record<string, string> {
  const job: AnyJob = JOBS[step.job];
  return Object.fromEntries(
    Object.entries(options).flatMap(([name, value]): [string, string][] =>
      job.options[name].writes && typeof value === 'string' ? [[name, value]] : [],
    ),
  );
}
