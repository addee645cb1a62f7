/**
 * What a recipe is: the way from a published model to the one that ships, as a file of the repository
 * (`*.coppice.json`, JSON with comments). Each step is a job of the registry with the options of that job.
 */
import type { JsonObject } from '../format/json';
import { PROBE_NAMES, type ProbeName } from '../format/probes';
import type { Kind } from '../jobs/kinds';
import type { GateName } from '../jobs/result';
import type { RecipeTable } from './table';

/** Counts up when a recipe changes its meaning. */
export const RECIPE_VERSION = 1;

/** The end of a recipe's file name. */
export const RECIPE_SUFFIX = '.coppice.json';

/** A value of JSON. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** Values by name that the recipe's texts name as `${name}`. */
export type Variables = Readonly<Record<string, Json>>;

export interface Recipe {
  /** Absolute. Relative paths in the recipe start at its folder. */
  readonly file: string;
  /** "model" of model.coppice.json. */
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  /** The checkpoint of every step that names none, as it is written. */
  readonly model?: string;
  readonly variables: Variables;
  /** Values in place of those of `variables` for a quick try. */
  readonly quick: Variables;
  /** In the order of the file, which need not be the order in which they run. */
  readonly steps: readonly RecipeStep[];
  /** Of the last step that measures what they limit. */
  readonly limits: Limits;
  /** Tables of the report. */
  readonly tables: readonly RecipeTable[];
}

export interface RecipeStep {
  readonly name: string;
  readonly job: Kind;
  readonly description?: string;
  /** As they are written: texts may name variables and other steps. */
  readonly options: JsonObject;
  readonly limits: Limits;
  /** Steps that must be done before, besides those that the options name. */
  readonly after: readonly string[];
}

/** The limit of a probe, by its name. */
export type ProbeLimit = `maxProbeLoss.${ProbeName}`;

/** In points of the original's score: "0.1 is 10 points". */
const PROBE_LIMITS = Object.fromEntries(
  PROBE_NAMES.map((name) => [
    `maxProbeLoss.${name}`,
    `a tasks step with \`probes\` scores at most this much less than the original in the probe ${name}; 0.1 is 10 points`,
  ]),
) as Readonly<Record<ProbeLimit, string>>;

/** Names of limits, with what they concern. */
export const LIMITS = {
  maxPpl: 'the perplexity of an eval step, or of the worst file of an export step with a text, is at most this',
  maxKl: 'the mean KL divergence of an eval step from the original is at most this, in nats',
  minSame: 'an eval step finds at least this share of the next tokens that the original finds, such as 0.8',
  maxRepetition:
    'the continuations of an eval step with `repetition` repeat themselves at most this share more than the original’s; 0.1 is 10 points',
  minAccuracy: 'the average accuracy of a tasks step is at least this share, such as 0.5',
  maxProbeLoss:
    'a tasks step with `probes` scores at most this much less than the original in every probe that the original can do; 0.1 is 10 points',
  ...PROBE_LIMITS,
  maxBytes: 'the files that the step writes have at most this many bytes: a number, or a text such as "100MB"',
} as const satisfies Readonly<Record<GateName | 'maxBytes', string>>;

/** A limit of a recipe, by its name in the file. */
export type LimitName = keyof typeof LIMITS;

/** The same for every limit on what is lost in probes. */
export const forProbes = <T>(value: T): Readonly<Record<'maxProbeLoss' | ProbeLimit, T>> =>
  Object.fromEntries(['maxProbeLoss', ...Object.keys(PROBE_LIMITS)].map((name) => [name, value])) as Readonly<
    Record<'maxProbeLoss' | ProbeLimit, T>
  >;

export const LIMIT_NAMES = Object.keys(LIMITS) as readonly LimitName[];

/** Values as they are written: a number, of `maxBytes` also a text with a unit, or a text that names a variable. */
export type Limits = Readonly<Partial<Record<LimitName, number | string>>>;

/** A reference in a text: `${name}`, `${steps.NAME}` or `${steps.NAME.FIELD}`. */
export const REFERENCE = /\$\$\{|\$\{([^{}]*)\}/g;

/** What names of variables and steps look like. */
export const NAME = /^[A-Za-z_][\w-]{0,63}$/;
