/** The engine's side of every job, by its kind. */
import type { Defined, EventFor, Kind, OptionsFor } from '../kinds';
import type { JobContext, Run, RunEnd } from '../run';
import { runBench } from './bench';
import { runCurveJob } from './curve';
import { runDraft } from './draft';
import { runEval } from './eval';
import { runExperts } from './experts';
import { runExport } from './export';
import { runFrontier } from './frontier';
import { runGenerate } from './generate';
import { runGridJob } from './grid';
import { runHeal } from './heal';
import { runIterate } from './iterate';
import { runMerge } from './merge';
import { runPrune } from './prune';
import { runRetrain } from './retrain';
import { runSamples } from './samples';
import { runScore } from './score';
import { runSpeeds } from './speeds';
import { runTasks } from './tasks';
import { runWidth } from './width';
import { runVerify } from './verify';
import { runVersus } from './versus';
import { runVocabulary } from './vocabulary';

const runs = {
  score: runScore,
  curve: runCurveJob,
  prune: runPrune,
  width: runWidth,
  experts: runExperts,
  vocabulary: runVocabulary,
  iterate: runIterate,
  heal: runHeal,
  retrain: runRetrain,
  merge: runMerge,
  export: runExport,
  verify: runVerify,
  eval: runEval,
  generate: runGenerate,
  bench: runBench,
  grid: runGridJob,
  speeds: runSpeeds,
  draft: runDraft,
  samples: runSamples,
  tasks: runTasks,
  versus: runVersus,
  frontier: runFrontier,
} satisfies { readonly [K in Kind]: Run<Defined[K]> };

/** The result inside the process, where every number is a number. */
export type RunResult<K extends Kind> = Awaited<ReturnType<(typeof runs)[K]>>['result'];

export const RUNS: {
  readonly [K in Kind]: (options: OptionsFor<K>, context: JobContext<EventFor<K>>) => Promise<RunEnd<RunResult<K>>>;
} = runs;
