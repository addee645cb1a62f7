/** Paths in the values of options. */
import { isObject } from '../format/json';
import { standsForPath, type ValueKind } from './option';

const MODEL_PATHS = ['checkpoint', 'width', 'heal', 'adapter'] as const;

/** What a path leads to. */
export type PathOf = Extract<ValueKind, { readonly kind: 'path' }>['of'];

/** Changes every path in a value of this kind; words that stand in place of a path stay. */
export function changePaths(kind: ValueKind, value: unknown, change: (path: string, of: PathOf) => unknown): unknown {
  if (kind.kind === 'path') {
    return typeof value === 'string' && !standsForPath(kind, value) ? change(value, kind.of) : value;
  }
  if (!Array.isArray(value)) return value;
  const items: readonly unknown[] = value;
  if (kind.kind === 'list') return items.map((item) => changePaths(kind.of, item, change));
  if (kind.kind !== 'models') return value;
  return items.map((model) => {
    if (!isObject(model)) return model;
    const changed = MODEL_PATHS.flatMap((name): [string, unknown][] => {
      const path = model[name];
      return typeof path === 'string' ? [[name, change(path, name === 'checkpoint' ? name : 'file')]] : [];
    });
    return { ...model, ...Object.fromEntries(changed) };
  });
}
