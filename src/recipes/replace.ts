/**
 * Earlier outputs of a step: those that the recipe wrote are put aside for the new ones, and come back if the step
 * fails. Everything else that is there stays, and the step is refused.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../engine/errors';
import { isThere } from '../engine/files/existing';
import { iterateFolderOf, wasStopped } from '../engine/iterate/workspace';
import { folderOf as trainingFolderOf } from '../engine/retrain/loop/workspace';
import type { AnyJob } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import { outputOptions, productOptions, QUICK_OUTPUTS } from './outputs';
import { isOwn } from './own-places';
import type { RecipeStep } from './recipe';
import type { Session } from './session';
import { type Aside, asideOf } from './state';

/** Paths of a step's outputs by their options. */
export type Outputs = Readonly<Record<string, string>>;

/** Of the paths that a step writes, those that a run would replace: they are there, and the recipe wrote them. */
export async function replacedBy(session: Session, step: RecipeStep, paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    if ((await isThere(path)) && (await whyForeign(session, step, path)) === undefined) found.push(path);
  }
  return found;
}

/**
 * Renames earlier outputs of the step, because no job overwrites, and notes that the step runs. They come back if it fails.
 * @throws UserError for an output that the recipe did not write, or that someone changed since
 */
export async function putAside(session: Session, step: RecipeStep, key: string, outputs: Outputs): Promise<Aside[]> {
  const there = await requireReplaceable(session, step, outputs);
  const asides = there.map((path): Aside => ({ path, aside: asideOf(path) }));
  // Noted before the first is renamed, so that a kill in between loses none.
  await session.state.begin({ step: step.name, key, outputs: productsOf(step, outputs), asides });
  for (const { path, aside } of asides) {
    await rm(aside, { recursive: true, force: true });
    await mkdir(dirname(aside), { recursive: true });
    await rename(path, aside);
  }
  return asides;
}

/** The outputs of a step that are there. @throws UserError for one that the recipe did not write, or that someone changed since */
export async function requireReplaceable(session: Session, step: RecipeStep, outputs: Outputs): Promise<string[]> {
  const there: string[] = [];
  for (const path of productsOf(step, outputs)) {
    if (!(await isThere(path))) continue;
    const why = await whyForeign(session, step, path);
    if (why !== undefined) throw foreign(path, why);
    there.push(path);
  }
  return there;
}

const foreign = (path: string, why: string): UserError =>
  new UserError(`${path} is not replaced`, why, 'Move or remove it, or give the step another output.');

/** Paths that a step writes for others. */
export const productsOf = ({ job }: RecipeStep, outputs: Outputs): string[] =>
  productOptions(job).flatMap((name) => outputs[name] ?? []);

/** Why something is not proved to come from this recipe; undefined if it does. */
async function whyForeign(session: Session, step: RecipeStep, path: string): Promise<string | undefined> {
  if (await isStepsOwn(session, step, path)) return undefined;
  const before = session.state.finished(step.name);
  const ours = before?.outputs.find((output) => resolve(output.path) === resolve(path));
  if (!ours) return 'it is there already, and this recipe did not write it';
  const { digest } = await session.contents.of(path);
  if (digest !== ours.digest) return 'it was changed since the recipe wrote it';
  if (!(await session.state.wrote(step.name, ours))) {
    return 'nothing proves that this recipe wrote it, because its state comes from another machine or user';
  }
  const hidden = await hiddenIn(path);
  return hidden === undefined ? undefined : `it has ${hidden}, which the recipe did not write`;
}

/** Digests leave hidden files out; a repository in the folder of a model is one. */
async function hiddenIn(path: string): Promise<string | undefined> {
  const names = await readdir(path, { recursive: true }).catch((): string[] => []);
  return names.find((name) => /(^|[/\\])\./.test(name));
}

const isStepsOwn = async (session: Session, { name }: RecipeStep, path: string): Promise<boolean> =>
  (await isOwn(path, session.stepFolder(name))) || isOwn(path, join(session.folder, QUICK_OUTPUTS));

/** Whether a stopped run of the step is what this one goes on from. */
export async function goesOnFrom(session: Session, step: RecipeStep, key: string, outputs: Outputs): Promise<boolean> {
  const { running } = session.state;
  if (running?.step !== step.name || running.key !== key) return false;
  for (const path of productsOf(step, outputs)) if (!(await began(session, step, path))) return false;
  return true;
}

const began = async (session: Session, step: RecipeStep, path: string): Promise<boolean> =>
  (await isStepsOwn(session, step, path)) || session.state.began(step.name, path);

/**
 * Removes what earlier runs of the step left that this one does not go on from.
 * @throws UserError for what a stopped job of someone else left
 */
export async function clear(session: Session, step: RecipeStep, outputs: Outputs): Promise<void> {
  const products = productOptions(step.job);
  const others = outputOptions(step.job).filter((name) => !products.includes(name));
  for (const path of others.flatMap((name) => outputs[name] ?? [])) {
    if (await isStepsOwn(session, step, path)) await rm(path, { force: true });
  }
  // The rounds and the training of a stopped run with other options: only those that this recipe began.
  for (const path of productsOf(step, outputs)) {
    for (const left of stoppedAt(path)) {
      if (!(await isThere(left))) continue;
      if (!(await began(session, step, path))) throw foreign(left, 'this recipe did not begin it');
      await rm(left, { recursive: true, force: true });
    }
  }
}

/** Folders where a stopped job keeps what it has done. */
const stoppedAt = (out: string): string[] => [trainingFolderOf(out), iterateFolderOf(out)];

/** Whether the job was stopped with something to go on from. */
export function canResume({ job }: RecipeStep, outputs: Outputs): boolean {
  const { options }: AnyJob = JOBS[job];
  const { out } = outputs;
  if (!('resume' in options) || out === undefined) return false;
  return wasStopped(out) || existsSync(join(trainingFolderOf(out), 'state.safetensors'));
}
