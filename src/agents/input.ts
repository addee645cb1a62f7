/** The input of a tool: its schema, and its check. Made of the options of jobs, so that both say the same. */
import { UserError } from '../engine/errors';
import { isObject, type JsonObject } from '../format/json';
import { completeOptions } from '../jobs/complete';
import { defineJob } from '../jobs/define';
import { shape } from '../jobs/result';
import { type LabelledModel, type Option, type Options, standsForPath } from '../jobs/option';
import { type JsonSchema, schemaOf } from '../jobs/schema';
import { AGENT_NAMING } from './naming';
import type { PathGuard } from './tool';

/** Some of a job's options, in this order; a text takes the place of the option's help. */
export function chosen<O extends Options, const N extends { readonly [K in keyof O]?: string | true }>(
  options: O,
  names: N,
): { readonly [K in keyof N & keyof O]: O[K] } {
  const picked = Object.entries(names).map(([name, help]) => {
    const option = options[name];
    return [name, help === true ? option : { ...option, help }];
  });
  return Object.fromEntries(picked) as { readonly [K in keyof N & keyof O]: O[K] };
}

const asJob = (tool: string, options: Options) =>
  defineJob({
    kind: tool,
    summary: '',
    description: '',
    examples: [],
    noun: () => tool,
    title: () => tool,
    done: () => tool,
    icon: '',
    options,
    result: shape({}, ''),
  });

/** The schema, without what a tool's place says already: dialect, title, description. */
export function inputSchema(options: Options): JsonSchema {
  const {
    $schema: _,
    title: _title,
    description: _description,
    ...schema
  } = schemaOf(asJob('', options), AGENT_NAMING);
  return schema;
}

/**
 * Checks an input, and makes its paths absolute.
 * @param tool its name, for messages
 * @returns only what was given: the job adds its defaults
 * @throws UserError for a property that the tool does not have, an invalid value, and a path that is not open
 */
export async function readInput(tool: string, options: Options, input: unknown, paths: PathGuard): Promise<JsonObject> {
  if (!isObject(input)) {
    throw new UserError(`The input of ${tool} cannot be used`, 'it is not an object', `Give ${properties(options)}.`);
  }
  const given = Object.entries(input).filter(([, value]) => value !== undefined && value !== null);
  const stranger = given.find(([name]) => !Object.hasOwn(options, name));
  if (stranger) {
    throw new UserError(
      `${tool} has no property "${stranger[0]}"`,
      `it takes ${properties(options)}`,
      'Leave it out, or use one of these.',
    );
  }
  completeOptions(asJob(tool, options), Object.fromEntries(given));
  const read: [string, unknown][] = [];
  for (const [name, value] of given) read.push([name, await openPaths(options[name], value, paths)]);
  return Object.fromEntries(read);
}

const properties = (options: Options): string => Object.keys(options).join(', ');

/** The value with its paths absolute. */
async function openPaths(option: Option, value: unknown, paths: PathGuard): Promise<unknown> {
  const { kind, writes } = option;
  if (kind.kind === 'path') {
    if (typeof value !== 'string' || standsForPath(kind, value)) return value;
    return writes ? paths.write(value) : paths.read(value);
  }
  if (!Array.isArray(value)) return value;
  const items: readonly unknown[] = value;
  if (kind.kind === 'list') return inTurn(items, (item) => openPaths({ ...option, kind: kind.of }, item, paths));
  if (kind.kind === 'models') return inTurn(items as readonly LabelledModel[], (model) => openModel(model, paths));
  return value;
}

async function openModel(model: LabelledModel, paths: PathGuard): Promise<LabelledModel> {
  const { width, heal, adapter } = model;
  return {
    ...model,
    checkpoint: await paths.read(model.checkpoint),
    ...(width !== undefined && { width: await paths.read(width) }),
    ...(heal !== undefined && { heal: await paths.read(heal) }),
    ...(adapter !== undefined && { adapter: await paths.read(adapter) }),
  };
}

async function inTurn<T, R>(items: readonly T[], each: (item: T) => Promise<R>): Promise<R[]> {
  const made: R[] = [];
  for (const item of items) made.push(await each(item));
  return made;
}
