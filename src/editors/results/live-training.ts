/** Follows a running retraining. It reports new steps a few times a second, and the outcome. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { stateFileOf } from '../../engine/retrain/loop/workspace';
import type { UserFailure } from '../../protocol/errors';
import type { LiveTraining, TrainingEvaluation, TrainingStep } from '../../protocol/panel';
import type { RetrainSpec } from '../../protocol/jobs';
import type { TrainingEvent } from '../../protocol/training';
import { Throttle } from '../../sidecar/timers';

const TELL_MS = 100;

export interface TrainingPoints {
  readonly steps: readonly TrainingStep[];
  readonly evaluations: readonly TrainingEvaluation[];
}

/** Gets the news of a training. */
export interface TrainingListener {
  /** Any part may have changed. */
  readonly changed: (training: LiveTraining) => void;
  /** These points are new. */
  readonly grown: (points: TrainingPoints, training: LiveTraining) => void;
}

export class LiveTrainingFollower {
  private current: LiveTraining;
  private fresh: { steps: TrainingStep[]; evaluations: TrainingEvaluation[] } = { steps: [], evaluations: [] };
  private readonly throttle = new Throttle(TELL_MS, () => this.tell());

  /** @param before the known points of the run that this one resumes */
  constructor(
    readonly job: string,
    readonly spec: RetrainSpec,
    private readonly listener: TrainingListener,
    before: TrainingPoints = { steps: [], evaluations: [] },
  ) {
    const { steps, evaluations } = before;
    this.current = { status: 'running', title: basename(spec.out), total: 0, steps, evaluations };
    listener.changed(this.current);
  }

  get state(): LiveTraining {
    return this.current;
  }

  /** Whether the saved state for resuming exists. */
  get isKept(): boolean {
    return existsSync(stateFileOf(this.spec.out));
  }

  add(event: TrainingEvent): void {
    switch (event.type) {
      case 'start': {
        const { steps, evaluations } = event.resumed ? this.current : { steps: [], evaluations: [] };
        this.show({ total: event.steps, steps, evaluations });
        return;
      }
      case 'unpruned':
        this.show({ unpruned: event.ppl });
        return;
      case 'step': {
        const { step, loss, learningRate, tokens, seconds } = event;
        this.forgetFrom(step);
        this.fresh.steps.push({ step, loss, learningRate, tokensPerSecond: seconds > 0 ? tokens / seconds : 0 });
        break;
      }
      case 'evaluation':
        this.forgetFrom(event.step + 1);
        if (this.current.evaluations.some(({ step }) => step === event.step)) break; // repeated after resuming
        this.fresh.evaluations.push({ step: event.step, ppl: event.ppl });
    }
    this.throttle.ask();
  }

  /** @param failure undefined if the user stopped it */
  end(status: 'done' | 'failed' | 'cancelled', failure?: UserFailure): void {
    this.throttle.now();
    const resumable = status !== 'done' && this.isKept;
    this.show({ status, ...(failure && { failure }), ...(resumable && { resumable }) });
  }

  dispose(): void {
    this.throttle.dispose();
  }

  /** Drops points from `step` on. A resumed run continues from its last save, which may be before its last report. */
  private forgetFrom(step: number): void {
    const steps = this.current.steps.filter((earlier) => earlier.step < step);
    const evaluations = this.current.evaluations.filter((earlier) => earlier.step < step);
    const { current } = this;
    if (steps.length < current.steps.length || evaluations.length < current.evaluations.length)
      this.show({ steps, evaluations });
  }

  private tell(): void {
    const { steps, evaluations } = this.fresh;
    this.fresh = { steps: [], evaluations: [] };
    if (steps.length + evaluations.length === 0) return;
    this.current = {
      ...this.current,
      steps: [...this.current.steps, ...steps],
      evaluations: [...this.current.evaluations, ...evaluations],
    };
    this.listener.grown({ steps, evaluations }, this.current);
  }

  private show(changes: Partial<LiveTraining>): void {
    this.tell();
    this.current = { ...this.current, ...changes };
    this.listener.changed(this.current);
  }
}
