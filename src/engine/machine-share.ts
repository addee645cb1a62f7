/** What the environment says about other jobs on this machine. */
import { availableParallelism } from 'node:os';
import { UserError } from './errors';

/** How jobs of one machine share it. */
export type Sharing =
  /** A job waits for the memory that jobs before it may take, and a part for their threads. */
  | { readonly way: 'needs' }
  /** So many run at once, and each has such a share of memory and threads. */
  | { readonly way: 'slots'; readonly slots: number }
  /** A job starts at once: another program shares the machine. */
  | { readonly way: 'off' };

/** How many threads, or jobs, are thinkable on this machine: thousands would stop it. */
export const mostThreads = (): number => Math.max(16, 4 * availableParallelism());

const SAID = /^\d{1,4}$/;

/**
 * What COPPICE_JOBS says. A scheduler has given each job its share already, so none waits there.
 * @throws UserError if it is neither "off" nor a whole number from 1 to `mostThreads`
 */
export function sharingOf(environment: NodeJS.ProcessEnv = process.env): Sharing {
  const { COPPICE_JOBS: said = '', SLURM_JOB_ID, KUBERNETES_SERVICE_HOST } = environment;
  if (said === '') {
    return { way: (SLURM_JOB_ID ?? KUBERNETES_SERVICE_HOST) === undefined ? 'needs' : 'off' };
  }
  if (said === 'off') return { way: 'off' };
  const slots = SAID.test(said) ? Number(said) : 0;
  if (slots > 0 && slots <= mostThreads()) return { way: 'slots', slots };
  throw new UserError(
    `COPPICE_JOBS is ${JSON.stringify(said)}`,
    'the environment variable says how many jobs of this machine run at once',
    `Set it to a whole number from 1 to ${mostThreads()}, to "off", or unset it.`,
  );
}

/** By how many the machine's memory and threads are divided. */
export function sharers(environment: NodeJS.ProcessEnv = process.env): number {
  const sharing = sharingOf(environment);
  return sharing.way === 'slots' ? sharing.slots : 1;
}
