/**
 * Reads a recipe. All problems are found at once, each with its place in the text, so that the editor can show them and
 * the command line can name the line. Checks the options of every step as its job does.
 */
import { type Node, parseTree, type ParseError, printParseErrorCode } from 'jsonc-parser';
import { basename, resolve } from 'node:path';
import { UserError } from '../engine/errors';
import { readTextFile } from '../engine/files/text-file';
import { shownText } from '../engine/option-token';
import { isObject, type JsonObject } from '../format/json';
import { nearest } from '../format/nearest';
import { checkSteps } from './check-steps';
import { LIMIT_NAMES, type Limits, NAME, type Recipe, RECIPE_SUFFIX, RECIPE_VERSION, type RecipeStep } from './recipe';
import { RESERVED_NAMES, STEP_KINDS } from './outputs';
import type { Kind } from '../jobs/kinds';
import { substitute } from './references';
import { faultsOfTables, type RecipeTable } from './table';
import { lineTable, MAX_STEPS, whyRefused } from './text-limits';

/** A recipe has some kilobytes; those of the paper some tens. */
const MAX_BYTES = 4 * 2 ** 20;

/** Something wrong in a recipe. The place is in UTF-16 units of the text. */
export interface RecipeProblem {
  readonly what: string;
  readonly why: string;
  readonly action: string;
  readonly offset: number;
  readonly length: number;
}

/** Where a step is in the text: its name and its value. */
export interface StepPlace {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
  readonly end: number;
}

export interface ReadRecipe {
  /** Undefined if the problems leave nothing to run. */
  readonly recipe?: Recipe;
  readonly problems: readonly RecipeProblem[];
  readonly places: readonly StepPlace[];
}

/** A problem with its line, from 1. */
export type ProblemAtLine = RecipeProblem & { readonly line: number };

/**
 * @returns the recipe, or all that is wrong with it
 * @throws UserError for a file that cannot be read
 */
export async function examineRecipe(
  path: string,
): Promise<{ readonly recipe?: Recipe; readonly problems: readonly ProblemAtLine[] }> {
  const file = resolve(path);
  const { text } = await readTextFile(file, MAX_BYTES, 'A recipe has some kilobytes. Name another file.');
  const { recipe, problems } = parseRecipe(text, file);
  const lineAt = lineTable(text);
  return { recipe, problems: problems.map((problem) => ({ ...problem, line: lineAt(problem.offset) })) };
}

/** The line of a value, from 1, or of the nearest one above it; undefined where the file cannot be read any more. */
export async function lineOf(file: string, path: readonly (string | number)[]): Promise<number | undefined> {
  const found = await readTextFile(file, MAX_BYTES, '').catch(() => undefined);
  return found && lineTable(found.text)(new Reader(found.text).at(path)?.offset ?? 0);
}

/** @throws UserError for a file that cannot be read, or the first problem in it */
export async function readRecipe(path: string): Promise<Recipe> {
  const { recipe, problems } = await examineRecipe(path);
  const [problem] = problems;
  if (problem || !recipe) {
    const { what, why, action, line } = problem ?? { ...NOTHING, line: 1 };
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    throw new UserError(`${basename(path)}, line ${line}: ${what}`, `${why}${more}`, action);
  }
  return recipe;
}

const NOTHING: RecipeProblem = {
  what: 'it is no recipe',
  why: 'it has no steps',
  action: 'Write one with `coppice init`.',
  offset: 0,
  length: 0,
};

/** @param file absolute path, for the recipe's name */
export function parseRecipe(text: string, file: string): ReadRecipe {
  const reader = new Reader(text);
  const { root, value } = reader;
  if (!root || !isObject(value)) {
    if (reader.problems.length === 0) reader.add(root, 'it is no recipe', 'it is not an object', 'See `coppice init`.');
    return { problems: reader.problems, places: [] };
  }
  // What is read after a syntax error may be anything.
  if (reader.problems.length > 0) return { problems: reader.problems, places: reader.places() };
  const steps = reader.steps();
  const recipe: Recipe = {
    file,
    name: basename(file).replace(new RegExp(`${RECIPE_SUFFIX.replaceAll('.', '\\.')}$|\\.json$`), ''),
    ...reader.text('title'),
    ...reader.text('description'),
    ...reader.text('model'),
    variables: reader.variables('variables'),
    quick: reader.variables('quick'),
    steps,
    limits: reader.limits(['limits']),
    tables: reader.tables(),
  };
  reader.checkTop(recipe);
  // Of a value that is wrong by itself nothing more is said, nor of what names it.
  const places = new Set(reader.problems.map(({ offset }) => offset));
  for (const { path, what, why, action } of checkSteps(recipe, reader.hidden)) {
    const node = reader.at(path);
    if (!places.has(node?.offset ?? 0)) reader.add(node, what, why, action);
  }
  const problems = reader.problems.toSorted((a, b) => a.offset - b.offset);
  const read = { ...recipe, variables: plainTexts(recipe.variables), quick: plainTexts(recipe.quick) };
  return { ...(problems.length === 0 && { recipe: read }), problems, places: reader.places() };
}

