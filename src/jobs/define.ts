/**
 * What a job is: its options, each said once, and its words. The command line, the sidecar's messages, "Copy as CLI
 * Command", the JSON Schema and the manifest follow from it. Pure: it imports nothing at run time.
 */
import type { LabelledModel, Option, Options, Presence, ValueKind } from './option';

type ValueOf<O> = O extends Option<infer T> ? T : never;
type NamesOf<O extends Options, P extends Presence> = {
  [N in keyof O]: O[N] extends Option<unknown, infer Q> ? (Q extends P ? N : never) : never;
}[keyof O];
type Flat<T> = { readonly [N in keyof T]: T[N] };

/** The option, where others must not be given with it. */
export const excluding = <O extends Option>(option: O, ...others: readonly string[]): O => ({
  ...option,
  conflicts: [...(option.conflicts ?? []), ...others],
});

/** The options that a caller gives: all that are required, and any others. */
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

/** Why options cannot be used. Names of options are tokens (engine/option-token.ts). */
export interface Fault {
  readonly what: string;
  readonly why: string;
  readonly action: string;
}

/** A type that a definition carries: of a job's result or of its events. */
export interface Shape<T> {
  readonly type?: T;
}

export const shape = <T>(): Shape<T> => ({});

export interface Job<K extends string, O extends Options, R, E> {
  /** Its name in messages and records, and the command's name at the command line. */
  readonly kind: K;
  /** For the list of commands: a few words. */
  readonly summary: string;
  /** What it does, for the help. */
  readonly description: string;
  /** After the options in the help, before the examples. */
  readonly notes?: string;
  /** Arguments after `coppice KIND`, one example a line. */
  readonly examples: readonly string[];
  /** What it does in a word or two, translated: "Scoring". */
  noun(): string;
  /** The same with the model and what else counts, translated: "Scoring SmolLM2 by taylor". */
  title(model: string, given: Partial<Given<O>>): string;
  readonly options: O;
  /** Not a command of the command line, which has no words for some of its options. */
  readonly sidecarOnly?: true;
  /** Finds what is wrong with options that are right one by one. */
  check?(options: Complete<O>): Fault | undefined;
  readonly result: Shape<R>;
  /** What it tells while it runs. */
  readonly event?: Shape<E>;
}

export type AnyJob = Job<string, Options, unknown, unknown>;

export const defineJob = <const K extends string, O extends Options, R, E = never>(
  job: Job<K, O, R, E>,
): Job<K, O, R, E> => job;

export type GivenOf<J> = J extends Job<string, infer O, unknown, unknown> ? Given<O> : never;
export type OptionsOf<J> = J extends Job<string, infer O, unknown, unknown> ? Complete<O> : never;
export type ResultOf<J> = J extends { readonly result: Shape<infer R> } ? R : never;
export type EventOf<J> = J extends Job<string, Options, unknown, infer E> ? E : never;

/** The checkpoints that options of a job name, in the order of the options. */
export function checkpointsIn({ options }: Pick<AnyJob, 'options'>, given: object): string[] {
  const values = new Map<string, unknown>(Object.entries(given));
  return Object.entries(options).flatMap(([name, { kind }]) => pathsIn(kind, values.get(name)));
}

function pathsIn(kind: ValueKind, value: unknown): string[] {
  if (kind.kind === 'path') return kind.of === 'checkpoint' && typeof value === 'string' ? [value] : [];
  if (!Array.isArray(value)) return [];
  if (kind.kind === 'models') return (value as readonly LabelledModel[]).map(({ checkpoint: path }) => path);
  return kind.kind === 'list' ? value.flatMap((item) => pathsIn(kind.of, item)) : [];
}
