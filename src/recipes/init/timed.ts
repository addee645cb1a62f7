/** The training of a recipe for a time: how much of it lets choosing, healing and training end in the minutes that are asked for. */
import { resolve } from 'node:path';
import { requireArchitecture } from '../../engine/checkpoint/open';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { endBlocks } from '../../engine/importance/select';
import type { JobOptions } from '../../engine/progress';
import { workOf } from '../../estimates/job';
import { MachineSpeeds, type Time } from '../../estimates/machine';
import { factsOf, modelsAt } from '../../estimates/models';
import type { JsonObject } from '../../format/json';
import { HEAL_FIRST } from '../../jobs/heals-first';
import { SELF } from '../../jobs/healing-amounts';
import { LEAST_STEPS } from '../../jobs/retrain-amounts';
import { dataAmount } from '../../jobs/training-data';
import { needsEnds, smallest } from './choose';
import { dataTraining, ownTraining, TIMED, type TimedTraining } from './minutes';
import type { TextsNearby } from './texts';
import { trialOptions, tryTraining } from './trial';
import type { RecipeWish } from './wish';

/** A training that fits a time, and how long it takes with what comes before it. */
export interface Timed extends TimedTraining {
  /** Blocks that are not chosen. */
  readonly keep: readonly number[];
  readonly time: Time;
}

/**
 * The training that lets choosing, healing and training end in the time that is asked for. How fast the machine trains this model is
 * tried where that is short beside it.
 */
export async function timedTraining(
  checkpoint: Checkpoint,
  { minutes = 0, timing = { speeds: MachineSpeeds.none() }, data, application, calibration }: RecipeWish,
  {
    count,
    texts,
    job,
  }: { readonly count: number; readonly texts: Pick<TextsNearby, 'calibration'>; readonly job: JobOptions },
): Promise<Timed> {
  const { path } = checkpoint;
  const { speeds, run } = timing;
  const models = modelsAt((named) => (named === path ? factsOf(checkpoint) : undefined));
  const architecture = requireArchitecture(checkpoint);
  const blocks = architecture.layers.length;
  const remove = smallest(architecture, count);
  const keep = needsEnds(blocks, count) ? [] : endBlocks(blocks);
  const own = application ?? data;
  const text = application === undefined ? { calibration: calibration ?? texts.calibration } : { application };
  const read = application !== undefined ? { application } : { data: [data ?? SELF] };
  const taught = { checkpoint: path, remove, teacher: path, heal: HEAL_FIRST, ...TIMED };
  const timeOf = (kind: 'score' | 'retrain', options: object): Time =>
    speeds.time(workOf({ kind, options: options as JsonObject }, models) ?? []);
  const seconds = 60 * minutes;
  if (run && timeOf('retrain', trialOptions(path, remove, path)).seconds < TRIAL_SHARE * seconds) {
    await tryTraining(path, remove, run, job);
  }
  const scoring = timeOf('score', { checkpoint: path, criterion: 'energy', count, keep, ...text });
  const timeWith = (training: TimedTraining): Time => {
    const { seconds: trained, measured } = timeOf('retrain', { ...taught, ...read, ...training });
    return { seconds: scoring.seconds + trained, measured };
  };
  const secondsOf = (training: TimedTraining): number => timeWith(training).seconds;
  const examples =
    own === undefined ? 0 : (dataAmount([resolve(own)], TIMED.length)?.examples ?? LEAST_STEPS * TIMED.batch);
  const training = own === undefined ? ownTraining(seconds, secondsOf) : dataTraining(seconds, examples, secondsOf);
  return { ...training, keep, time: timeWith(training) };
}

/** The most of the time that a trial may take before. */
const TRIAL_SHARE = 0.2;
