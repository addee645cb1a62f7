/** Runs one step: puts its earlier outputs aside, runs its job, keeps result and outputs. */
import { existsSync } from 'node:fs';
import { lstat, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { version } from '../../package.json';
import { CancelledError, UserError } from '../engine/errors';
import { isInside } from '../engine/files/paths';
import { writeWhole } from '../engine/files/whole-file';
import { iterateFolderOf, wasStopped } from '../engine/iterate/workspace';
import type { JobOptions } from '../engine/progress';
import { folderOf as trainingFolderOf } from '../engine/retrain/loop/workspace';
import { type JsonObject, stringifyJson } from '../format/json';
import { completeOptions } from '../jobs/complete';
import type { AnyJob } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import type { JobRunner } from '../jobs/runner';
import type { JobEvent, JobOutcome, JobSpec } from '../protocol/jobs';
import { outputsOf } from './options';
import { outputOptions, productOptions } from './outputs';
import type { RecipeStep } from './recipe';
import type { Session } from './session';
import { type Aside, asideOf } from './state';
import type { FinishedStep, StepOutput } from './types';

/**
 * Runs the job of a step whose needs are finished.
 * @param run the name of this run
 * @throws errors of the job; UserError when an output is there that the recipe did not write; CancelledError
 */
export async function runStep(
  session: Session,
  step: RecipeStep,
  run: string,
  runner: JobRunner,
  job: JobOptions,
  onEvent: (event: JobEvent) => void,
): Promise<FinishedStep> {
  const options = session.options(step);
  const key = await session.key(step, { signal: job.signal });
  completeOptions(JOBS[step.job], options);
  const outputs = outputsOf(step, options);
  const resumes = session.state.running?.step === step.name && session.state.running.key === key;
  await mkdir(session.stepFolder(step.name), { recursive: true });
  await clear(session, step, outputs, resumes);
  const started = new Date();
  try {
    const asides = await putAside(session, step, key, outputs);
    await session.state.begin({ step: step.name, key, asides });
    const goesOn = resumes && canResume(step, outputs);
    const spec = { kind: step.job, ...options, ...(goesOn && { resume: true }), records: session.records };
    const outcome = await runner(spec as unknown as JobSpec, { ...job, onEvent: onEvent });
    const finished = await keep(session, step, { run, key, options, outputs, outcome, started });
    await Promise.all(asides.map(({ aside }) => rm(aside, { recursive: true, force: true })));
    return finished;
  } catch (error) {
    await session.state.restore();
    // A stopped step stays the running one, so that its training goes on.
    if (!(error instanceof CancelledError))
      await session.state.begin({ step: step.name, key, asides: [], failed: true });
    throw error;
  }
}

interface Ran {
  readonly run: string;
  readonly key: string;
  readonly options: JsonObject;
  readonly outputs: Readonly<Record<string, string>>;
  readonly outcome: JobOutcome;
  readonly started: Date;
}

async function keep(session: Session, step: RecipeStep, ran: Ran): Promise<FinishedStep> {
  const { run, key, options, outcome, started } = ran;
  const result = session.resultFile(step);
  await writeWhole(result, `${stringifyJson(outcome.result, 2)}\n`);
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
    record: outcome.record,
    device: outcome.device?.provider ?? null,
    notes: outcome.notes,
    warnings: outcome.warnings,
    coppice: version,
    started: started.toISOString(),
    seconds: (Date.now() - started.getTime()) / 1000,
  };
  await session.state.end(finished);
  return finished;
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

/** Removes what earlier runs of the step left that this one does not go on from. */
async function clear(
  session: Session,
  step: RecipeStep,
  outputs: Readonly<Record<string, string>>,
  resumes: boolean,
): Promise<void> {
  if (resumes) return;
  const folder = session.stepFolder(step.name);
  const products = productOptions(step.job);
  const others = outputOptions(step.job).filter((name) => !products.includes(name));
  for (const name of others) {
    const path = outputs[name];
    if (path !== undefined && isInside(path, folder)) await rm(path, { force: true });
  }
  // The rounds and the training of a stopped run with other options: only those that this recipe began.
  const began = session.state.running?.step === step.name;
  for (const path of products.flatMap((name) => outputs[name] ?? [])) {
    if (!began && !isInside(path, session.folder)) continue;
    for (const left of stoppedAt(path)) await rm(left, { recursive: true, force: true });
  }
}

/** Folders where a stopped job keeps what it has done. */
const stoppedAt = (out: string): string[] => [trainingFolderOf(out), iterateFolderOf(out)];

/** Whether the job was stopped with something to go on from. */
function canResume({ job }: RecipeStep, outputs: Readonly<Record<string, string>>): boolean {
  const { options }: AnyJob = JOBS[job];
  const { out } = outputs;
  if (!('resume' in options) || out === undefined) return false;
  return wasStopped(out) || existsSync(join(trainingFolderOf(out), 'state.safetensors'));
}

/**
 * Renames earlier outputs of the step, because no job overwrites. They come back if it fails.
 * @throws UserError for a file that the recipe did not write, or that someone changed since
 */
async function putAside(
  session: Session,
  step: RecipeStep,
  key: string,
  outputs: Readonly<Record<string, string>>,
): Promise<Aside[]> {
  const before = session.state.finished(step.name);
  const asides: Aside[] = [];
  for (const name of productOptions(step.job)) {
    const path = outputs[name];
    if (path === undefined || !(await isThere(path))) continue;
    if (!isInside(path, session.folder)) {
      const ours = before?.outputs.find((output) => resolve(output.path) === resolve(path));
      if (!ours) throw foreign(path, 'it is there already, and this recipe did not write it');
      if ((await session.contents.of(path)).digest !== ours.digest)
        throw foreign(path, 'it was changed since the recipe wrote it');
    }
    asides.push({ path, aside: asideOf(path) });
  }
  // Noted before the first is renamed, so that a kill in between loses none.
  if (asides.length > 0) await session.state.begin({ step: step.name, key, asides });
  for (const { path, aside } of asides) {
    await rm(aside, { recursive: true, force: true });
    await mkdir(dirname(aside), { recursive: true });
    await rename(path, aside);
  }
  return asides;
}

const foreign = (path: string, why: string): UserError =>
  new UserError(`${path} is not replaced`, why, 'Move or remove it, or give the step another output.');
