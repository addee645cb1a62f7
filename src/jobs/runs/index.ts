/** The engine's side of every job, by its kind. The code of a job is loaded when one of its kind runs. */
import type { Defined, EventFor, Kind, OptionsFor } from '../kinds';
import type { JobContext, Run, RunEnd } from '../run';

/** The run that `load` gives. */
const later =
  <A extends unknown[], R>(load: () => Promise<(...given: A) => Promise<R>>) =>
  async (...given: A): Promise<R> =>
    (await load())(...given);

const runs = {
  score: later(async () => (await import('./score')).runScore),
  curve: later(async () => (await import('./curve')).runCurveJob),
  prune: later(async () => (await import('./prune')).runPrune),
  width: later(async () => (await import('./width')).runWidth),
  iterate: later(async () => (await import('./iterate')).runIterate),
  heal: later(async () => (await import('./heal')).runHeal),
  retrain: later(async () => (await import('./retrain')).runRetrain),
  merge: later(async () => (await import('./merge')).runMerge),
  export: later(async () => (await import('./export')).runExport),
  verify: later(async () => (await import('./verify')).runVerify),
  eval: later(async () => (await import('./eval')).runEval),
  generate: later(async () => (await import('./generate')).runGenerate),
  bench: later(async () => (await import('./bench')).runBench),
  grid: later(async () => (await import('./grid')).runGridJob),
  speeds: later(async () => (await import('./speeds')).runSpeeds),
  samples: later(async () => (await import('./samples')).runSamples),
  tasks: later(async () => (await import('./tasks')).runTasks),
  versus: later(async () => (await import('./versus')).runVersus),
} satisfies { readonly [K in Kind]: Run<Defined[K]> };

/** The result inside the process, where every number is a number. */
export type RunResult<K extends Kind> = Awaited<ReturnType<(typeof runs)[K]>>['result'];

export const RUNS: {
  readonly [K in Kind]: (options: OptionsFor<K>, context: JobContext<EventFor<K>>) => Promise<RunEnd<RunResult<K>>>;
} = runs;
