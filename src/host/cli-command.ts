/** The command line that repeats a job. */
import { argvOf } from '../jobs/argv';
import { optionsIn } from '../jobs/complete';
import type { AnyJob } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import type { JobSpec } from '../protocol/jobs';
import type { Shell } from '../format/shell';
import { quotedForPasting } from './shell-words';

/**
 * Undefined for a job that the command line does not have.
 *
 * @param shell the one that is to read it
 * @throws UserError for a word that it has no quotes for
 */
export function cliCommand(spec: JobSpec, shell: Shell = 'posix'): string | undefined {
  const job: AnyJob = JOBS[spec.kind];
  if (job.sidecarOnly) return undefined;
  return ['coppice', ...argvOf(job, optionsIn(spec))].map((word) => quotedForPasting(word, shell)).join(' ');
}
