/** The lines of the view "Jobs", and their order: what runs, what waits, what was stopped, what has ended. Does not use VS Code. */
import type { StoredRun } from '../../jobs/record-store';
import type { StoppedTraining } from '../../engine/retrain/loop/stopped';
import type { JobInfo, JobSpec } from '../../protocol/jobs';

/** A job that failed. */
export interface FailedJob {
  readonly id: string;
  readonly spec: JobSpec;
  readonly on?: JobInfo['on'];
  readonly error: unknown;
  /** Milliseconds since the epoch. */
  readonly ended: number;
}

/** A job that ended before it was done, and that can run again. */
export interface StoppedJob {
  readonly spec: JobSpec;
  /** It goes on where it was stopped; else it starts again. */
  readonly resumes: boolean;
  /** The user has cancelled it. */
  readonly cancelled?: boolean;
}

/** A run on a cluster of which parts failed. */
export interface FailedParts {
  /** Of the run. */
  readonly folder: string;
  readonly spec: JobSpec;
}

export type JobLine =
  | { readonly kind: 'running' | 'queued'; readonly key: string; readonly info: JobInfo; readonly spec?: JobSpec }
  /** Runs in another window of the same workspace. */
  | { readonly kind: 'elsewhere'; readonly key: string; readonly spec: JobSpec }
  | { readonly kind: 'training'; readonly key: string; readonly training: StoppedTraining }
  | { readonly kind: 'stopped'; readonly key: string; readonly job: StoppedJob }
  | { readonly kind: 'parts'; readonly key: string; readonly run: FailedParts }
  | { readonly kind: 'failed'; readonly key: string; readonly failed: FailedJob }
  | { readonly kind: 'finished'; readonly key: string; readonly run: StoredRun }
  /** Leads to older runs. */
  | { readonly kind: 'more'; readonly key: string };

/** What the lines are made of. */
export interface JobSources {
  /** In their running order. */
  readonly jobs: readonly JobInfo[];
  /** Whether a job waits behind others. */
  readonly isBehind: (id: string) => boolean;
  /** What was asked for, if it is known. */
  readonly specOf?: (id: string) => JobSpec | undefined;
  /** What runs in other windows of the same workspace. */
  readonly elsewhere: readonly JobSpec[];
  readonly trainings: readonly StoppedTraining[];
  readonly stopped: readonly StoppedJob[];
  readonly parts: readonly FailedParts[];
  readonly failed: readonly FailedJob[];
  /** Newest first. */
  readonly runs: readonly StoredRun[];
  /** There are older ones. */
  readonly hasMore: boolean;
}

export function linesOf(sources: JobSources): JobLine[] {
  const { jobs, isBehind, specOf, parts, hasMore } = sources;
  const live = jobs.map((info) => ({
    kind: isBehind(info.id) ? ('queued' as const) : ('running' as const),
    key: `job:${info.id}`,
    info,
    spec: specOf?.(info.id),
  }));
  // A training that goes on has the line of what runs.
  const outsAtWork = new Set(
    [...live.map(({ spec }) => spec), ...sources.elsewhere].map((spec) => spec && outOf(spec)),
  );
  const trainings = sources.trainings.filter(({ out }) => !outsAtWork.has(out));
  const outs = new Set(trainings.map(({ out }) => out));
  const hasLine = (spec: JobSpec): boolean => outs.has(outOf(spec) ?? '');
  const stopped = sources.stopped.filter(({ spec }) => !hasLine(spec));
  return [
    ...live.filter(({ kind }) => kind === 'running'),
    ...live.filter(({ kind }) => kind === 'queued'),
    ...elsewhereLines(sources.elsewhere),
    ...trainings.map((training) => ({ kind: 'training' as const, key: `training:${training.out}`, training })),
    ...stopped.map((job) => ({ kind: 'stopped' as const, key: `stopped:${JSON.stringify(job.spec)}`, job })),
    ...parts.map((run) => ({ kind: 'parts' as const, key: `parts:${run.folder}`, run })),
    ...endedLines(sources, hasLine),
    ...(hasMore ? [{ kind: 'more' as const, key: 'more' }] : []),
  ];
}

const outOf = (spec: JobSpec): string | undefined =>
  'out' in spec && typeof spec.out === 'string' ? spec.out : undefined;

function elsewhereLines(specs: readonly JobSpec[]): JobLine[] {
  const keys = specs.map((spec) => `elsewhere:${JSON.stringify(spec)}`);
  // Two windows may do the same.
  return specs.flatMap((spec, i) => (keys.indexOf(keys[i]) < i ? [] : [{ kind: 'elsewhere', key: keys[i], spec }]));
}

/** Failed and finished jobs, newest first. A training that failed and can be resumed is among the stopped ones. */
function endedLines({ failed, runs }: JobSources, hasLine: (spec: JobSpec) => boolean): JobLine[] {
  const ended = [
    ...failed
      .filter(({ spec }) => !hasLine(spec))
      .map((each) => ({
        at: each.ended,
        line: { kind: 'failed' as const, key: `failed:${each.id}`, failed: each },
      })),
    ...runs.map((run) => ({
      at: Date.parse(run.digest.finished),
      line: { kind: 'finished' as const, key: `run:${run.file}`, run },
    })),
  ];
  return ended.sort((a, b) => b.at - a.at).map(({ line }) => line);
}
