/**
 * What a run was asked for, as its record keeps it: with these options the same run can be made again (recipes/save).
 * The settings of a record say what the numbers depend on, often in other words; they are for people and comparisons.
 */
import { relative, resolve } from 'node:path';
import type { AnyJob } from './define';
import { changePaths } from './option-paths';
import { isOfMachine } from './option';

/**
 * The options of a run without those of the machine and those that only programs give.
 * @param options complete
 * @param folder of the record: paths are relative to it, as the places of inputs are
 */
export function askedOptions(job: AnyJob, options: object, folder: string): Record<string, unknown> {
  const place = (path: string): string => relative(folder, resolve(path)) || '.';
  return Object.fromEntries(
    Object.entries(options).flatMap(([name, value]: [string, unknown]): [string, unknown][] => {
      const option = job.options[name];
      if (value === undefined || isOfMachine(option) || option.kind.kind === 'data') return [];
      return [[name, changePaths(option.kind, value, place)]];
    }),
  );
}
