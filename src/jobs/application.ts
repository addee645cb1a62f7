/** What `--application` stands for: the texts of a job with the splits that it reads (engine/application). Pure. */
import type { JsonObject } from '../format/json';
import type { AnyJob } from './define';

/** The options with what their application's text stands for; the same where none is given. */
export function withApplication<O extends object>(job: AnyJob, options: O): O {
  const path = 'application' in options ? options.application : undefined;
  if (typeof path !== 'string' || job.application === undefined) return options;
  return { ...options, ...job.application(path, options as JsonObject) };
}
