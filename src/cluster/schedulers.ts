/** The schedulers that there are. */
import { UserError } from '../engine/errors';
import type { SchedulerName } from './folder';
import { kubernetes } from './kubernetes';
import type { Scheduler } from './scheduler';
import { skypilot } from './skypilot';
import { slurm } from './slurm';

const SCHEDULERS: Readonly<Partial<Record<SchedulerName, Scheduler>>> = { slurm, kubernetes, skypilot };

/** @throws UserError for one that this version cannot use */
export function schedulerOf(name: SchedulerName): Scheduler {
  const found = SCHEDULERS[name];
  if (found) return found;
  throw new UserError(`${name} cannot be used`, 'this version has no way to it', 'Use another version of Coppice.');
}
