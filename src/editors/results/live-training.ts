/** One retraining as it runs: its steps as they come, told a few times a second, and how it ended. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { stateFileOf } from '../../engine/retrain/loop/workspace';
import type { UserFailure } from '../../protocol/errors';
import type { LiveTraining, TrainingEvaluation, TrainingStep } from '../../protocol/panel';
import type { RetrainSpec, TrainingEvent } from '../../protocol/training';
import { Throttle } from './throttle';

const TELL_MS = 100;

export interface TrainingPoints {
  readonly steps: readonly TrainingStep[];
  readonly evaluations: readonly TrainingEvaluation[];
}

/** Who wants to know. */
export interface TrainingListener {
  /** Anything may be another. */
  readonly changed: (training: LiveTraining) => void;
  /** These points came on top. */
  readonly grown: (points: TrainingPoints, training: LiveTraining) => void;
}

export class LiveTrainingFollower {
  private current: LiveTraining;
  private fresh: { steps: TrainingStep[]; evaluations: TrainingEvaluation[] } = { steps: [], evaluations: [] };
  private readonly throttle = new Throttle(TELL_MS, () => this.tell());

  /** @param before what is known of the run that this one goes on with */
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

  /** Whether the state that it can be resumed from exists. */
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
      case 'step': {
        const { step, loss, learningRate, tokens, seconds } = event;
        this.forgetFrom(step);
        this.fresh.steps.push({ step, loss, learningRate, tokensPerSecond: seconds > 0 ? tokens / seconds : 0 });
        break;
      }
      case 'evaluation':
        this.forgetFrom(event.step + 1);
        if (this.current.evaluations.some(({ step }) => step === event.step)) break; // taken again after it was resumed
        this.fresh.evaluations.push({ step: event.step, ppl: event.ppl });
    }
    this.throttle.ask();
  }

  /** @param failure undefined when it was stopped */
  end(status: 'done' | 'failed' | 'cancelled', failure?: UserFailure): void {
    this.throttle.now();
    const resumable = status !== 'done' && this.isKept;
    this.show({ status, ...(failure && { failure }), ...(resumable && { resumable }) });
  }

  dispose(): void {
    this.throttle.dispose();
  }

  /** A run that goes on does so where it was saved last, which may be before where it was seen last. */
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
