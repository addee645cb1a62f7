/** Rectangles of a table in the data of parts. */
import { type Filled, filledIn, TableFault } from '../../engine/parts/table';

/** @throws TableFault for data that are no rectangles */
export const filledOf = (data: readonly unknown[]): Filled[] =>
  data.flatMap((part, p) => {
    if (!Array.isArray(part)) throw new TableFault(`data ${p + 1} is not a list`);
    return part.map((value: unknown, i) => {
      const filled = filledIn(value);
      if (!filled) throw new TableFault(`data ${p + 1} has no numbers in place ${i}`);
      return filled;
    });
  });
