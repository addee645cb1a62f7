/** Values of a recipe that are not text yet: what they become depends on how often each is used. */
import type { Json } from '../recipe';
import { literal } from '../references';

/** A reference as it is written: `${steps.scores}`. */
export class Reference {
  constructor(readonly text: string) {}
}

/** A file or folder that no step writes. */
export class OuterPath {
  constructor(
    /** Absolute. */
    readonly path: string,
    /** The option that reads it. */
    readonly option: string,
  ) {}
}

/** Blocks that are named one by one. */
export class NamedBlocks {
  constructor(readonly blocks: readonly (number | string)[]) {}
}

/** How many blocks go. */
export class Count {
  constructor(readonly count: number) {}
}

/** An output of a step; its name depends on what else the step writes in the end. */
export class OutputOf {
  constructor(
    readonly step: { readonly name: string; readonly writes: Readonly<Record<string, string>> },
    readonly option: string,
    /** From the output to a file in it; empty for itself. */
    readonly way: string,
  ) {}

  /** For comparisons. */
  toJSON(): string {
    return [this.step.name, this.option, this.way].join(' ');
  }
}

export type Token = Reference | OuterPath | NamedBlocks | Count | OutputOf;

export type Draft = Json | Token | readonly Draft[] | { readonly [name: string]: Draft };

const isToken = (value: unknown): value is Token =>
  [Reference, OuterPath, NamedBlocks, Count, OutputOf].some((each) => value instanceof each);

/** Tokens that may become variables. */
export type Named = OuterPath | NamedBlocks | Count;

/** All tokens of a value that may become variables. */
export function tokensIn(value: Draft): Named[] {
  if (value instanceof Reference || value instanceof OutputOf) return [];
  if (isToken(value)) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value as object).flatMap((each: Draft) => tokensIn(each));
}

/** The value as JSON. */
export function written(value: Draft, token: (token: Named | OutputOf) => Json): Json {
  if (value instanceof Reference) return value.text;
  if (isToken(value)) return token(value);
  if (typeof value === 'string') return literal(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((each: Draft) => written(each, token));
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, written(each as Draft, token)]));
}
