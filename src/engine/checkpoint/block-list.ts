/** Lists of 0-based block numbers as users write and read them: "0-3,28" and half-open slices [0, 10) [12, 30). */
import { UserError } from '../errors';
import { command } from '../option-token';

/** A half-open range of blocks: includes `start`, excludes `end`. */
export type Slice = readonly [start: number, end: number];

/**
 * Reads "0-3,28" (inclusive ranges, as written on the command line) for a model of `blocks` blocks.
 * Ascending and without duplicates. `option` names the setting in messages.
 * @throws UserError for anything but numbers and ranges inside the model.
 */
export function parseBlockList(text: string, blocks: number, option: string): number[] {
  const found = new Set<number>();
  for (const item of text.split(',')) {
    const match = /^\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?$/.exec(item);
    if (!match) {
      throw new UserError(
        `${option} "${text}" cannot be read`,
        `"${item.trim()}" is neither a block number nor a range`,
        `Write 0-based block numbers and inclusive ranges, such as ${option} 0-3,28.`,
      );
    }
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (last < first) {
      throw new UserError(
        `${option} "${text}" cannot be read`,
        `the range ${item.trim()} ends before it starts`,
        `Write it as ${last}-${first}.`,
      );
    }
    requireBlocks([last], blocks, `${option} "${text}"`);
    for (let block = first; block <= last; block++) found.add(block);
  }
  return [...found].sort((a, b) => a - b);
}

/** Throws a UserError if `list` has a number that is not a block of a model of `blocks` blocks. */
export function requireBlocks(list: readonly number[], blocks: number, what: string): void {
  const outside = list.find((block) => !Number.isInteger(block) || block < 0 || block >= blocks);
  if (outside === undefined) return;
  throw new UserError(
    `${what} names a block that does not exist`,
    `block ${outside} is not one of 0 to ${blocks - 1}`,
    `Block numbers start at 0; \`${command('inspect')}\` lists them.`,
  );
}

/** Every block of the model that is not in `removed`, ascending. */
export function keptBlocks(blocks: number, removed: Iterable<number>): number[] {
  const gone = new Set(removed);
  return Array.from({ length: blocks }, (_, block) => block).filter((block) => !gone.has(block));
}
