/** A count with what is counted: "1 text", "2 texts". */

/** @param written the count in words; its plain digits when undefined */
export const counted = (count: number, noun: string, written: (count: number) => string = String): string =>
  `${written(count)} ${noun}${count === 1 ? '' : 's'}`;
