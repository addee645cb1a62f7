/** Ascending whole numbers as runs of neighbours, and as text. */

/** The runs of consecutive numbers, each with its end behind the last one: [3, 5, 6] gives [3, 4) and [5, 7). */
export function slicesOf(ascending: readonly number[]): [start: number, end: number][] {
  const slices: [number, number][] = [];
  for (const number of ascending) {
    const last = slices.at(-1);
    if (last?.[1] === number) last[1] = number + 1;
    else slices.push([number, number + 1]);
  }
  return slices;
}

/** "3, 5-8, 11" @param dash between the first and the last of a run */
export const numberRanges = (ascending: readonly number[], dash = '-'): string =>
  slicesOf(ascending)
    .map(([start, end]) => (end - start === 1 ? String(start) : `${start}${dash}${end - 1}`))
    .join(', ');
