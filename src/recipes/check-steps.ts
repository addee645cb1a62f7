/** Checks the steps of a recipe without running any: what they name, their order, and the options of their jobs. */
import { UserError } from '../engine/errors';
import { isObject } from '../format/json';
import { completeOptions, movedFault } from '../jobs/complete';
import type { AnyJob } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import type { ValueKind } from '../jobs/option';
import { fieldFault, itemFault, type Use } from './check-fields';
import { halfChoiceFaults, moduleScoresFaults } from './check-modules';
import { measuresOf } from './limits';
import { asListed, fromText, withUsual } from './options';
import { inOrder } from './order';
import { hasMainOutput, productOptions } from './outputs';
import type { Json, Recipe, RecipeStep } from './recipe';
import { type Reference, referencesIn, substitute } from './references';
import { isEach, type RecipeRow, type RecipeTable } from './table';
import { someNames } from './text-limits';

/** A fault and the value that it is about, as a path in the recipe. */
export interface StepFault {
  readonly path: readonly (string | number)[];
  readonly what: string;
  readonly why: string;
  readonly action: string;
}

/** @param hidden steps and variables that are there and cannot be used: what names them is right so far */
export function checkSteps(recipe: Recipe, hidden: ReadonlySet<string> = new Set()): StepFault[] {
  const own: Checked = { recipe, hidden };
  const names = recipe.steps.flatMap((step) => referenceFaults(own, step));
  const tables = recipe.tables.flatMap((table, at) => tableFaults(own, table, ['tables', at]));
  const others = [
    ...(['title', 'description', 'model', 'limits'] as const).flatMap((name) =>
      faultsOfReferences(own, recipe[name], [name]),
    ),
    ...variableFaults(recipe),
  ];
  const found = [...names, ...tables, ...others];
  const isWhole = found.length === 0 && hidden.size === 0;
  const { circle } = isWhole ? inOrder(recipe.steps) : { circle: [] };
  if (circle.length > 0) {
    const why = `it needs itself: ${circle.join(' → ')}`;
    return [
      { path: ['steps', circle[0]], what: `The step “${circle[0]}” cannot run`, why, action: 'Break the circle.' },
    ];
  }
  // The options of a step that names nothing, or something that cannot be used, have no values to check.
  const isKnown = (step: RecipeStep): boolean =>
    !names.some(({ path }) => path[1] === step.name) &&
    !referencesIn(step.options).some((each) => hidden.has(each.kind === 'step' ? each.step : each.name));
  return [
    ...found,
    ...recipe.steps.flatMap((step) => [
      ...(isKnown(step)
        ? [...optionFaults(recipe, step), ...moduleScoresFaults(recipe, step), ...halfChoiceFaults(recipe, step)]
        : []),
      ...limitFaults(step),
    ]),
    ...sharedOutputs(recipe),
  ];
}

interface Checked {
  readonly recipe: Recipe;
  readonly hidden: ReadonlySet<string>;
}

/** Outputs that two steps would write: the second would find a file that is not its own. */
function sharedOutputs({ steps }: Recipe): StepFault[] {
  const first = new Map<unknown, string>();
  return steps.flatMap(({ name, job, options }) =>
    productOptions(job).flatMap((option): StepFault[] => {
      const place = options[option];
      const other = first.get(place);
      if (typeof place !== 'string') return [];
      first.set(place, other ?? name);
      if (other === undefined) return [];
      return [
        {
          path: ['steps', name, 'options', option],
          what: `The output of “${name}” is that of “${other}”`,
          why: 'two steps cannot write to one place',
          action: 'Give it another, or leave it out for one in .coppice.',
        },
      ];
    }),
  );
}

function referenceFaults(own: Checked, step: RecipeStep): StepFault[] {
  const { recipe, hidden } = own;
  const path = ['steps', step.name];
  const after = step.after
    .filter((name) => !hidden.has(name) && !recipe.steps.some((each) => each.name === name))
    .map((name) => noStep(recipe, name, [...path, 'after']));
  const options = Object.entries(step.options).flatMap(([name, value]) =>
    faultsOfReferences(own, value, [...path, 'options', name], 'value'),
  );
  return [...after, ...options, ...faultsOfReferences(own, step.limits, [...path, 'limits'])];
}

function noStep(recipe: Recipe, name: string, path: StepFault['path']): StepFault {
  const why = `the steps are ${someNames(recipe.steps.map((each) => each.name))}`;
  return { path, what: `There is no step “${name}”`, why, action: 'Name one of them.' };
}

