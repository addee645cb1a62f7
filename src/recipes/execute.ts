/** Runs one step: puts its earlier outputs aside, runs its job, keeps result and outputs. */
import { rm } from 'node:fs/promises';
import { isThere } from '../engine/files/existing';
import { version } from '../../package.json';
import { CancelledError } from '../engine/errors';
import { writeWhole } from '../engine/files/whole-file';
import type { JobOptions } from '../engine/progress';
import { type JsonObject, stringifyJson } from '../format/json';
import { completeOptions } from '../jobs/complete';
import { JOBS } from '../jobs/definitions';
import type { JobRunner } from '../jobs/runner';
import type { JobEvent, JobOutcome, JobSpec } from '../protocol/jobs';
import { outputsOf } from './options';
import { productOptions } from './outputs';
import type { RecipeStep } from './recipe';
import { canResume, clear, goesOnFrom, type Outputs, productsOf, putAside } from './replace';
import type { Session } from './session';
import { resultDigest } from './state';
import type { FinishedStep, StepOutput } from './types';

/**
 * Runs the job of a step whose needs are finished.
 * @param run the name of this run
 * @param secondsOf of a step that was computed before, in parts
 * @throws errors of the job; UserError when an output is there that the recipe did not write; CancelledError
 */
export async function runStep(
  session: Session,
  step: RecipeStep,
  run: string,
  runner: JobRunner,
  job: JobOptions,
  onEvent: (event: JobEvent) => void,
  secondsOf?: SecondsOf,
): Promise<FinishedStep> {
  const options = session.options(step);
  const key = await session.key(step, { signal: job.signal });
  completeOptions(JOBS[step.job], options);
  const outputs = outputsOf(step, options);
  await session.claim(step, Object.values(outputs));
  const resumes = await goesOnFrom(session, step, key, outputs);
  if (!resumes) await clear(session, step, outputs);
  const started = new Date();
  try {
    const asides = await putAside(session, step, key, outputs);
    const goesOn = resumes && canResume(step, outputs);
    const spec = { kind: step.job, ...options, ...(goesOn && { resume: true }), records: session.records };
    const outcome = await runner(spec as unknown as JobSpec, { ...job, onEvent: onEvent });
    const seconds = secondsOf?.(outcome.result) ?? (Date.now() - started.getTime()) / 1000;
    const finished = await keep(session, step, { run, key, options, outputs, outcome, started, seconds });
    await Promise.all(asides.map(({ aside }) => rm(aside, { recursive: true, force: true })));
    return finished;
  } catch (error) {
    await session.state.restore();
    // A stopped step stays the running one, so that its training goes on.
    if (!(error instanceof CancelledError))
      await session.state.begin({ step: step.name, key, outputs: productsOf(step, outputs), asides: [], failed: true });
    throw error;
  }
}

/** How long the work behind a result took; undefined for what this process took. */
export type SecondsOf = (result: object) => number | undefined;

interface Ran {
  readonly run: string;
  readonly key: string;
  readonly options: JsonObject;
  readonly outputs: Outputs;
  readonly outcome: JobOutcome;
  readonly started: Date;
  readonly seconds: number;
}

async function keep(session: Session, step: RecipeStep, ran: Ran): Promise<FinishedStep> {
  const { run, key, options, outcome, started } = ran;
  const result = session.resultFile(step);
  const text = `${stringifyJson(outcome.result, 2)}\n`;
  await writeWhole(result, text);
  const outputs: StepOutput[] = [];
  for (const option of productOptions(step.job)) {
    const path = ran.outputs[option];
    // A job may decide against writing: healing that does not help writes no patch.
    if (path === undefined || !(await isThere(path))) continue;
    outputs.push({ option, path, ...(await session.contents.of(path)) });
  }
  const finished: FinishedStep = {
    name: step.name,
    job: step.job,
    key,
    run,
    options,
    outputs,
    result,
    resultSha256: resultDigest(text),
    record: outcome.record,
    device: outcome.device?.provider ?? null,
    notes: outcome.notes,
    warnings: outcome.warnings,
    coppice: version,
    started: started.toISOString(),
    seconds: ran.seconds,
  };
  await session.state.end(finished);
  return finished;
}
