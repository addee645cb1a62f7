/** What a job takes of the machine, by its estimate. */
import { availableParallelism } from 'node:os';
import { usualThreads } from '../engine/onnx/threads';
import { announce } from '../engine/progress';
import { machineMemory, memoryOf } from '../estimates/memory';
import { openModels } from '../estimates/models';
import type { JsonObject } from '../format/json';
import { numberIn } from '../jobs/amounts';
import { optionsIn } from '../jobs/complete';
import type { Kind } from '../jobs/kinds';
import type { JobRunner } from '../jobs/runner';
import type { JobKind, JobOutcome } from '../protocol/jobs';
import type { Claim } from './tickets';
import { inTurn } from './turn';

/** A whole job waits for memory, not for threads: its user may be waiting for it. */
export async function claimOf(kind: Kind, options: JsonObject): Promise<Claim> {
  const bytes = memoryOf({ kind, options }, await openModels(options), machineMemory());
  return { job: kind, bytes: bytes ?? 0, threads: 0 };
}

/** Parts of a job gain nothing from running beside each other, so one waits for the threads of those before it. */
export const partClaimOf = (kind: Kind, options: JsonObject, bytes = 0): Claim => ({
  job: kind,
  bytes,
  threads: numberIn(options, 'threads') ?? usualThreads() ?? availableParallelism(),
});

/** Runs jobs, each in its turn. */
export function sharing(run: JobRunner): JobRunner {
  return async <K extends JobKind>(...[spec, options]: Parameters<typeof run<K>>): Promise<JobOutcome<K>> => {
    const claim = await claimOf(spec.kind, optionsIn(spec) as JsonObject);
    const onWait = (reason: string): void => announce(options ?? {}, `waiting: ${reason}`);
    return inTurn(claim, { signal: options?.signal, onWait }, () => run<K>(spec, options));
  };
}