/** References in the cells of a table, in its texts, and in its repeated rows. */
function tableFaults(own: Checked, { rows, ...texts }: RecipeTable, path: StepFault['path']): StepFault[] {
  const ofRows = rows.flatMap((row, at) => {
    const { each, ...shown } = row;
    const place = [...path, 'rows', at];
    return [
      ...faultsOfReferences(own, each, [...place, 'each'], 'list'),
      ...faultsOfReferences(own, shown, place, 'shown', row),
    ];
  });
  return [...faultsOfReferences(own, texts, path, 'shown'), ...ofRows];
}

/**
 * The faults of all references in a value, each at the text that has it.
 * @param use undefined where steps cannot be named @param row the row of a table that it is in
 */
function faultsOfReferences(
  own: Checked,
  value: unknown,
  path: StepFault['path'],
  use?: Use,
  row?: RecipeRow,
): StepFault[] {
  if (Array.isArray(value)) return value.flatMap((each, at) => faultsOfReferences(own, each, [...path, at], use, row));
  if (isObject(value)) {
    return Object.entries(value).flatMap(([name, each]) => faultsOfReferences(own, each, [...path, name], use, row));
  }
  return referencesIn(value).flatMap((reference) => {
    const fault =
      reference.kind === 'variable'
        ? variableFault(own, reference.name, path, row)
        : stepFault(own, reference, path, use);
    return fault ? [{ path, ...fault }] : [];
  });
}

type Fault = Omit<StepFault, 'path'>;

function variableFault(
  { recipe, hidden }: Checked,
  name: string,
  path: StepFault['path'],
  row: RecipeRow | undefined,
): Fault | undefined {
  if (name === 'model' && path[0] !== 'model') return recipe.model === undefined ? noModel(path) : undefined;
  // That a row has items is checked with the tables.
  if (path[0] === 'tables' && isEach(name)) return row && itemFault(recipe, row, name);
  if (Object.hasOwn(recipe.variables, name) || hidden.has(name)) return undefined;
  const known = Object.keys(recipe.variables);
  const why = known.length === 0 ? 'the recipe has no variables' : `the variables are ${someNames(known)}`;
  return { what: `There is no variable “${name}”`, why, action: 'Add it to “variables”.' };
}

function stepFault(
  { recipe, hidden }: Checked,
  { step, fields }: StepReference,
  path: StepFault['path'],
  use: Use | undefined,
): Fault | undefined {
  if (use === undefined) {
    const what = `“${step}” cannot be named here`;
    return { what, why: 'this is needed before any step runs', action: 'Name a variable.' };
  }
  const found = recipe.steps.find(({ name }) => name === step);
  if (!found) return hidden.has(step) ? undefined : noStep(recipe, step, path);
  if (fields.length > 0) return fieldFault(found, fields, use);
  if (hasMainOutput(found.job, found.options)) return undefined;
  const who = found.options.dryRun === true ? 'a dry run' : `a step of ${found.job}`;
  return {
    what: `“\${steps.${step}}” names nothing`,
    why: `${who} writes no file that others read`,
    action: `Name a field of its result: \${steps.${step}.FIELD}.`,
  };
}

const noModel = (path: StepFault['path']): StepFault => ({
  path,
  what: 'There is no model',
  why: '“${model}” is named, and the recipe has no “model”',
  action: 'Add "model": the path of a checkpoint.',
});

/** Variables may not name others, so that their order means nothing. */
const variableFaults = ({ variables, quick }: Recipe): StepFault[] =>
  (
    [
      ['variables', variables],
      ['quick', quick],
    ] as const
  ).flatMap(([where, values]) =>
    Object.entries(values)
      .filter(([, value]) => referencesIn(value).length > 0)
      .map(([name]) => ({
        path: [where, name],
        what: `The variable “${name}” cannot be used`,
        why: 'the value of a variable names nothing else',
        action: 'Write its value.',
      })),
  );

