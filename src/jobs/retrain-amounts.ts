/** How much a retraining trains: its batch, its steps, and the steps that fit into a time. Pure. */
import { DEFAULTS } from '../engine/retrain/defaults';

/** Steps of a pass for little data; the batch shrinks to reach them (engine/retrain/settings.ts). */
const STEPS_PER_PASS = 50;
const LEAST_BATCH = 4;

/** Passes over the data beyond which a repeated text teaches little (Muennighoff et al. 2023). */
export const MOST_PASSES = 4;

/** Rows of a step, where none are asked for. @param examples rows of the data */
export const usualBatch = (examples: number): number =>
  Math.min(examples, DEFAULTS.batch, Math.max(LEAST_BATCH, Math.floor(examples / STEPS_PER_PASS)));

/** Steps of some passes over the data, at least one. */
export const stepsOfPasses = (passes: number, examples: number, batch: number): number =>
  Math.max(1, Math.round(passes * Math.max(1, Math.floor(examples / batch))));

/** Passes over the data that the steps make. */
export const passesOfSteps = (steps: number, examples: number, batch: number): number => (steps * batch) / examples;

/**
 * The most steps that take no longer than `seconds`: at least one, at most `most`.
 * @param timeOf seconds of so many steps; more steps never take less
 */
export function stepsWithin(seconds: number, most: number, timeOf: (steps: number) => number): number {
  if (timeOf(most) <= seconds) return most;
  let [fits, tooMany] = [1, most];
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (timeOf(middle) <= seconds) fits = middle;
    else tooMany = middle;
  }
  return fits;
}

/** A ready choice of how long to train. */
export interface Preset {
  readonly name: 'minutes' | 'halfHour' | 'overnight' | 'passes';
  readonly steps: number;
  /** The data end it, not the time. */
  readonly limited: boolean;
}

/** Presets by time, in seconds. */
export const PRESET_SECONDS = { minutes: 5 * 60, halfHour: 30 * 60, overnight: 8 * 3600 } as const;

/**
 * The presets for this data: those by time, each at most `MOST_PASSES` passes, and two passes. A longer one that would be the same as
 * a shorter is left out.
 */
export function presetsOf(examples: number, batch: number, timeOf: (steps: number) => number): Preset[] {
  const most = stepsOfPasses(MOST_PASSES, examples, batch);
  const byTime = Object.entries(PRESET_SECONDS) as [keyof typeof PRESET_SECONDS, number][];
  const presets = byTime.map(([name, seconds]): Preset => {
    const steps = stepsWithin(seconds, most, timeOf);
    return { name, steps, limited: steps === most };
  });
  const enough = presets.findIndex(({ limited }) => limited);
  const passes: Preset = {
    name: 'passes',
    steps: stepsOfPasses(DEFAULTS.epochs, examples, batch),
    limited: false,
  };
  return [...(enough === -1 ? presets : presets.slice(0, enough + 1)), passes];
}

/** The preset that Enter takes: two passes if they are done within half an hour, otherwise half an hour. */
export function usualPreset(presets: readonly Preset[], timeOf: (steps: number) => number): Preset {
  const passes = presets.find(({ name }) => name === 'passes')!;
  if (timeOf(passes.steps) <= PRESET_SECONDS.halfHour) return passes;
  return presets.find(({ name }) => name === 'halfHour') ?? presets[0];
}
