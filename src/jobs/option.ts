/** Options of jobs: the kinds of their values and their further details. Pure: it imports nothing at run time. */
import type { OptionName } from '../engine/option-token';

/** The valid values of an option, as data. */
export type ValueKind =
  | { readonly kind: 'text' }
  /** A path on this machine. */
  | {
      readonly kind: 'path';
      readonly of: 'file' | 'folder' | 'checkpoint';
      /** Words that are valid in place of a path: "self". */
      readonly words?: readonly string[];
      /** A list of blocks is valid in place of a path: "13-18". */
      readonly blocks?: true;
    }
  | { readonly kind: 'flag' }
  /** A whole number. */
  | { readonly kind: 'whole'; readonly min: number; readonly max?: number; readonly why?: string }
  /** A number. The range excludes `above` and `below`, and includes `min` and `max`. */
  | {
      readonly kind: 'number';
      readonly above?: number;
      readonly min?: number;
      readonly below?: number;
      readonly max?: number;
      /** Words that are valid in place of a number. */
      readonly words?: readonly string[];
    }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  /** Whole blocks, 0-based. */
  | { readonly kind: 'blocks' }
  /** Whole blocks by number, and modules by name: 10, "12.ffn". */
  | { readonly kind: 'parts' }
  /** Bytes; "2GB" on the command line. */
  | { readonly kind: 'bytes' }
  /** A number of parameters; "5.4B" on the command line. */
  | { readonly kind: 'parameters' }
  /** A value that only programs give; not available on the command line. */
  | { readonly kind: 'data' }
  /** Models with labels, side by side; on the command line each is JSON with its own flag. */
  | { readonly kind: 'models' }
  /** Several values, separated by commas; if `repeated`, each has its own flag. */
  | {
      readonly kind: 'list';
      readonly of: ValueKind;
      readonly repeated?: boolean;
      /** One flag takes several values of it: `--texts a b`. */
      readonly several?: boolean;
      readonly length?: number;
      readonly expected?: string;
    };

/** Details of an option besides its kind. */
export interface Details<T> {
  /** Default value. */
  readonly default?: T;
  readonly required?: true;
  /** An argument of the command line, without a flag. */
  readonly argument?: true;
  /** Placeholder for its value in the help: "n". */
  readonly placeholder?: string;
  /** Names of options that must not be given with it. */
  readonly conflicts?: readonly string[];
  /** An option in whose presence it is not required. */
  readonly unless?: string;
  /** An option that must be given with it. */
  readonly needs?: string;
  /** The value, as text, of a flag that stands alone: "--probes". */
  readonly alone?: string;
  /** Heading in the help. */
  readonly group?: string;
  /** Hidden in the help; accepted so that a script can pass the same options to every command. */
  readonly hidden?: true;
  /** A flag that was on by default before: the one that turned it off still works. */
  readonly wasOn?: true;
  /** Its earlier name on the command line, which still works. */
  readonly formerly?: string;
  /** Omitted in a copied command line if it has its default. */
  readonly implied?: true;
  /** The editor's name for an option without a setting, translated. */
  readonly noun?: () => string;
  /** The VS Code setting with its default: "coppice.memoryLimit". */
  readonly setting?: string;
  /** By which the editor finds that setting in messages, where other jobs have an option of the same name without it. */
  readonly token?: OptionName;
  /** The record's settings include it unchanged. */
  readonly recorded?: true;
  /** A path that the job writes to. */
  readonly writes?: true;
  /** A file from which a stopped run goes on. It is not an output. */
  readonly resumesFrom?: true;
  /** It writes there only if it is asked to, and a step of a recipe is: always, or if it names no other output. */
  readonly usual?: 'always' | 'alone';
  /** Another machine has it otherwise. It changes the speed alone, or the last digits of numbers too. */
  readonly machine?: 'speed' | 'digits';
  /** Says how a run came to its end: the job is the same without it. */
  readonly passing?: true;
  /** Only who runs the job gives it: recipes have no such option. */
  readonly byHand?: true;
}

