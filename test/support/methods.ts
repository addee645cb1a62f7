/** Methods of classes for the length of a test. */

type Method = (...args: never[]) => unknown;

/** Puts another function in place of a method. */
export function replaced<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  by: T[K],
): { readonly restore: () => void } {
  const before = prototype[name];
  prototype[name] = by;
  return { restore: () => void (prototype[name] = before) };
}

/** Counts the calls of a method. */
export function countCalls<T extends object>(
  prototype: T,
  name: keyof T,
): { readonly count: number; readonly restore: () => void } {
  let count = 0;
  const before = prototype[name] as Method;
  const { restore } = replaced(prototype, name, function (this: T, ...args: never[]) {
    count++;
    return before.apply(this, args);
  } as T[keyof T]);
  return {
    get count() {
      return count;
    },
    restore,
  };
}