/** Values of variables name nothing, so `$${` is all that stands for something else in them. */
const plainTexts = (values: Recipe['variables']): Recipe['variables'] =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, substitute(value, () => '')]));

const FIELDS: readonly string[] = [
  ...['$schema', 'coppice', 'title', 'description', 'model', 'variables', 'quick', 'steps', 'limits', 'tables'],
];
const STEP_FIELDS: readonly string[] = ['job', 'description', 'options', 'limits', 'after'];

/** Reads the parts of a recipe, and collects what is wrong with them. */
/** What to do about a name that is not known. */
const nameOf = (name: string, known: readonly string[]): string => {
  const near = nearest(name, known);
  return near === undefined ? 'Name one of them.' : `Name “${near}”.`;
};

class Reader {
  readonly problems: RecipeProblem[] = [];
  readonly root: Node | undefined = undefined;
  readonly value: unknown = undefined;
  /** Names of steps and variables that are there, and cannot be used. */
  readonly hidden = new Set<string>();

  constructor(text: string) {
    const errors: ParseError[] = [];
    const refused = whyRefused(text);
    if (refused) {
      this.problems.push({ ...NOTHING, ...refused });
      return;
    }
    this.root = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false });
    for (const { error, offset, length } of errors) {
      const why = printParseErrorCode(error)
        .replace(/([a-z])([A-Z])/g, '$1 $2')
        .toLowerCase();
      this.problems.push({ what: 'it is not valid JSON', why, action: 'Correct the line.', offset, length });
    }
    this.value = this.root && plainValue(this.root);
    const node = this.root && withZero(this.root);
    if (node) this.add(node, 'it has a character that no text has', 'it is U+0000', 'Remove it.');
  }

  add(node: Node | undefined, what: string, why: string, action: string): void {
    const { offset = 0, length = 0 } = node ?? {};
    this.problems.push({ what: shownText(what), why: shownText(why), action: shownText(action), offset, length });
  }

  /** The node at a path, or the nearest one above it. */
  at(path: readonly (string | number)[]): Node | undefined {
    let node = this.root;
    for (const part of path) {
      const next: Node | undefined =
        typeof part === 'number' ? node?.children?.[part] : node && this.member(node, part);
      if (!next) break;
      node = next;
    }
    return node;
  }

  private readonly members = new WeakMap<Node, Map<unknown, Node>>();

  private member(object: Node, name: string): Node | undefined {
    let known = this.members.get(object);
    if (!known) {
      known = new Map();
      for (const { children = [] } of object.children ?? []) {
        const [key, value] = children;
        if (key !== undefined && value !== undefined && !known.has(key.value)) known.set(key.value, value);
      }
      this.members.set(object, known);
    }
    return known.get(name);
  }

  text(name: 'title' | 'description' | 'model'): Partial<Record<'title' | 'description' | 'model', string>> {
    const found = this.field(name);
    if (found === undefined) return {};
    if (typeof found === 'string') return { [name]: found };
    this.add(this.at([name]), `“${name}” cannot be used`, 'it must be a text', 'Put it in quotes.');
    return { [name]: '' }; // it is there, so nothing that names it is wrong for that
  }

  variables(name: 'variables' | 'quick'): Recipe['variables'] {
    const found = this.field(name);
    if (found === undefined) return {};
    if (!isObject(found)) {
      this.add(this.at([name]), `“${name}” cannot be used`, 'it must be an object of values', 'Write {"name": value}.');
      return {};
    }
    for (const each of Object.keys(found).filter((each) => !NAME.test(each) || each === 'steps' || each === 'model')) {
      this.hidden.add(each);
      this.add(this.at([name, each]), `“${each}” cannot be the name of a variable`, BAD_NAME, 'Give it another name.');
    }
    return found as Recipe['variables'];
  }

  limits(path: readonly string[]): Limits {
    const found = valueAt(this.value, path);
    if (found === undefined) return {};
    if (!isObject(found)) {
      this.add(
        this.at(path),
        'The limits cannot be used',
        'they must be an object',
        `Name some of ${LIMIT_NAMES.join(', ')}.`,
      );
      return {};
    }
    for (const [name, value] of Object.entries(found)) {
      const known = LIMIT_NAMES.some((each) => each === name);
      const place = this.at([...path, name]);
      if (!known)
        this.add(
          place,
          `There is no limit “${name}”`,
          `these are: ${LIMIT_NAMES.join(', ')}`,
          nameOf(name, LIMIT_NAMES),
        );
      else if (!['number', 'string'].includes(typeof value))
        this.add(place, `“${name}” cannot be used`, 'a limit is a number', 'Give it a number.');
    }
    return found;
  }

  steps(): RecipeStep[] {
    const found = this.field('steps');
    if (!isObject(found) || Object.keys(found).length === 0) {
      this.add(
        this.at(['steps']),
        'There are no steps',
        '“steps” must be an object of steps by their names',
        'Add one.',
      );
      return [];
    }
    const names = this.places().map(({ name }) => name);
    if (names.length > MAX_STEPS) {
      const why = `it has ${names.length}, and a recipe has at most ${MAX_STEPS}`;
      this.add(this.at(['steps']), 'There are too many steps', why, 'Cut it into several recipes.');
      return [];
    }
    const twice = names.find((name, at) => names.indexOf(name) < at);
    if (twice !== undefined) {
      this.add(
        this.at(['steps', twice]),
        `“${twice}” is there twice`,
        'each step needs a name of its own',
        'Rename one.',
      );
    }
    return Object.entries(found).flatMap(([name, value]) => {
      const step = this.step(name, value);
      if (!step) this.hidden.add(name);
      return step ?? [];
    });
  }

  private step(name: string, value: unknown): RecipeStep | undefined {
    const path = ['steps', name];
    const refuse = (node: Node | undefined, why: string, action: string): void => {
      this.add(node, `The step “${name}” cannot be used`, why, action);
    };
    if (!NAME.test(name) || RESERVED_NAMES.includes(name.toLowerCase())) {
      refuse(this.at(path), BAD_NAME, 'Give it another name.');
      return undefined;
    }
    if (!isObject(value)) {
      refuse(this.at(path), 'it is not an object', 'Write {"job": …, "options": {…}}.');
      return undefined;
    }
    const strange = Object.keys(value).find((each) => !STEP_FIELDS.includes(each));
    if (strange !== undefined) {
      refuse(this.at([...path, strange]), `a step has no “${strange}”`, `Name one of ${STEP_FIELDS.join(', ')}.`);
    }
    const { job, options = {}, after = [], description } = value;
    const kind = STEP_KINDS.find((each) => each === job);
    if (kind === undefined) {
      {
        refuse(
          this.at([...path, 'job']),
          'its “job” is none that Coppice has',
          `Name one of ${STEP_KINDS.join(', ')}.`,
        );
        return undefined;
      }
    }
    if (!isObject(options)) {
      refuse(this.at([...path, 'options']), 'its options are not an object', 'Write {…}.');
      return undefined;
    }
    if (!Array.isArray(after) || !after.every((each) => typeof each === 'string')) {
      {
        refuse(this.at([...path, 'after']), '“after” must be a list of names of steps', 'Write ["name"].');
        return undefined;
      }
    }
    return {
      name,
      job: kind satisfies Kind,
      ...(typeof description === 'string' && { description }),
      options,
      limits: this.limits([...path, 'limits']),
      after,
    };
  }

  tables(): RecipeTable[] {
    const found = this.field('tables') ?? [];
    const faults = faultsOfTables(found);
    for (const { path, why, action } of faults) {
      this.add(this.at(['tables', ...path]), 'The tables cannot be used', why, action);
    }
    return faults.length > 0 ? [] : (found as RecipeTable[]);
  }

  checkTop(recipe: Recipe): void {
    const version = this.field('coppice');
    if (version !== RECIPE_VERSION) {
      const why = version === undefined ? 'there is no field “coppice”' : '“coppice” has another number';
      this.add(
        this.at(['coppice']),
        'The version of the recipe is not known',
        why,
        `Add "coppice": ${RECIPE_VERSION}.`,
      );
    }
    for (const strange of Object.keys(this.value as JsonObject).filter((name) => !FIELDS.includes(name))) {
      const why = `a recipe has ${FIELDS.join(', ')}`;
      this.add(this.at([strange]), `A recipe has no “${strange}”`, why, 'Leave it out.');
    }
    for (const name of Object.keys(recipe.quick).filter((each) => !Object.hasOwn(recipe.variables, each))) {
      const why = '“quick” only replaces values of “variables”';
      this.add(this.at(['quick', name]), `There is no variable “${name}”`, why, 'Add it to “variables” too.');
    }
  }

  places(): StepPlace[] {
    const found = this.at(['steps'])?.children ?? [];
    return found.flatMap(({ children = [], offset, length }) => {
      const [key] = children;
      if (typeof key?.value !== 'string') return [];
      return [{ name: key.value, offset: key.offset, length: key.length, end: offset + length }];
    });
  }

  private field(name: string): unknown {
    return valueAt(this.value, [name]);
  }
}

const BAD_NAME =
  'a name has letters, digits, _ and -, and begins with a letter; “steps” and “model” are taken, ' +
  `of steps also ${RESERVED_NAMES.join(', ')}`;

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (found, part) => (isObject(found) && Object.hasOwn(found, part) ? found[part] : undefined),
    value,
  );
}

/** A text with a NUL, which stands for something else where keys are made, and which no path has. */
function withZero(node: Node): Node | undefined {
  if (typeof node.value === 'string') return node.value.includes('\0') ? node : undefined;
  for (const child of node.children ?? []) {
    const found = withZero(child);
    if (found) return found;
  }
  return undefined;
}

/** The value of a node, without prototypes of names such as "__proto__". */
function plainValue(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(plainValue);
  if (node.type !== 'object') return node.value as unknown;
  const entries = (node.children ?? []).flatMap(({ children = [] }): [string, unknown][] => {
    const [key, value] = children;
    return key === undefined || value === undefined ? [] : [[String(key.value), plainValue(value)]];
  });
  return Object.fromEntries(entries);
}