export type Presence = 'required' | 'default' | 'optional';

/** An option of a job. The type parameters are those of its value. */
export interface Option<T = unknown, P extends Presence = Presence> extends Details<unknown> {
  readonly kind: ValueKind;
  readonly help: string;
  /** For the type system only; never set. */
  readonly value?: T;
  readonly presence?: P;
}

/** Whether another machine has the option otherwise: it is no part of what a run was asked for. */
export const isOfMachine = (option: Option | undefined): boolean => option?.machine !== undefined;

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

/** A file, or one of some words in its place. */
export const fileOr = <const D extends Details<string> = object>(
  words: readonly string[],
  help: string,
  details?: D,
): Made<string, D> => make({ kind: 'path', of: 'file', words }, help, details);

/** A checkpoint, or in its place one of some words or a list of blocks. */
export const checkpointOr = <const D extends Details<string> = object>(
  words: readonly string[],
  help: string,
  details?: D,
): Made<string, D> => make({ kind: 'path', of: 'checkpoint', words, blocks: true }, help, details);

/** "13-18", "4,10" */
const BLOCKS = /^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/;

/** Whether a text is a list of blocks. */
export const isBlocks = (value: string): boolean => BLOCKS.test(value);

/** Whether a value stands in place of a path of this kind. */
export const standsForPath = (
  { words, blocks }: Pick<Extract<ValueKind, { kind: 'path' }>, 'words' | 'blocks'>,
  value: string,
): boolean => words?.includes(value) === true || (blocks === true && isBlocks(value));

/** A folder, or one of some words in its place. */
export const folderOr = <const D extends Details<string> = object>(
  words: readonly string[],
  help: string,
  details?: D,
): Made<string, D> => make({ kind: 'path', of: 'folder', words }, help, details);

/** A folder, a .safetensors file, an index or a .gguf file. Coppice never writes into it. */
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

/** A number above 0, or one of some words. */
export const numberOr = <const W extends string, const D extends Details<number | W> = object>(
  words: readonly W[],
  help: string,
  details?: D,
): Made<number | W, D> => make({ kind: 'number', above: 0, words }, help, details);

/** A share of something: above 0, and at most 1. */
export const share = <const D extends Details<number> = object>(help: string, details?: D): Made<number, D> =>
  make({ kind: 'number', above: 0, max: 1 }, help, details);

/** A share that leaves a rest: above 0 and below 1. */
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

/** One of several models to compare. */
export interface LabelledModel {
  /** The user's name for it. */
  readonly label: string;
  readonly checkpoint: string;
  /** Blocks and modules to leave out. */
  readonly remove?: readonly (number | string)[];
  /** File of the width that is kept. */
  readonly width?: string;
  /** File of healed weights of the model. */
  readonly heal?: string;
  /** Folder of an adapter for the model. */
  readonly adapter?: string;
  /** Use the adapter although it was trained on other files. */
  readonly otherBase?: boolean;
}

export const models = <const D extends Details<never> = object>(
  help: string,
  details?: D,
): Made<readonly LabelledModel[], D> => make({ kind: 'models' }, help, details);

/** A value that only programs give; not available on the command line. */
export const data = <T>(help: string): Made<T, object> => make({ kind: 'data' }, help, undefined);

/** Several values of another option's kind. */
export const list = <T, const D extends Details<readonly T[]> & ListShape = object>(
  of: Option<T>,
  help: string,
  details?: D,
): Made<readonly T[], D> => {
  const { repeated, several, length, expected }: ListShape = details ?? {};
  return make({ kind: 'list', of: of.kind, repeated, several, length, expected }, help, details);
};

interface ListShape {
  readonly repeated?: boolean;
  readonly several?: boolean;
  /** The required number of values. */
  readonly length?: number;
  /** Valid values, for the message. */
  readonly expected?: string;
}
