/**
 * How long each step of a recipe is expected to take: as long as the last time, scaled by how much its work has changed;
 * else as any job. Reads headers and sizes of files only.
 */
import { timeOf } from '../estimates/job';
import type { MachineSpeeds } from '../estimates/machine';
import { machineMemory, memoryOf } from '../estimates/memory';
import type { JsonObject } from '../format/json';
import type { StepEstimate } from './plan';
import type { RecipeStep } from './recipe';
import { type Around, StepModels } from './step-models';
import type { Expected } from './types';

/** Above this factor a step is not the same as the last time. */
const ALIKE = 20;

/** Estimates the steps of a recipe. @param around the recipe with the values of this run */
export function stepEstimator(around: Around, speeds: MachineSpeeds): StepEstimate {
  const models = new StepModels(around);
  const expectedOf = async (
    { job: kind }: Pick<RecipeStep, 'job'>,
    options: JsonObject | undefined,
  ): Promise<Expected | undefined> => {
    if (options === undefined) return undefined;
    await models.open(options);
    const time = timeOf({ kind, options }, models, speeds);
    if (!time || !Number.isFinite(time.seconds)) return undefined;
    const memoryBytes = memoryOf({ kind, options }, models, machineMemory());
    const { seconds, measured } = time;
    return { seconds, from: measured ? 'speed' : 'guess', ...(memoryBytes !== undefined && { memoryBytes }) };
  };
  return async ({ step, options, before }) => {
    const now = await expectedOf(step, options ?? models.options(step));
    if (before === undefined) return now;
    const then = await expectedOf(step, before.options);
    if (now === undefined || then === undefined) return { ...now, seconds: before.seconds, from: 'before' };
    const change = now.seconds / then.seconds;
    if (change > ALIKE || change < 1 / ALIKE) return now;
    return { ...now, seconds: before.seconds * change, from: 'before' };
  };
}
