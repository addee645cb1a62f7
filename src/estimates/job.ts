/**
 * The work of a job, before it starts: one table over its kind, its options and the facts of its models. Recipes, editor, agents
 * and cluster all ask here, so that they show the same time for the same job. Arithmetic on headers and sizes of files.
 */
import type { JsonObject } from '../format/json';
import { withApplication } from '../jobs/application';
import { withDefaults } from '../jobs/complete';
import { JOBS } from '../jobs/definitions';
import type { Kind } from '../jobs/kinds';
import { curve, heal, iterate, prune, score } from './choosing';
import { frontier } from './frontier';
import type { MachineSpeeds, Time } from './machine';
import * as measuring from './measuring';
import { columnsIn, countIn, type ModelFacts, type Models, someBlocks } from './models';
import { retrain } from './retraining';
import { computes, opening, starting, type Work } from './work';
import { exporting, hasQuantized, merge, verify } from './writing';

/** What is estimated. */
export interface AskedJob {
  readonly kind: Kind;
  /** As they are given: the defaults of the job are added. */
  readonly options: JsonObject;
}

/** A job whose work is estimated. */
export interface EstimatedJob {
  readonly kind: Kind;
  readonly options: JsonObject;
  readonly models: Models;
  /** The model that it works on, whole. */
  readonly model: ModelFacts;
  /** Blocks that it leaves out of that. */
  readonly removed: readonly number[];
}

/** The work of a job; undefined where an amount is not known. */
export type WorkOf = (job: EstimatedJob) => readonly Work[] | undefined;

const WORK: Readonly<Record<Kind, WorkOf>> = {
  score,
  curve,
  prune,
  heal,
  iterate,
  retrain,
  width: measuring.width,
  experts: measuring.experts,
  vocabulary: measuring.vocabulary,
  eval: measuring.evaluate,
  tasks: measuring.tasks,
  generate: measuring.generate,
  draft: measuring.draft,
  samples: measuring.samples,
  bench: measuring.bench,
  speeds: measuring.speeds,
  grid: measuring.grid,
  versus: measuring.versus,
  frontier,
  merge,
  export: exporting,
  verify,
};

/** They run each of several models. */
const OVER_SEVERAL: readonly Kind[] = ['tasks', 'samples', 'speeds', 'grid'];

/** They run on tokens of no text, and open no tokenizer. */
const WITHOUT_TEXTS: readonly Kind[] = ['bench', 'speeds', 'grid'];

/** The work of a job with its start; undefined where a model or an amount is not known. */
export function workOf(asked: AskedJob, models: Models): readonly Work[] | undefined {
  const job = estimatedJob(asked, models);
  if (job === undefined) return undefined;
  const { kind, model } = job;
  const work = WORK[kind](job);
  if (work === undefined) return undefined;
  const opened = (OVER_SEVERAL.includes(kind) ? measuring.modelsOf(job) : undefined) ?? [model.architecture];
  const how = { texts: !WITHOUT_TEXTS.includes(kind), quantized: hasQuantized(model) };
  return [...starting(model), ...(computes(work) ? opened.map((each) => opening(each, how)) : []), ...work];
}

/** How long a job takes on this machine. @param provider what computes; anything if unknown */
export function timeOf(asked: AskedJob, models: Models, speeds: MachineSpeeds, provider?: string): Time | undefined {
  const work = workOf(asked, models);
  return work && speeds.time(work, provider);
}

/** The job with its defaults and its model; undefined where that is not known. */
export function estimatedJob({ kind, options: given }: AskedJob, models: Models): EstimatedJob | undefined {
  const options = withApplication(JOBS[kind], withDefaults(JOBS[kind], given));
  const { checkpoint, checkpoints, columns, against, output } = options;
  const several: readonly unknown[] = Array.isArray(checkpoints) ? checkpoints : [];
  const model = models.at(checkpoint ?? several.at(-1) ?? columnsIn(columns).at(-1)?.checkpoint ?? against ?? output);
  return model && { kind, options, models, model, removed: removedBy(kind, options, model, models) };
}

/** Blocks that a job leaves out of its model: those that it names, else as many as it is asked for. */
export function removedBy(
  kind: Kind,
  options: JsonObject,
  { architecture }: Pick<ModelFacts, 'architecture'>,
  models: Models,
): readonly number[] {
  const { remove, heal: healed, adapter, blocks } = options;
  for (const value of [remove ?? blocks, healed, adapter]) {
    const named = models.blocks(value, architecture);
    if (named.length > 0) return named;
  }
  return kind === 'prune' || kind === 'iterate' ? someBlocks(architecture, countIn(options, architecture)) : [];
}
