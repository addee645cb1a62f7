/**
 * How long each step of a recipe is expected to take: as long as the last time, scaled by how much its work has changed;
 * else from its operations and bytes, and what this machine does of them in a second. Reads headers and sizes of files only.
 */
import type { JsonObject } from '../format/json';
import type { Kind } from '../jobs/kinds';
import { curve, heal, iterate, prune, score } from './estimate/choosing';
import * as measuring from './estimate/measuring';
import { type Around, StepModels } from './estimate/models';
import { type Estimated, type PartsOf, withDefaults, withStart } from './estimate/parts';
import { expectedOf, MachineSpeeds, type Part } from './estimate/speeds';
import { retrain } from './estimate/training';
import type { StepEstimate } from './plan';
import type { RecipeStep } from './recipe';
import type { Expected, FinishedStep } from './types';

export { MachineSpeeds } from './estimate/speeds';
export type { Around } from './estimate/models';

const PARTS: Partial<Record<Kind, PartsOf>> = {
  score,
  curve,
  prune,
  heal,
  iterate,
  retrain,
  width: measuring.width,
  merge: measuring.merge,
  export: measuring.exporting,
  verify: measuring.verify,
  eval: measuring.evaluate,
  tasks: measuring.tasks,
  generate: measuring.generate,
  bench: measuring.bench,
  grid: measuring.grid,
  versus: measuring.versus,
};

/** What these compute is a few rows, and mostly overhead. */
const COPYING: readonly Kind[] = ['export', 'verify', 'merge', 'bench', 'generate'];

/** Above this factor a step is not the same as the last time. */
const ALIKE = 20;

/** Estimates the steps of a recipe. @param around the recipe with the values of this run */
export function stepEstimator(around: Around, speeds: MachineSpeeds = MachineSpeeds.none()): StepEstimate {
  const models = new StepModels(around);
  return async ({ step, options, before }) => {
    const now = await expectedOfStep(step, options ?? models.options(step), models, speeds);
    if (before === undefined) return now;
    const then = await expectedOfStep(step, before.options, models, speeds);
    if (now === undefined || then === undefined) return { seconds: before.seconds, from: 'before' };
    const change = now.seconds / then.seconds;
    if (change > ALIKE || change < 1 / ALIKE) return now;
    return { seconds: before.seconds * change, from: 'before' };
  };
}

async function expectedOfStep(
  step: Pick<RecipeStep, 'job'>,
  options: JsonObject | undefined,
  models: StepModels,
  speeds: MachineSpeeds,
): Promise<Expected | undefined> {
  const parts = options && (await partsOf(step, options, models));
  return parts && expectedOf(parts, speeds);
}

async function partsOf(
  step: Pick<RecipeStep, 'job'>,
  given: JsonObject,
  models: StepModels,
): Promise<readonly Part[] | undefined> {
  const options = withDefaults(step.job, given);
  const several: readonly unknown[] | undefined = Array.isArray(options.checkpoints) ? options.checkpoints : undefined;
  const model = await models.at(options.checkpoint ?? several?.at(-1) ?? options.against ?? options.output);
  if (model === undefined) return undefined;
  const removed = await models.removedBy(step, options, model.architecture);
  const estimated: Estimated = { job: step.job, options, models, model, removed };
  const parts = await PARTS[step.job]?.(estimated);
  return parts && withStart(model, parts);
}

/**
 * Learns from a step that ran to its end. What takes most of the time is taken to be what the estimate was wrong about.
 * Writes nothing: call `save` of the speeds at the end.
 */
export async function learnStep(around: Around, speeds: MachineSpeeds, finished: FinishedStep): Promise<void> {
  learnParts(await partsOf(finished, finished.options, new StepModels(around)), speeds, finished);
}

/** Learns the same from a job that is a step of no recipe. */
export async function learnJob(speeds: MachineSpeeds, finished: Finished): Promise<void> {
  const recipe = { file: '', name: '', variables: {}, quick: {}, steps: [], limits: {}, tables: [] };
  const models = new StepModels({ recipe, variables: {} });
  learnParts(await partsOf(finished, finished.options, models), speeds, finished);
}

type Finished = Pick<FinishedStep, 'job' | 'options' | 'seconds' | 'device'>;

function learnParts(parts: readonly Part[] | undefined, speeds: MachineSpeeds, finished: Finished): void {
  if (parts === undefined) return;
  const merged = mergedParts(parts);
  const times = merged.map((part) => speeds.estimate(part).seconds);
  const longest = times.indexOf(Math.max(...times));
  const others = times.reduce((sum, seconds, at) => (at === longest ? sum : sum + seconds), 0);
  // A rest that is nearly nothing would make a machine that can do anything.
  const rest = Math.max(finished.seconds - others, finished.seconds / 2);
  const { kind } = merged[longest];
  if (kind === 'seconds' || (kind === 'products' && COPYING.includes(finished.job))) return;
  speeds.learn(merged[longest], rest, finished.device ?? 'cpu');
}

/** Parts of one kind as one, so that the whole of it is learned from. */
function mergedParts(parts: readonly Part[]): Part[] {
  const found = new Map<string, Part>();
  for (const part of parts) {
    const key = part.kind === 'products' ? `${part.kind} ${part.work}` : part.kind;
    const before = found.get(key);
    found.set(key, before === undefined ? part : sum(before, part));
  }
  return [...found.values()];
}

function sum(one: Part, other: Part): Part {
  if (one.kind === 'products' && other.kind === 'products') return { ...one, flops: one.flops + other.flops };
  if (one.kind === 'seconds' && other.kind === 'seconds') return { ...one, seconds: one.seconds + other.seconds };
  return 'bytes' in one && 'bytes' in other ? { ...one, bytes: one.bytes + other.bytes } : one;
}
