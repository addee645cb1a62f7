/** `--part 3/8` of the jobs whose work can be cut. */
import { type Command, InvalidArgumentError } from 'commander';
import { MAX_PARTS, parsePart, type Part } from '../engine/parts/part';
import { type CutKind, isShared } from '../jobs/parts/part-record';

export interface PartOption {
  readonly part?: Part;
  /** Where parts that go on together meet. */
  readonly folder?: string;
}

export function addPartOption(command: Command, kind: CutKind): void {
  const where = isShared(kind)
    ? 'together with the others in a folder (--folder)'
    : 'and write its partial record (--record)';
  command.option(
    '--part <i/n>',
    `compute only the i-th of n parts of the work, ${where}; coppice gather joins them`,
    (text) => {
      const part = parsePart(text);
      if (part) return part;
      throw new InvalidArgumentError(`It must be a part such as 3/8: from 1/n to n/n, and n at most ${MAX_PARTS}.`);
    },
  );
  if (!isShared(kind)) return;
  command.option(
    '--folder <dir>',
    'with --part: folder where all parts meet, with their records; every machine sees it. A part that no process computes is computed by one that waits for it',
  );
}
