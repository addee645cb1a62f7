/** The choice that Enter takes: nobody starts an hour of work by it. Does not use VS Code. */

const QUICK_SECONDS = 120;

interface Timed<T> {
  readonly value: T;
  readonly seconds: number;
}

/**
 * The last answer if it is quick, otherwise the first quick one, or the quickest.
 * @param choices at least one, in the order of the list
 */
export function quickChoice<T>(choices: readonly Timed<T>[], last: T): T {
  const isQuick = ({ seconds }: Timed<T>): boolean => seconds < QUICK_SECONDS;
  const known = choices.find(({ value }) => value === last);
  const [quickest] = [...choices].sort((a, b) => a.seconds - b.seconds);
  return known && isQuick(known) ? last : (choices.find(isQuick) ?? quickest).value;
}
