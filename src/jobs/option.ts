/** Options of jobs: the kinds of their values and their further details. Pure: it imports nothing at run time. */

/** The values that an option takes, as data. */
export type ValueKind =
  | { readonly kind: 'text' }
  /** A path on this machine. */
  | { readonly kind: 'path'; readonly of: 'file' | 'folder' | 'checkpoint' }
  | { readonly kind: 'flag' }
  /** A whole number. */
  | { readonly kind: 'whole'; readonly min: number; readonly max?: number; readonly why?: string }
  /** A number; `above` and `below` are not in the range, `min` and `max` are. */
  | {
      readonly kind: 'number';
      readonly above?: number;
      readonly min?: number;
      readonly below?: number;
      readonly max?: number;
    }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  /** Whole blocks, 0-based. */
  | { readonly kind: 'blocks' }
  /** Whole blocks by number, and modules by name: 10, "12.ffn". */
  | { readonly kind: 'parts' }
  /** Bytes; "2GB" at the command line. */
  | { readonly kind: 'bytes' }
  /** A count of parameters; "5.4B" at the command line. */
  | { readonly kind: 'parameters' }
  /** A value that only programs give; no command line has it. */
  | { readonly kind: 'data' }
  /** Models under labels, side by side: not at the command line. */
  | { readonly kind: 'models' }
  /** Several values: separated by commas, or each with the flag again where `repeated`. */
  | {
      readonly kind: 'list';
      readonly of: ValueKind;
      readonly repeated?: boolean;
      readonly length?: number;
      readonly expected?: string;
    };

/** Details of an option besides its kind. */
export interface Details<T> {
  /** Used where nothing is given. */
  readonly default?: T;
  readonly required?: true;
  /** The command line takes it without a flag. */
  readonly argument?: true;
  /** What stands for its value in the help: "n". */
  readonly placeholder?: string;
  /** Names of options that must not be given with it. */
  readonly conflicts?: readonly string[];
  /** An option that must be given with it. */
  readonly needs?: string;
  /** Heading in the help. */
  readonly group?: string;
  /** Not in the help: taken so that a script can pass the same to every command. */
  readonly hidden?: true;
  /** Its earlier name at the command line, which still works. */
  readonly formerly?: string;
  /** Not in a copied command line where it has its default. */
  readonly implied?: true;
  /** The setting of VS Code that gives its default: "coppice.memoryLimit". */
  readonly setting?: string;
  /** The record's settings have it as it is. */
  readonly recorded?: true;
}

export type Presence = 'required' | 'default' | 'optional';

/** An option of a job. The type parameters are those of its value. */
export interface Option<T = unknown, P extends Presence = Presence> extends Details<unknown> {
  readonly kind: ValueKind;
  readonly help: string;
  /** For the type system only; never there. */
  readonly value?: T;
  readonly presence?: P;
}

export type Options = Readonly<Record<string, Option>>;

/** Whether the option always has a value, by its details. */
export type PresenceOf<D> = D extends { readonly required: true }
  ? 'required'
  : D extends { readonly default: unknown }
    ? 'default'
    : 'optional';

type Made<T, D> = Option<T, PresenceOf<D>>;

const make = <T, D>(kind: ValueKind, help: string, details: D | undefined): Made<T, D> => ({ ...details, kind, help });

export const text = <const D extends Details<string> = object>(help: string, details?: D): Made<string, D> =>
  make({ kind: 'text' }, help, details);

export const file = <const D extends Details<string> = object>(help: string, details?: D): Made<string, D> =>
  make({ kind: 'path', of: 'file' }, help, details);

export const folder = <const D extends Details<string> = object>(help: string, details?: D): Made<string, D> =>
  make({ kind: 'path', of: 'folder' }, help, details);

/** A folder, a .safetensors file or an index. Nothing is ever written into it. */
export const checkpoint = <const D extends Details<string> = object>(help: string, details?: D): Made<string, D> =>
  make({ kind: 'path', of: 'checkpoint' }, help, details);

