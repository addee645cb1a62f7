/** The desk over a runner of jobs: gives ids, waits, and keeps what ended for a while. */
import { defined } from '../format/defined';
import { CancelledError } from '../engine/errors';
import type { JobOptions, Progress } from '../engine/progress';
import { PROGRAM_OPTIONS } from '../jobs/options/consumers';
import type { JobRunner } from '../jobs/runner';
import type { JobKind, Jobs, JobSpec, ProgressInfo } from '../protocol/jobs';
import type { DeskEntry, DeskJob, DeskTask, JobDesk, Task } from './desk';

/** Ended jobs that are kept, the newest: an agent asks for them by id, and their results stay in memory. */
const MOST_ENDED = 50;

/** A job with what only the desk needs. */
interface Entry {
  job: DeskEntry;
  readonly controller: AbortController;
  /** Resolves at the end of the job, whatever it is. */
  readonly ended: Promise<void>;
}

export class RunnerDesk implements JobDesk {
  /** By id, the oldest first. */
  private readonly entries = new Map<string, Entry>();
  private readonly counts = new Map<string, number>();

  private readonly run: JobRunner;

  constructor(run: JobRunner) {
    this.run = (spec, options) => run(withoutPrograms(spec), options);
  }

  get jobs(): readonly DeskJob[] {
    return this.all.filter((entry) => 'spec' in entry);
  }

  get all(): readonly DeskEntry[] {
    return [...this.entries.values()].map(({ job }) => job).reverse();
  }

  async start<K extends JobKind>(spec: Jobs[K]['spec'], waitMs: number, signal?: AbortSignal): Promise<DeskJob<K>> {
    const job: DeskJob = { id: this.nextId(spec.kind), spec: spec as JobSpec, state: 'running', started: new Date() };
    const run = async (options: JobOptions) => ({ outcome: await this.run<K>(spec, options) });
    return (await this.enter(job, run, waitMs, signal)) as DeskJob<K>;
  }

  async begin(task: Task, waitMs: number, signal?: AbortSignal): Promise<DeskTask> {
    const { name, title, subject, remains } = task;
    const entry: DeskTask = { id: this.nextId(name), title, subject, remains, state: 'running', started: new Date() };
    const run = async (options: JobOptions) => ({ answer: await task.run(this.run, options) });
    return (await this.enter(entry, run, waitMs, signal)) as DeskTask;
  }

  /** Runs what the entry stands for, and waits. */
  private async enter(
    job: DeskEntry,
    run: (options: JobOptions) => Promise<Partial<DeskEntry>>,
    waitMs: number,
    signal?: AbortSignal,
  ): Promise<DeskEntry> {
    const { id } = job;
    const controller = new AbortController();
    const running = run({
      signal: controller.signal,
      onProgress: (progress) => this.change(id, { progress: infoOf(progress) }),
    });
    const ended = running.then(
      (found) => this.end(id, { state: 'done', ...found }),
      (error: unknown) =>
        this.end(id, error instanceof CancelledError ? { state: 'cancelled' } : { state: 'failed', error }),
    );
    this.entries.set(id, { job, controller, ended });
    const cancel = (): void => controller.abort();
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    await within(ended, waitMs);
    signal?.removeEventListener('abort', cancel);
    return this.entries.get(id)!.job;
  }

  async look(id: string, waitMs: number, signal?: AbortSignal): Promise<DeskEntry | undefined> {
    const entry = this.entries.get(id);
    if (!entry) return undefined;
    await within(entry.ended, waitMs, signal);
    return entry.job;
  }

  cancel(id: string): boolean {
    const entry = this.entries.get(id);
    if (entry?.job.state !== 'running') return false;
    entry.controller.abort();
    return true;
  }

  private nextId(kind: string): string {
    const count = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, count);
    return `${kind}-${count}`;
  }

  private change(id: string, how: Partial<DeskEntry>): void {
    const entry = this.entries.get(id);
    if (entry) entry.job = { ...entry.job, ...how };
  }

  private end(id: string, how: Partial<DeskEntry>): void {
    this.change(id, { ...how, ended: new Date() });
    const ended = [...this.entries].filter(([, { job }]) => job.state !== 'running');
    for (const [old] of ended.slice(0, -MOST_ENDED)) this.entries.delete(old);
  }
}

/** No agent starts programs of others, whatever it or a recipe asks for. */
function withoutPrograms<S extends object>(spec: S): S {
  if (!PROGRAM_OPTIONS.some((name) => name in spec)) return spec;
  const others = Object.entries(spec).filter(([name]) => !PROGRAM_OPTIONS.some((each) => each === name));
  return Object.fromEntries(others) as S;
}

/** A runner that knows the rate says it; others only how far they are. */
function infoOf({ label, done, total, unit, ...more }: Progress & Partial<ProgressInfo>): ProgressInfo {
  const { perSecond, secondsLeft } = more;
  return {
    ...{ label, done, total, unit },
    ...defined({ perSecond, secondsLeft }),
  };
}

/** Waits for the end of `ended`, of the time, or of the caller's patience: whichever comes first. */
async function within(ended: Promise<void>, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  let stop = (): void => undefined;
  const over = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    stop = () => {
      clearTimeout(timer);
      resolve();
    };
    signal?.addEventListener('abort', stop, { once: true });
  });
  await Promise.race([ended, over]);
  stop();
  signal?.removeEventListener('abort', stop);
}
