/** Runs a job for its command: warns, prints its page, and learns from what it took. */
import { learnFrom } from '../../estimates/learn';
import { MachineSpeeds } from '../../estimates/machine';
import { machineMemory } from '../../estimates/memory';
import { memoryWarning } from '../../estimates/words';
import type { JsonObject } from '../../format/json';
import { completeOptions } from '../../jobs/complete';
import type { AnyJob } from '../../jobs/define';
import { JOBS } from '../../jobs/definitions';
import { fileFor, runJob } from '../../jobs/run-job';
import { claimOf } from '../../sharing/claims';
import { inTurn } from '../../sharing/turn';
import type { Outcome, Shell } from '../execute';
import { EXIT_LIMIT } from '../exit-codes';
import { asUsage } from '../failure';
import type { CommonOptions } from '../options';
import { type PagedKind, PAGES } from '../pages';
import { isCancellation } from '../signals';

// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- page, options and result are of one kind
export async function runOneJob<K extends PagedKind>(
  kind: K,
  given: object,
  common: CommonOptions,
  shell: Shell,
): Promise<Outcome> {
  const options = asUsage(() => completeOptions(JOBS[kind], given));
  const face = PAGES[kind](options, shell);
  const { job, note, warn } = shell;
  const claim = await claimOf(kind, given as JsonObject);
  const running = inTurn(claim, { signal: job.signal, onWait: (why) => note(`waits: ${why}`) }, async () => {
    const { free } = machineMemory();
    const warning = claim.bytes === 0 ? undefined : memoryWarning(claim.bytes, free);
    if (warning !== undefined) warn(warning);
    const start = performance.now();
    const ended = await runJob(kind, options, {
      job: face.showsProgress && !common.json ? { signal: job.signal } : job,
      hooks: {},
      emit: (event) => face.onEvent?.(event),
      place: common.record === undefined ? undefined : fileFor(common.record),
      note,
      warn,
    });
    return { ...ended, seconds: (performance.now() - start) / 1000 };
  });
  const outcome = await running.catch((error: unknown) => {
    if (isCancellation(error)) face.onCancelled?.().forEach(warn);
    throw error;
  });
  const { result, device, seconds } = outcome;
  const finished = { kind, options: given as JsonObject, result, seconds, provider: device?.provider };
  await learnFrom(await MachineSpeeds.open(), finished);
  return {
    json: result,
    page: face.page(result, outcome),
    failed: face.failed?.(result),
    ...(isRefused(kind, result) && { exitCode: EXIT_LIMIT }),
  };
}

function isRefused(kind: PagedKind, result: object): boolean {
  const job: AnyJob = JOBS[kind];
  return job.refuses?.(result as JsonObject) !== undefined;
}
