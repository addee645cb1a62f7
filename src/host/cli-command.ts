/** The command line that repeats a job. */
import { argvOf } from '../jobs/argv';
import { optionsIn } from '../jobs/complete';
import { JOBS } from '../jobs/definitions';
import type { JobSpec } from '../protocol/jobs';
import { quoted, type Shell } from './shell-words';

/**
 * Undefined for what the command line has no one command for.
 *
 * @param shell the one that is to read it
 * @throws UserError for a word that it has no quotes for
 */
export function cliCommand(spec: JobSpec, shell: Shell = 'posix'): string | undefined {
  const words = wordsOf(spec);
  return words && ['coppice', ...words].map((word) => quoted(word, shell)).join(' ');
}

function wordsOf(spec: JobSpec): string[] | undefined {
  switch (spec.kind) {
    case 'score':
    case 'curve':
    case 'eval':
    case 'generate':
    case 'prune':
    case 'merge':
    case 'retrain':
      return argvOf(JOBS[spec.kind], optionsIn(spec));
    case 'samples':
    case 'bench': // of several models
      return undefined;
  }
}
