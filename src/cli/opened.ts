/** A checkpoint as the computing commands need it, and what each of them measures of itself. */
import { type OpenedModel, openForComputing, type ModelSelection } from '../engine/model/opened';
import { parseRemoved } from '../engine/model/view';
import { asUsage } from './failure';

/** More blocks than any model has: lists are read with it to check their form alone. */
export const ANY_BLOCKS = 1000;

/**
 * Opens what `--remove` and `--adapter` ask for.
 * @throws UserError when the checkpoint cannot be read or computed with, lacks such blocks, or is not the adapter's;
 *   UsageError for no list
 */
export function openForCommand(path: string, options: ModelSelection): Promise<OpenedModel> {
  const { remove } = options;
  if (remove !== undefined) asUsage(() => parseRemoved(remove, ANY_BLOCKS));
  return openForComputing(path, options);
}

export const secondsSince = (start: number): number => (performance.now() - start) / 1000;
