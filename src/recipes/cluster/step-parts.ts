/**
 * One step of a recipe in parts: what a part computes, and what makes the step's result of all of them. The options come from
 * the recipe's state when the part runs, because results of earlier steps are not there when it is submitted.
 */
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { systemErrorCode, UserError } from '../../engine/errors';
import { isThere } from '../../engine/files/existing';
import type { JobOptions } from '../../engine/progress';
import { isObject, type JsonObject } from '../../format/json';
import type { AnyJob } from '../../jobs/define';
import { JOBS } from '../../jobs/definitions';
import { type CutKind, isCutKind } from '../../jobs/parts/part-record';
import { partsFolder } from '../../jobs/parts/places';
import { gatherSpec, type Settle } from '../../jobs/run-spec';
import type { JobRunner } from '../../jobs/runner';
import { outputsOf } from '../options';
import { planSession, type RecipeRequest } from '../plan';
import { requireReplaceable } from '../replace';
import { requireAlone } from '../run';
import { Session } from '../session';
import { claimCluster, makeInside, partsPlace, productsFolder } from './places';

/** A step whose needs are done. */
export interface StepInParts {
  readonly kind: CutKind;
  /** With all values in place; what the job writes goes to a place beside the parts. */
  readonly options: JsonObject;
  /** Folder of the parts; absolute. */
  readonly place: string;
  /** Its result is there, and nothing is to be computed. */
  readonly done: boolean;
}

/**
 * Looks at a step that runs in parts.
 * @param request with one step in `only`
 * @throws UserError when a step that it needs is not done, or its job cannot be cut
 */
export async function stepInParts(request: RecipeRequest, parts: number, job: JobOptions): Promise<StepInParts> {
  const session = await Session.open(request);
  const plan = await planSession(session, undefined, job);
  const names = request.only ?? [];
  const planned = plan.steps.find(({ step }) => names.length === 1 && step.name === names[0]);
  if (!planned) {
    throw new UserError('A part is that of one step', `${names.length} are named`, 'Name one step.');
  }
  requireAlone(plan, names);
  const { step, state } = planned;
  const { job: kind } = step;
  if (!isCutKind(kind)) {
    throw new UserError(`${step.name} cannot run in parts`, `${kind} cannot be cut`, 'Run it in one process.');
  }
  const options = session.options(step);
  const place = partsPlace(session.folder, step.name, await session.key(step, job), parts);
  if (state === 'done') return { kind, options, place, done: true };
  await requireReplaceable(session, step, outputsOf(step, options));
  await session.state.claim();
  await claimCluster(session);
  await makeInside(session, partsFolder(place));
  const moved = beside(kind, options, place);
  for (const path of Object.values(moved)) await makeInside(session, dirname(path));
  return { kind, options: { ...options, ...moved }, place, done: false };
}

/** For each option that names an output, its place beside the parts: the step's own is taken only when all is there. */
function beside(kind: CutKind, options: JsonObject, place: string): Record<string, string> {
  const { options: known }: AnyJob = JOBS[kind];
  return Object.fromEntries(
    Object.entries(options).flatMap(([name, value]): [string, string][] =>
      Object.hasOwn(known, name) && known[name].writes && typeof value === 'string'
        ? [[name, join(productsFolder(place), name, basename(value))]]
        : [],
    ),
  );
}

/** A runner that makes the result of a step from its parts, in place of computing it. @param place of the parts */
export function gathering(place: string): JobRunner {
  return async (spec, { signal } = {}) => {
    const { kind } = spec;
    if (!isCutKind(kind)) throw new UserError(`${kind} has no parts`, 'it cannot be cut', 'Run it in one process.');
    const options = spec as unknown as JsonObject;
    const moves = Object.entries(beside(kind, options, place)).map(([name, from]) => ({
      from,
      to: options[name] as string,
    }));
    const settle: Settle = async ({ result, record }, folder) => {
      for (const { from, to } of moves) if (await isThere(from)) await moveTo(from, to);
      const names = moves.flatMap(({ from, to }): [string, string][] => [
        [from, to],
        [relative(folder, from), relative(folder, to)],
      ]);
      return { result: renamedIn(result, names), record: renamedIn(record, names) };
    };
    return await gatherSpec(partsFolder(place), spec as never, signal, settle);
  };
}

/** Of all parts together. */
export const secondsOfParts = (result: object): number | undefined =>
  'seconds' in result && typeof result.seconds === 'number' ? result.seconds : undefined;

/** Also to another disk; what is there under the new name is whole. */
async function moveTo(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  try {
    await rename(from, to);
  } catch (error) {
    if (systemErrorCode(error) !== 'EXDEV') throw error;
    const partial = join(dirname(to), `.${basename(to)}.coppice-partial`);
    await rm(partial, { recursive: true, force: true });
    await cp(from, partial, { recursive: true });
    await rename(partial, to);
    await rm(from, { recursive: true, force: true });
  }
}

/** A value with other paths in its texts. */
function renamedIn<T extends object>(value: T, names: readonly (readonly [string, string])[]): T {
  const walk = (each: unknown): unknown => {
    if (Array.isArray(each)) return each.map(walk);
    if (isObject(each)) return Object.fromEntries(Object.entries(each).map(([name, inner]) => [name, walk(inner)]));
    if (typeof each !== 'string') return each;
    const [from, to] = names.find(([name]) => each === name || each.startsWith(`${name}/`)) ?? [];
    return from === undefined || to === undefined ? each : to + each.slice(from.length);
  };
  return walk(value) as T;
}
