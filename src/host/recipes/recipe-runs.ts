/** Runs recipes by the sidecar, each once at a time, and knows how far they are. Does not use VS Code. */
import { messageOf, UserError } from '../../engine/errors';
import type { MachineSpeeds } from '../../estimates/machine';
import { l10n } from '../../l10n';
import type { JobRunner, RunnerOptions } from '../../jobs/runner';
import type { Compute, JobKind, JobOutcome, Jobs, JobSpec, ProgressInfo } from '../../protocol/jobs';
import type { Progress } from '../../engine/progress';
import type { ReportAssets } from '../../engine/records/report';
import type { RecipeRequest } from '../../recipes/plan';
import type { RecipeRun } from '../../recipes/run';
import type { RecipeEnd, RecipeEvent, RecipePlan } from '../../recipes/types';
import type { SidecarClient } from '../../sidecar/client';
import { Emitter } from '../../sidecar/emitter';
import { progressLine } from '../../state/words/progress-words';

/** A run that goes on. */
export interface RunningRecipe {
  readonly plan?: RecipePlan;
  /** The step that runs, its place among all, and how many these are. */
  readonly step?: string;
  readonly at: number;
  readonly of: number;
  /** Of the step. */
  readonly progress?: ProgressInfo;
  /** Of the whole, from 0 to 1. */
  readonly share: number;
}

/** A step that runs elsewhere than in the sidecar. */
export interface StepElsewhere {
  readonly step: string;
  readonly run: (spec: JobSpec, options: RunnerOptions<JobKind>) => Promise<JobOutcome>;
}

export interface RecipeStart {
  readonly signal: AbortSignal;
  readonly elsewhere?: StepElsewhere;
  /** In place of the setting. */
  readonly device?: Compute['device'];
  readonly onEvent?: (event: RecipeEvent) => void;
}

interface Host {
  readonly sidecar: Pick<SidecarClient, 'run'>;
  readonly config: { readonly compute: Compute };
  readonly library: { rescanSoon(): void };
  readonly log: { warn(text: string): void };
  readonly speeds: MachineSpeeds;
  /** What draws the charts of reports. */
  readonly assets: () => Promise<ReportAssets>;
}

export class RecipeRuns {
  private readonly running = new Map<string, RunningRecipe & { readonly cancel: () => void }>();
  private readonly ended = new Map<string, RecipeEnd>();
  private readonly changed = new Emitter<string>();
  /** A run has begun, gone on or ended: the path of its recipe. */
  readonly onChange = this.changed.on;

  constructor(private readonly host: Host) {}

  of(file: string): RunningRecipe | undefined {
    return this.running.get(file);
  }

  /** The recipes that run. */
  get files(): readonly string[] {
    return [...this.running.keys()];
  }

  /** The last run of the recipe in this window. */
  last(file: string): RecipeEnd | undefined {
    return this.ended.get(file);
  }

  /** Ends the run; what is finished stays. @returns whether there was one */
  cancel(file: string): boolean {
    const running = this.running.get(file);
    running?.cancel();
    return running !== undefined;
  }

  /** @throws UserError if it cannot begin; CancelledError */
  async run(request: RecipeRequest, options: RecipeStart): Promise<RecipeRun> {
    const { file, name } = request.recipe;
    if (this.running.has(file)) {
      throw new UserError(
        l10n.t('The recipe “{0}” is running', name),
        l10n.t('a recipe runs once at a time'),
        l10n.t('Wait for its end, or cancel it.'),
      );
    }
    const controller = new AbortController();
    this.running.set(file, { at: 0, of: 0, share: 0, cancel: () => controller.abort() });
    this.changed.fire(file);
    try {
      // What runs recipes is loaded with the first run.
      const [{ runRecipe }, { estimatesOf }] = await Promise.all([
        import('../../recipes/run'),
        import('../../recipes/times'),
      ]);
      const ran = await runRecipe(request, this.runner(file, options), {
        signal: AbortSignal.any([options.signal, controller.signal]),
        estimate: estimatesOf(request, this.host.speeds),
        onProgress: (progress) => this.tell(file, { share: shareOf(progress) }),
        onEvent: (event) => {
          this.hear(file, event);
          options.onEvent?.(event);
        },
      });
      this.ended.set(file, ran.end);
      await this.report(ran.end);
      return ran;
    } finally {
      this.running.delete(file);
      this.changed.fire(file);
      this.host.library.rescanSoon(); // there may be new checkpoints
    }
  }

  /** A report that cannot be written fails no run. */
  private async report(end: RecipeEnd): Promise<void> {
    try {
      const { writeReport } = await import('../../recipes/report/write');
      await writeReport(end, await this.host.assets());
    } catch (error) {
      this.host.log.warn(`The report of ${end.recipe.name} cannot be written: ${messageOf(error)}`);
    }
  }

  private hear(file: string, event: RecipeEvent): void {
    if (event.type === 'plan') this.tell(file, { plan: event.plan });
    const { step, at, of } = event.type === 'start' ? event : { step: undefined, at: 0, of: 0 };
    if (event.type === 'start') this.tell(file, { step, at: at + 1, of, progress: undefined });
    if (event.type === 'end') this.tell(file, { step, progress: undefined });
  }

  private tell(file: string, news: Partial<RunningRecipe>): void {
    const running = this.running.get(file);
    if (!running) return;
    this.running.set(file, { ...running, ...news });
    this.changed.fire(file);
  }

  /** Device and memory are those of the settings where the recipe says nothing of them. */
  private runner(file: string, { device, elsewhere }: RecipeStart): JobRunner {
    const { sidecar, config } = this.host;
    return async <K extends JobKind>(spec: Jobs[K]['spec'], options: RunnerOptions<K> = {}) => {
      const { signal, onProgress, onEvent } = options as RunnerOptions<JobKind>;
      const told = (progress: ProgressInfo): void => {
        this.tell(file, { progress });
        onProgress?.(progress);
      };
      // The compiler does not see that each kind's spec is one of all.
      if (elsewhere !== undefined && this.of(file)?.step === elsewhere.step)
        return elsewhere.run(spec as JobSpec, { signal, onProgress: told });
      const complete = { ...config.compute, ...(device && { device }), ...spec } as JobSpec;
      const outcome = await sidecar.run(complete, { isPart: true, signal, onProgress: told, onEvent });
      return outcome;
    };
  }
}

const shareOf = ({ done, total }: Progress): number => (total > 0 ? Math.min(1, done / total) : 0);

/** The state of a run in a line: "2 of 3, pruned: block 4 of 30 · 1 %". */
export function runningLine({ step, at, of, progress }: RunningRecipe): string {
  if (step === undefined) return l10n.t('Preparing…');
  return l10n.t('{0} of {1}, {2}: {3}', at, of, step, progress ? progressLine(progress) : l10n.t('Preparing…'));
}
