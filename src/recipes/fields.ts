/** What a reference to a finished step stands for: its main file, a file that it wrote, or a field of its result. Pure. */
import { isObject, type JsonObject } from '../format/json';
import { JOBS } from '../jobs/definitions';
import { productOptions } from './outputs';
import type { Json } from './recipe';
import type { FinishedStep } from './types';

/** @param fields of the reference; none for the main file @returns undefined if there is no such thing */
export function fieldOf(
  step: FinishedStep,
  result: JsonObject | undefined,
  fields: readonly string[],
): Json | undefined {
  const outputs = Object.fromEntries(step.outputs.map(({ option, path }) => [option, path]));
  const [first] = fields;
  if (first === undefined) return mainFile(step, outputs);
  if (fields.length === 1 && Object.hasOwn(outputs, first)) return outputs[first];
  if (fields.length === 1 && first === 'record' && step.record !== null) return step.record;
  return below(result, fields);
}

/** The scores of a score step, else the first output. */
function mainFile({ job, result }: FinishedStep, outputs: Readonly<Record<string, string>>): string | undefined {
  if (JOBS[job].givesScores) return result;
  const name = productOptions(job).find((each) => outputs[each] !== undefined);
  return name === undefined ? undefined : outputs[name];
}

/** A value inside another one; items of a list by their numbers. */
export const below = (value: unknown, fields: readonly string[]): Json | undefined =>
  fields.reduce<unknown>((found, field) => {
    if (Array.isArray(found)) return found.at(Number(field)) as unknown;
    return isObject(found) && Object.hasOwn(found, field) ? found[field] : undefined;
  }, value) as Json | undefined;
