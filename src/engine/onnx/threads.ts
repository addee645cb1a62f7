/** How many threads of the CPU a run has that is not told. */
import { availableParallelism } from 'node:os';
import { UserError } from '../errors';
import { mostThreads, sharers } from '../machine-share';

/**
 * What the environment says with COPPICE_THREADS, or with COPPICE_JOBS, for machines that are shared. Undefined: onnxruntime
 * decides.
 * @throws UserError if it is not a whole number from 1 to `mostThreads`
 */
export function usualThreads(environment: NodeJS.ProcessEnv = process.env): number | undefined {
  const { COPPICE_THREADS: said = '' } = environment;
  if (said === '') return shareOfThreads(sharers(environment));
  const threads = /^\d{1,4}$/.test(said) ? Number(said) : 0;
  if (threads > 0 && threads <= mostThreads()) return threads;
  throw new UserError(
    `COPPICE_THREADS is ${JSON.stringify(said)}`,
    'the environment variable says how many threads of the CPU a run uses',
    `Set it to a whole number from 1 to ${mostThreads()}, or unset it.`,
  );
}

const shareOfThreads = (jobs: number): number | undefined =>
  jobs === 1 ? undefined : Math.max(1, Math.floor(availableParallelism() / jobs));
