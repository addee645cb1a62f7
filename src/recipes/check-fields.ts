/** Checks the fields of results that a recipe names against what its jobs declare, before there is a result. */
import { nearest } from '../format/nearest';
import type { AnyJob } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import type { Field } from '../jobs/result';
import { fieldsAt, itemsOf } from '../jobs/result-fields';
import type { StepFault } from './check-steps';
import { productOptions } from './outputs';
import type { Recipe, RecipeStep } from './recipe';
import { type Reference, referencesIn } from './references';
import type { RecipeRow } from './table';
import { someNames } from './text-limits';

/** What a reference is for: any value, one that a table can show, or a list with a row for each item. */
export type Use = 'value' | 'shown' | 'list';

type Fault = Omit<StepFault, 'path'>;

/** Whether a step has the field; its files and its record have names, too. */
export function fieldFault({ name, job, options }: RecipeStep, fields: readonly string[], use: Use): Fault | undefined {
  const { result }: AnyJob = JOBS[job];
  const files = [...(options.dryRun === true ? [] : productOptions(job)), 'record'];
  if (fields.length === 1 && files.includes(fields[0]) && use !== 'list') return undefined;
  return faultAt([result], `steps.${name}`, fields, use, `a step of ${job}`, files);
}

/** The references of a repeated row to its item. */
export function itemFault({ steps }: Recipe, { each }: RecipeRow, name: string): Fault | undefined {
  const [list] = referencesIn(each);
  if (list?.kind !== 'step') return undefined; // the items of a variable are what they are
  const items = listItems(steps, list);
  return (
    items && faultAt(items, 'each', name.split('.').slice(1), 'shown', `an item of “${list.fields.join('.')}”`, [])
  );
}

/** Undefined for a list that there is not, which has its own fault. */
function listItems(
  steps: readonly RecipeStep[],
  { step: name, fields }: Extract<Reference, { readonly kind: 'step' }>,
): readonly Field[] | undefined {
  const step = steps.find((each) => each.name === name);
  const found = step && fieldsAt(JOBS[step.job].result, fields);
  const items = found && 'fields' in found ? itemsOf(found.fields) : [];
  return items.length === 0 ? undefined : items;
}

function faultAt(
  from: readonly Field[],
  head: string,
  path: readonly string[],
  use: Use,
  who: string,
  others: readonly string[],
): Fault | undefined {
  const asked = `\${${[head, ...path].join('.')}}`;
  const found = from.map((field) => fieldsAt(field, path));
  const fields = found.flatMap((each) => ('fields' in each ? each.fields : []));
  if (fields.length > 0) return useFault(asked, fields, use);
  const strange = found.flatMap((each) => ('fields' in each ? [] : [each]));
  const at = Math.max(...strange.map((each) => each.at));
  const deepest = strange.filter((each) => each.at === at);
  const known = [...deepest.flatMap((each) => each.known), ...(at === 0 ? others : [])];
  const owner = at === 0 ? who : `“${path.slice(0, at).join('.')}”`;
  const what = `“${asked}” names nothing`;
  if (deepest.some(({ isList }) => isList)) {
    return {
      what,
      why: `${owner} is a list, and “${path[at]}” is no number`,
      action: 'Name an item by its number, from 0.',
    };
  }
  if (known.length === 0) return { what, why: `${owner} is one value, without fields`, action: 'Name no field of it.' };
  const near = nearest(path[at], known);
  return {
    what,
    why: `${owner} has no “${path[at]}”, but ${someNames(known)}`,
    action: near === undefined ? 'Name one of them.' : `Name “${near}”.`,
  };
}

function useFault(asked: string, fields: readonly Field[], use: Use): Fault | undefined {
  const isList = ({ kind }: Field): boolean => kind.kind === 'list';
  if (use === 'list') {
    if (fields.some(isList)) return undefined;
    return { what: `“${asked}” is no list`, why: 'a row is repeated for each item of a list', action: 'Name a list.' };
  }
  const isShape = ({ kind }: Field): boolean => kind.kind === 'shape';
  if (use === 'value' || !fields.every((field) => isShape(field) || itemsOf([field]).some(isShape))) return undefined;
  const names = fields
    .flatMap((field) => [field, ...itemsOf([field])])
    .flatMap(({ kind }) => (kind.kind === 'shape' ? Object.keys(kind.fields) : []));
  const why = fields.some(isList)
    ? `it is a list of objects, each with ${someNames(names)}`
    : `it has the fields ${someNames(names)}`;
  return {
    what: `“${asked}” is not one value`,
    why,
    action: fields.some(isList) ? 'Name a field of an item, or use “each”.' : 'Name one of them.',
  };
}