export const flag = <const D extends Details<boolean> = object>(help: string, details?: D): Made<boolean, D> =>
  make({ kind: 'flag' }, help, details);

interface WholeRange {
  readonly min?: number;
  readonly max?: number;
  /** The reason for the range, for the message. */
  readonly why?: string;
}

/** A whole number, at least 1 unless the range says otherwise. */
export const whole = <const D extends Details<number> & WholeRange = object>(
  help: string,
  details?: D,
): Made<number, D> => {
  const { min = 1, max, why }: WholeRange = details ?? {};
  return make({ kind: 'whole', min, max, why }, help, details);
};

const MAX_SEED = 0xffffffff;

export const seed = <const D extends Details<number> = object>(help: string, details?: D): Made<number, D> =>
  make({ kind: 'whole', min: 0, max: MAX_SEED }, help, details);

/** A number above 0. */
export const positive = <const D extends Details<number> = object>(help: string, details?: D): Made<number, D> =>
  make({ kind: 'number', above: 0 }, help, details);

/** A number of at least 0. */
export const amount = <const D extends Details<number> = object>(help: string, details?: D): Made<number, D> =>
  make({ kind: 'number', min: 0 }, help, details);

/** A share of something: above 0, and at most 1. */
export const share = <const D extends Details<number> = object>(help: string, details?: D): Made<number, D> =>
  make({ kind: 'number', above: 0, max: 1 }, help, details);

/** A share that leaves something: above 0 and below 1. */
export const part = <const D extends Details<number> = object>(help: string, details?: D): Made<number, D> =>
  make({ kind: 'number', above: 0, below: 1 }, help, details);

/** A probability below 1; 0 turns it off. */
export const rate = <const D extends Details<number> = object>(help: string, details?: D): Made<number, D> =>
  make({ kind: 'number', min: 0, below: 1 }, help, details);

export const choice = <const C extends readonly string[], const D extends Details<C[number]> = object>(
  choices: C,
  help: string,
  details?: D,
): Made<C[number], D> => make({ kind: 'choice', choices }, help, details);

export const blocks = <const D extends Details<readonly number[]> = object>(
  help: string,
  details?: D,
): Made<readonly number[], D> => make({ kind: 'blocks' }, help, details);

export const parts = <const D extends Details<readonly (number | string)[]> = object>(
  help: string,
  details?: D,
): Made<readonly (number | string)[], D> => make({ kind: 'parts' }, help, details);

export const bytes = <const D extends Details<number> = object>(help: string, details?: D): Made<number, D> =>
  make({ kind: 'bytes' }, help, details);

export const parameters = <const D extends Details<number> = object>(help: string, details?: D): Made<number, D> =>
  make({ kind: 'parameters' }, help, details);

/** A model to work beside others. */
export interface LabelledModel {
  /** What the user calls it. */
  readonly label: string;
  readonly checkpoint: string;
  /** Blocks and modules to leave out. */
  readonly remove?: readonly (number | string)[];
  /** Folder of an adapter on top. */
  readonly adapter?: string;
  /** Use the adapter though it was trained on other files. */
  readonly otherBase?: boolean;
}

export const models = <const D extends Details<never> = object>(
  help: string,
  details?: D,
): Made<readonly LabelledModel[], D> => make({ kind: 'models' }, help, details);

/** A value that only programs give: not at the command line. */
export const data = <T>(help: string): Made<T, object> => make({ kind: 'data' }, help, undefined);

/** Several values of another option's kind. */
export const list = <T, const D extends Details<readonly T[]> & ListShape = object>(
  of: Option<T>,
  help: string,
  details?: D,
): Made<readonly T[], D> => {
  const { repeated, length, expected }: ListShape = details ?? {};
  return make({ kind: 'list', of: of.kind, repeated, length, expected }, help, details);
};

interface ListShape {
  readonly repeated?: boolean;
  /** How many there must be. */
  readonly length?: number;
  /** Valid values, for the message. */
  readonly expected?: string;
}
