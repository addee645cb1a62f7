/** `--part 3/8` of the jobs whose work can be cut. */
import { type Command, InvalidArgumentError } from 'commander';
import { MAX_PARTS, parsePart, type Part } from '../engine/parts/part';

export interface PartOption {
  readonly part?: Part;
}

export function addPartOption(command: Command): void {
  command.option(
    '--part <i/n>',
    'compute only the i-th of n parts of the work, and write its partial record (--record); coppice gather joins them',
    (text) => {
      const part = parsePart(text);
      if (part) return part;
      throw new InvalidArgumentError(`It must be a part such as 3/8: from 1/n to n/n, and n at most ${MAX_PARTS}.`);
    },
  );
}
