/** An object without the properties that have no value, so that it is equal to one that never had them. Pure. */
export const defined = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
