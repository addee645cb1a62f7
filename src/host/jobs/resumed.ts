/** Which jobs go on where they were stopped. */
import { wasStopped } from '../../engine/iterate/workspace';
import type { JobSpec } from '../../protocol/jobs';
import { goOn } from '../remedy';

/** The output of an iterative pruning that keeps rounds. */
export const roundsOf = (spec: JobSpec): string | undefined =>
  spec.kind === 'iterate' && wasStopped(spec.out) ? spec.out : undefined;

/** Whether running the job again goes on where it was stopped. */
export function isResumed(spec: JobSpec): boolean {
  return roundsOf(spec) !== undefined || (spec.kind === 'retrain' && goOn(spec).resume === true);
}