function optionFaults(recipe: Recipe, step: RecipeStep): StepFault[] {
  const job: AnyJob = JOBS[step.job];
  const path = ['steps', step.name, 'options'];
  const byHand = Object.keys(step.options).find((name) =>
    Object.hasOwn(job.options, name) ? job.options[name].byHand : false,
  );
  if (byHand !== undefined) {
    return [
      {
        path: [...path, byHand],
        what: `A step cannot have the option “${byHand}”`,
        why: 'a recipe may come from someone else, and only who runs it says where programs come from',
        action: 'Leave it out, and give it to `coppice run`.',
      },
    ];
  }
  const moved = Object.entries(job.moved ?? {}).find(([name]) => Object.hasOwn(step.options, name));
  if (moved) {
    const [name, to] = moved;
    const fault = movedFault(`A step of ${step.job}`, `“${name}”`, to);
    const action = typeof to === 'string' ? `Make it a step of ${to}, as of \`coppice ${to}\`.` : fault.action;
    return [{ ...fault, path: [...path, name], action }];
  }
  const strange = Object.keys(step.options).find((name) => !Object.hasOwn(job.options, name));
  if (strange !== undefined) {
    const known = Object.entries(job.options).filter(
      ([, { hidden, byHand, kind }]) => !hidden && !byHand && kind.kind !== 'data',
    );
    const why = `its options are ${known.map(([name]) => name).join(', ')}`;
    return [
      {
        path: [...path, strange],
        what: `A step of ${step.job} has no option “${strange}”`,
        why,
        action: 'Leave it out.',
      },
    ];
  }
  return [recipe.variables, ...(Object.keys(recipe.quick).length > 0 ? [{ ...recipe.variables, ...recipe.quick }] : [])]
    .map((variables) => faultWith(recipe, step, variables))
    .filter((fault) => fault !== undefined)
    .slice(0, 1);
}

/** The fault that the job finds, with stand-ins for what other steps give. */
function faultWith(recipe: Recipe, step: RecipeStep, variables: Recipe['variables']): StepFault | undefined {
  const job: AnyJob = JOBS[step.job];
  const path = ['steps', step.name, 'options'];
  try {
    const given = Object.entries(step.options).flatMap(([name, value]): [string, Json][] => {
      const { kind } = job.options[name];
      const valueOf = (reference: Reference): Json =>
        reference.kind === 'step' ? standIn(kind, reference) : valueIn(variables, reference.name, recipe);
      return [[name, asListed(kind, fromText(kind, substitute(value, valueOf), `“${name}”`))]];
    });
    const options = withUsual(step, Object.fromEntries(given), { model: recipe.model ?? '', folder: 'steps' });
    if (recipe.model === undefined && options.checkpoint === '') return noModel(path);
    completeOptions(job, options);
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { what, why, action } = error;
    const named = Object.keys(step.options).find((name) => what.includes(name));
    return {
      path: named === undefined ? path : [...path, named],
      what: `The step “${step.name}”: ${what}`,
      why,
      action,
    };
  }
}

/** A variable may be null: then the option is left out. */
const valueIn = (variables: Recipe['variables'], name: string, { model = '' }: Recipe): Json =>
  Object.hasOwn(variables, name) ? variables[name] : model;

type StepReference = Extract<Reference, { readonly kind: 'step' }>;

/** A value that is valid for any option of the kind, where the real one is known later. */
function standIn(kind: ValueKind, reference?: StepReference): Json {
  switch (kind.kind) {
    case 'whole':
      return Math.max(kind.min, 1);
    case 'number':
      return (kind.below ?? kind.max ?? 1 > 0.5) ? 0.5 : (kind.min ?? 1);
    case 'flag':
      return true;
    case 'choice':
      return kind.choices[0];
    case 'blocks':
    case 'parts':
      return [0];
    case 'bytes':
      return 2 ** 30;
    case 'parameters':
      return 1e6;
    case 'list':
      return kind.repeated || kind.of.kind !== 'path' ? [standIn(kind.of)] : standIn(kind.of);
    case 'models':
      // Within a model, what is removed is a list, and all else a path or a label.
      return reference?.fields.at(-1) === 'removed' ? [0] : 'file';
    default:
      return 'file';
  }
}

function limitFaults(step: RecipeStep): StepFault[] {
  const measured = measuresOf(step.job, step.options);
  return Object.keys(step.limits)
    .filter((name) => !measured.some((each) => each === name))
    .map((name) => ({
      path: ['steps', step.name, 'limits', name],
      what: `“${name}” cannot be judged`,
      why: `a step of ${step.job} does not measure it`,
      action:
        isObject(step.options) && measured.length > 0
          ? `It measures ${measured.join(', ')}.`
          : 'Put it into another step.',
    }));
}
