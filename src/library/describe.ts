/** The jobs as data: for programs that make forms, checks or tools of them. */
import { version as versionHere } from '../../package.json';
import { UserError } from '../engine/errors';
import { stringifyJson } from '../format/json';
import { JOBS } from '../jobs/definitions';
import { type JsonSchema, schemaOf as schemaOfJob } from '../jobs/schema';
import { requireText } from './given';
import { SCRIPT_NAMING } from './naming';

/** Names of the jobs, which are those of their commands. */
export type JobName =
  | 'bench'
  | 'curve'
  | 'draft'
  | 'eval'
  | 'experts'
  | 'export'
  | 'frontier'
  | 'generate'
  | 'grid'
  | 'heal'
  | 'iterate'
  | 'merge'
  | 'prune'
  | 'retrain'
  | 'score'
  | 'tasks'
  | 'verify'
  | 'versus'
  | 'vocabulary'
  | 'width';

/** The version of Coppice, as in records. */
export const version: string = versionHere;

/**
 * The options of a job as JSON Schema (draft 2020-12).
 * @param job the name of its command
 * @returns a schema of the object that the job's function takes
 * @throws UserError for a name that no job has
 * @example
 * ```ts
 * import { schemaOf } from 'coppice';
 *
 * console.log(JSON.stringify(schemaOf('score'), null, 2));
 * ```
 */
export function schemaOf(job: JobName): JsonSchema {
  requireText(job, 'The job');
  if (Object.hasOwn(JOBS, job)) return schemaOfJob(JOBS[job], SCRIPT_NAMING);
  throw new UserError(`${job} is no job`, 'no command has this name', "Give a name such as 'score'.");
}

/**
 * A result as JSON, as the command prints it with `--json`. JSON has no notation for numbers that are not finite, so that they
 * become "Infinity", "-Infinity" and "NaN".
 * @param indent spaces of each level; everything is in one line without it
 * @returns what {@link prune} and {@link curve} take as a file of scores
 * @example
 * ```ts
 * import { writeFileSync } from 'node:fs';
 * import { score, toJson } from 'coppice';
 *
 * const scores = await score({ checkpoint: './SmolLM2-135M', calibration: 'prose.txt' });
 * writeFileSync('scores.json', toJson(scores));
 * ```
 */
export const toJson = (result: object, indent?: number): string => stringifyJson(result, indent);
