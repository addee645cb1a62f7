/**
 * Which jobs run beside a long one: those that are over soon and that somebody waits for. A measurement of speed has the
 * machine to itself.
 */
import { openCheckpoint, requireArchitecture } from '../engine/checkpoint/open';
import { UserError } from '../engine/errors';
import { memoryFor } from '../engine/memory';
import { bytesOfWeights } from '../engine/weights/bytes';
import { type AnyJob, checkpointsIn, type Lane } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import type { JobSpec } from '../protocol/jobs';

export function laneOf(spec: JobSpec): Lane {
  const job: AnyJob = JOBS[spec.kind];
  return job.lane?.({ ...spec }) ?? 'long';
}

/** Memory that a short job needs beside a long one, and what it may take of that which is free, in bytes. */
export interface MemoryBeside {
  readonly needs: number;
  readonly may: number;
}

/** Whether the weights of a short job fit into memory beside what runs. */
export async function memoryBeside(spec: JobSpec): Promise<MemoryBeside> {
  let needs = 0;
  // Each column opens its model, also where two are of one checkpoint.
  for (const path of checkpointsIn(JOBS[spec.kind], spec)) needs += await weightsOf(path, spec);
  return { needs, may: memoryFor('text') };
}

/** In the precision that the job would have alone. What cannot be opened is said by the job itself. */
async function weightsOf(path: string, spec: JobSpec): Promise<number> {
  const asked = 'precision' in spec ? spec.precision : undefined;
  const precision = asked === 'int8' || asked === 'int4' || asked === 'float16' ? asked : 'float32';
  try {
    return bytesOfWeights(requireArchitecture(await openCheckpoint(path)), precision);
  } catch (error) {
    if (error instanceof UserError) return 0;
    throw error;
  }
}
