/** Slurm: a run is an array job, one task for a part, and a job that gathers after it. */
import type { Scheduler } from './scheduler';

export const slurm: Scheduler = {
  name: 'slurm',
  write: () => Promise.reject(new Error('not yet')),
  submit: () => Promise.reject(new Error('not yet')),
  queue: () => Promise.resolve(undefined),
  cancel: () => Promise.reject(new Error('not yet')),
};
