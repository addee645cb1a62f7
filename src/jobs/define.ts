/**
 * Definition of a job: its options, each defined once, and its texts. The command line, the sidecar's messages, "Copy
 * as CLI Command", the JSON Schema and the manifest are derived from it. Pure: it imports nothing at run time.
 */
import type { CommandName } from '../engine/option-token';
import type { JsonObject } from '../format/json';
import type { Fact } from './facts';
import { type LabelledModel, type Option, type Options, type Presence, standsForPath, type ValueKind } from './option';
import type { Field } from './result';

type ValueOf<O> = O extends Option<infer T> ? T : never;
type NamesOf<O extends Options, P extends Presence> = {
  [N in keyof O]: O[N] extends Option<unknown, infer Q> ? (Q extends P ? N : never) : never;
}[keyof O];
type Flat<T> = { readonly [N in keyof T]: T[N] };

/** The option, if it excludes others. */
export const excluding = <O extends Option>(option: O, ...others: readonly string[]): O => ({
  ...option,
  conflicts: [...(option.conflicts ?? []), ...others],
});

/** The options of a caller: all required ones, and any others. */
export type Given<O extends Options> = Flat<
  { readonly [N in NamesOf<O, 'required'>]: ValueOf<O[N]> } & {
    readonly [N in NamesOf<O, 'default' | 'optional'>]?: ValueOf<O[N]>;
  }
>;

/** The same with defaults. */
export type Complete<O extends Options> = Flat<
  { readonly [N in NamesOf<O, 'required' | 'default'>]: ValueOf<O[N]> } & {
    readonly [N in NamesOf<O, 'optional'>]?: ValueOf<O[N]>;
  }
>;

/** The reason why options are invalid. Names of options are tokens (engine/option-token.ts). */
export interface Fault {
  readonly what: string;
  readonly why: string;
  readonly action: string;
}

/** Where an option is, or why it is nowhere. */
export type Moved = CommandName | Pick<Fault, 'why' | 'action'>;

/** The type of a job's events. */
export interface Events<T> {
  readonly type?: T;
}

export const events = <T>(): Events<T> => ({});

/** Steps on the way to a model that ships. */
export type WayMade = 'pruned' | 'trained' | 'exported';

/** How a model was made: an icon of VS Code, and translated words, such as "pruned, healed". */
export interface Made {
  readonly as: WayMade;
  readonly icon: string;
  words(origin: { readonly healed?: boolean; readonly adapter?: string }): string;
}

/** `short` runs beside a `long` job; nothing runs beside one that is `alone`. */
export type Lane = 'short' | 'long' | 'alone';

/** What is told of a run besides its result. */
export interface Said {
  /** Size of what it wrote, in words; empty if it wrote nothing. */
  readonly written: string;
  readonly device: string | null;
}

export interface Job<K extends string, O extends Options, R, E> {
  /** Its name in messages and records, and the name of its command. */
  readonly kind: K;
  /** A few words for the list of commands. */
  readonly summary: string;
  /** What it does, for the help. */
  readonly description: string;
  /** After the options in the help, before the examples. */
  readonly notes?: string;
  /** Arguments after `coppice KIND`, one example per line. */
  readonly examples: readonly string[];
  /** One or two words, translated: "Scoring". */
  noun(): string;
  /** A title with the model and main options, translated: "Scoring SmolLM2 by taylor". */
  title(model: string, given: Partial<Given<O>>): string;
  /** The title of a run that has ended, translated: "Scored SmolLM2 by taylor". */
  done(model: string, given: Partial<Given<O>>): string;
  /** Icon of VS Code for such a run. */
  readonly icon: string;
  /** How it made a model, in lists of models. */
  readonly made?: Made;
  /** Whether it writes a model; a job without this never does. */
  makes?(given: JsonObject): boolean;
  /** It measures a model and leaves nothing that other jobs read. */
  readonly measures?: true;
  /** Where it runs while others do; a long job if undefined. */
  lane?(given: Partial<Given<O>>): Lane;
  /** Whether it is over soon or nobody asked for it, so that a window that closes leaves nothing of it. */
  isPassing?(given: Partial<Given<O>>): boolean;
  /** Name of its step in a recipe that is made from runs; its kind if undefined. */
  readonly step?: string;
  /** Its result is scores, which other jobs choose blocks by: a step that reads it takes the whole result. */
  readonly givesScores?: true;
  /** Whether it heals, by the method of its options; a job without this never does. */
  heals?(given: JsonObject): boolean;
  /** What it did to the model that it wrote, besides removing blocks; empty for nothing. English. */
  did?(result: JsonObject): string;
  /** Why it did not do what it was asked for, if it found that this is not worth it: a limit is broken. English. */
  refuses?(result: JsonObject): string | undefined;
  /** Its result in a few words. A job without this has no main number. */
  about?(result: JsonObject, said: Said): string;
  /** The main numbers of its result, for reports; those of a written model if undefined. */
  facts?(result: JsonObject): Fact[];
  readonly options: O;
  /** The options that its application's text stands for. */
  readonly application?: (path: string, given: JsonObject) => Readonly<Record<string, unknown>>;
  /** Options that it does not have, or no longer, each with the job that does that, or with what to do. */
  readonly moved?: Readonly<Record<string, Moved>>;
  /** True if the job has no command, because the command line cannot express some of its options. */
  readonly sidecarOnly?: true;
  /** Checks combinations of options that are valid one by one. */
  check?(options: Complete<O>): Fault | undefined;
  /** What `--json` prints. */
  readonly result: Field<R>;
  /** Events during the run. */
  readonly event?: Events<E>;
}

export type AnyJob = Job<string, Options, unknown, unknown>;

export const defineJob = <const K extends string, O extends Options, R, E = never>(
  job: Job<K, O, R, E>,
): Job<K, O, R, E> => job;

export type GivenOf<J> = J extends Job<string, infer O, unknown, unknown> ? Given<O> : never;
export type OptionsOf<J> = J extends Job<string, infer O, unknown, unknown> ? Complete<O> : never;
export type ResultOf<J> = J extends { readonly result: Field<infer R> } ? R : never;
export type EventOf<J> = J extends Job<string, Options, unknown, infer E> ? E : never;

/** The checkpoints in a job's options, in the order of the options. */
export function checkpointsIn({ options }: Pick<AnyJob, 'options'>, given: object): string[] {
  const values = new Map<string, unknown>(Object.entries(given));
  return Object.entries(options).flatMap(([name, { kind }]) => pathsIn(kind, values.get(name)));
}

function pathsIn(kind: ValueKind, value: unknown): string[] {
  if (kind.kind === 'path') {
    return kind.of === 'checkpoint' && typeof value === 'string' && !standsForPath(kind, value) ? [value] : [];
  }
  if (!Array.isArray(value)) return [];
  if (kind.kind === 'models') return (value as readonly LabelledModel[]).map(({ checkpoint: path }) => path);
  return kind.kind === 'list' ? value.flatMap((item) => pathsIn(kind.of, item)) : [];
}
