/** What names find in the shape of a result, before there is one: fields by their path, and fields that limits judge. Pure. */
import type { Field, Gate } from './result';

/** The fields at a path, several where a result has one of several shapes; or the first name that there is not. */
export type FieldsAt =
  | { readonly fields: readonly Field[] }
  | {
      readonly at: number;
      readonly strange: string;
      readonly known: readonly string[];
      /** Only numbers name something there. */
      readonly isList: boolean;
    };

const NUMBER = /^-?\d+$/;

/** @param path names, and numbers of items in lists */
export function fieldsAt(field: Field, path: readonly string[]): FieldsAt {
  let fields: readonly Field[] = shapesIn(field);
  for (const [at, name] of path.entries()) {
    const next = fields.flatMap((each) => shapesBelow(each, name));
    if (next.length === 0) {
      const known = [...new Set(fields.flatMap(namesIn))];
      return { at, strange: name, known, isList: fields.some(({ kind }) => kind.kind === 'list') };
    }
    fields = next;
  }
  return { fields };
}

/** The items of lists; other fields have none. */
export const itemsOf = (fields: readonly Field[]): Field[] =>
  fields.flatMap(({ kind }) => (kind.kind === 'list' ? shapesIn(kind.of) : []));

const shapesIn = (field: Field): readonly Field[] =>
  field.kind.kind === 'either' ? field.kind.of.flatMap(shapesIn) : [field];

function shapesBelow({ kind }: Field, name: string): readonly Field[] {
  if (kind.kind === 'list') return NUMBER.test(name) ? shapesIn(kind.of) : [];
  return kind.kind === 'shape' && Object.hasOwn(kind.fields, name) ? shapesIn(kind.fields[name]) : [];
}

const namesIn = ({ kind }: Field): readonly string[] => (kind.kind === 'shape' ? Object.keys(kind.fields) : []);

/** A field that a limit judges, and where it is; '*' stands for every item of a list. */
export interface Gated extends Gate {
  readonly path: readonly string[];
}

export function gatesIn(field: Field, path: readonly string[] = []): Gated[] {
  const { kind, gate } = field;
  const own = gate ? [{ ...gate, path }] : [];
  switch (kind.kind) {
    case 'shape':
      return [...own, ...Object.entries(kind.fields).flatMap(([name, each]) => gatesIn(each, [...path, name]))];
    case 'list':
      return [...own, ...gatesIn(kind.of, [...path, '*'])];
    case 'either':
      return [...own, ...kind.of.flatMap((each) => gatesIn(each, path))];
    default:
      return own;
  }
}
