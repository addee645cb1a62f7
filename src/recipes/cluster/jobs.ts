/**
 * The jobs of a recipe on a cluster, and what each waits for. A step that can be cut is a job of its own, with parts; the
 * steps between two of these run in one job, one after another. Pure.
 */
import { withApplication } from '../../jobs/application';
import { withDefaults } from '../../jobs/complete';
import type { AnyJob } from '../../jobs/define';
import { JOBS } from '../../jobs/definitions';
import type { OptionsFor } from '../../jobs/kinds';
import { CUT_FAULTS } from '../../jobs/parts/faults';
import { type CutKind, isCutKind } from '../../jobs/parts/part-record';
import type { JsonObject } from '../../format/json';
import { needsOf } from '../order';
import type { RecipeStep } from '../recipe';

export interface RecipeJob {
  /** That of its first step. */
  readonly name: string;
  /** In the order in which they run. */
  readonly steps: readonly string[];
  /** Of a job with one step that runs in parts. */
  readonly cut?: { readonly kind: CutKind; readonly parts: number };
  /** Names of the jobs that must have ended well. */
  readonly after: readonly string[];
}

/** What is known of a step before anything runs. */
export interface JobStep {
  readonly step: RecipeStep;
  /** It has limits to keep: nothing after it runs if they are broken. */
  readonly limited: boolean;
  /** Of a step that runs in parts. */
  readonly cut?: RecipeJob['cut'];
}

/** @param steps that run, in their order; what they need besides is done */
export function jobsOf(steps: readonly JobStep[]): RecipeJob[] {
  const jobs: (RecipeJob & { steps: string[]; after: string[] })[] = [];
  const jobWith = (name: string): string | undefined => jobs.find((job) => job.steps.includes(name))?.name;
  const limited: string[] = [];
  for (const { step, cut, limited: isLimited } of steps) {
    const { name } = step;
    const last = jobs.at(-1);
    const job = cut || !last || last.cut ? { name, steps: [], ...(cut && { cut }), after: [] } : last;
    if (job !== last) jobs.push(job);
    for (const needed of [...needsOf(step), ...limited]) {
      const other = jobWith(needed);
      if (other !== undefined && other !== job.name && !job.after.includes(other)) job.after.push(other);
    }
    job.steps.push(name);
    if (isLimited) limited.push(name);
  }
  return jobs;
}

/**
 * The kind of a step that can run in parts, with the options that it has.
 * @param options as far as they are known
 */
export function cutKindOf({ job: kind }: RecipeStep, options: JsonObject): CutKind | undefined {
  if (!isCutKind(kind)) return undefined;
  const job: AnyJob = JOBS[kind];
  const complete = withApplication(job, withDefaults(job, options));
  // Each fault is a function of its own job's options.
  const fault = CUT_FAULTS[kind] as (options: OptionsFor<CutKind>) => object | undefined;
  return fault(complete as OptionsFor<CutKind>) === undefined ? kind : undefined;
}
