/** The engine's side of every job, by its kind. */
import type { Defined, EventFor, Kind, OptionsFor } from '../kinds';
import type { JobContext, Run, RunEnd } from '../run';
import { runCurveJob } from './curve';
import { runEval } from './eval';
import { runGenerate } from './generate';
import { runMerge } from './merge';
import { runPrune } from './prune';
import { runRetrain } from './retrain';
import { runScore } from './score';

const runs = {
  score: runScore,
  curve: runCurveJob,
  eval: runEval,
  generate: runGenerate,
  prune: runPrune,
  merge: runMerge,
  retrain: runRetrain,
} satisfies { readonly [K in Kind]: Run<Defined[K]> };

/** What a run returns within the process, where every number is one. */
export type RunResult<K extends Kind> = Awaited<ReturnType<(typeof runs)[K]>>['result'];

export const RUNS: {
  readonly [K in Kind]: (options: OptionsFor<K>, context: JobContext<EventFor<K>>) => Promise<RunEnd<RunResult<K>>>;
} = runs;
