/** Where steps write. */
import { basename } from 'node:path';
import type { AnyJob } from '../../jobs/define';
import { JOBS } from '../../jobs/definitions';
import type { Kind } from '../../jobs/kinds';
import { productOptions, usualOutputs } from '../outputs';
import { RECIPE_SUFFIX } from '../recipe';
import type { OutputOf } from './draft';
import type { DraftStep } from './maker';

/** "model" of "model.coppice.json". */
export const nameOfRecipe = (file: string): string =>
  basename(file).endsWith(RECIPE_SUFFIX) ? basename(file, RECIPE_SUFFIX) : basename(file, '.json');

/**
 * Outputs of a step that it would not have by itself, in its own folder. The places of the runs are taken: what they
 * wrote is still there.
 * @param recipe path of the recipe's file
 */
export function ownOutputs({ job: kind, name, options, writes }: DraftStep, recipe: string): Record<string, string> {
  const job: AnyJob = JOBS[kind];
  const placeOf = (option: string): string => {
    const end = isFile(job, option) ? endOf(writes[option]) : '';
    const file = option === 'out' || end.startsWith(`.${option}`) ? name : `${name}-${option}`;
    return `.coppice/${nameOfRecipe(recipe)}/${name}/${file}${end}`;
  };
  const needed: Record<string, string> = {};
  // Naming one output may take away that of another, so it is asked until nothing is missing.
  for (;;) {
    const usual = usualOutputs(kind, { ...options, ...needed }, '', name);
    const missing = Object.keys(writes).find((option) => needed[option] === undefined && usual[option] === undefined);
    if (missing === undefined) return needed;
    needed[missing] = placeOf(missing);
  }
}

/** The reference to an output of a step. */
export function outputText({ step, option, way }: OutputOf, kind: Kind): string {
  const main = productOptions(kind).find((each) => step.writes[each] !== undefined);
  return `\${steps.${step.name}${option === main ? '' : `.${option}`}}${way === '' ? '' : `/${way}`}`;
}

function isFile(job: AnyJob, option: string): boolean {
  const { kind } = job.options[option];
  return kind.kind === 'path' && kind.of === 'file';
}

/** ".patch.safetensors" */
const endOf = (path: string): string => /(\.(patch|width))?\.[a-z0-9]+$/i.exec(basename(path))?.[0] ?? '';
