/** How many threads of the CPU a run has that is not told. */
import { availableParallelism } from 'node:os';
import { UserError } from '../errors';

/** How many threads one run may use on this machine: thousands would stop it. */
export const mostThreads = (): number => Math.max(16, 4 * availableParallelism());

/**
 * What the environment says with COPPICE_THREADS, for machines that are shared. Undefined: onnxruntime decides.
 * @throws UserError if it is not a whole number from 1 to `mostThreads`
 */
export function usualThreads(environment: NodeJS.ProcessEnv = process.env): number | undefined {
  const { COPPICE_THREADS: said = '' } = environment;
  if (said === '') return undefined;
  const threads = /^\d{1,4}$/.test(said) ? Number(said) : 0;
  if (threads > 0 && threads <= mostThreads()) return threads;
  throw new UserError(
    `COPPICE_THREADS is ${JSON.stringify(said)}`,
    'the environment variable says how many threads of the CPU a run uses',
    `Set it to a whole number from 1 to ${mostThreads()}, or unset it.`,
  );
}
