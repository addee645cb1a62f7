/** What a recipe ships: the step that writes it, the steps that lead to it, and which measurements are of it. Pure. */
import { isObject, type JsonObject } from '../../format/json';
import { JOBS } from '../../jobs/definitions';
import type { FinishedStep, RecipeEnd, StepEnd } from '../types';

/** The step that writes what ships; undefined for a recipe that only compares, whose tables are its answer. */
export function shippingStep({ steps, recipe, model }: RecipeEnd): StepEnd | undefined {
  if (model === undefined) return undefined;
  const exported = steps.findLast(isExport);
  if (exported || recipe.tables.length > 0) return exported;
  return steps.findLast(({ job, finished }) => JOBS[job].makes?.(finished?.options ?? {}));
}

/** Whether the step writes a file for another program. */
export const isExport = ({ job }: StepEnd): boolean => JOBS[job].made?.as === 'exported';

/** The step and those whose models it was made from, the last one first. */
export function wayTo(step: StepEnd, { steps }: Pick<RecipeEnd, 'steps'>): readonly StepEnd[] {
  const way = [step];
  // What a step was made from is looked at after it, so the list grows while it is read.
  for (const { name, finished } of way) {
    const sources = [finished?.options.checkpoint, finished?.options.heal, finished?.options.adapter];
    const before = steps.filter(
      (each) => each.name !== name && each.finished?.outputs.some(({ path }) => sources.includes(path)),
    );
    way.push(...before.toReversed().filter((each) => !way.includes(each)));
  }
  return way;
}

/** Of a way, the steps whose checkpoints follow from each other. Healed weights and adapters only repeat what is left out. */
export function checkpointsOf([last, ...before]: readonly StepEnd[]): readonly StepEnd[] {
  if (last === undefined) return [];
  const from = last.finished?.options.checkpoint;
  const at = before.findIndex(({ finished }) => finished?.outputs.some(({ path }) => path === from));
  return at < 0 ? [last] : [last, ...checkpointsOf(before.slice(at))];
}

export const NOT_MEASURED = 'not measured';

/** The models of a step over several, with their checkpoints. */
export function modelsIn({ finished, result }: StepEnd): { readonly checkpoint: string; readonly found: JsonObject }[] {
  const paths: readonly unknown[] = Array.isArray(finished?.options.checkpoints) ? finished.options.checkpoints : [];
  const list: readonly unknown[] = Array.isArray(result?.models) ? result.models : [];
  return paths.flatMap((checkpoint, at) => {
    const found = list[at];
    return typeof checkpoint === 'string' && isObject(found) ? [{ checkpoint, found }] : [];
  });
}

/** Of which model a step measures. */
export type Whose = 'original' | 'shipped' | 'unwritten';

/** Tells measurements of the original, of what ships, and of the model that was written as what ships. */
export class Models {
  private readonly keys: ReadonlyMap<string, Whose>;

  constructor({ model }: RecipeEnd, shipping: FinishedStep | undefined) {
    // The original comes last: without a change the model that is written is the original.
    this.keys = new Map([
      ...(shipping ? [[keyOf(shipping.options), 'unwritten'] as const] : []),
      ...(shipping?.outputs ?? []).map(({ path }) => [keyOf({ checkpoint: path }), 'shipped'] as const),
      [keyOf({ checkpoint: model ?? '' }), 'original'],
    ]);
  }

  of(options: JsonObject): Whose | undefined {
    return this.keys.get(keyOf(options));
  }
}

/** A checkpoint with what is left out of it and put on top of it. */
const keyOf = ({ checkpoint, remove, heal, adapter, width }: JsonObject): string =>
  JSON.stringify([checkpoint, Array.isArray(remove) && remove.length > 0 ? remove : null, heal, adapter, width]);
