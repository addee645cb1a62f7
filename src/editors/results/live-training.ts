/** One retraining as it runs: its steps as they come, told a few times a second, and how it ended. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { stateFileOf } from '../../engine/retrain/loop/workspace';
import type { UserFailure } from '../../protocol/errors';
import type { LiveTraining, TrainingLook, TrainingStep } from '../../protocol/panel';
import type { RetrainSpec, TrainingEvent } from '../../protocol/training';
import { Throttle } from './throttle';

const TELL_MS = 100;

export interface TrainingPoints {
  readonly steps: readonly TrainingStep[];
  readonly looks: readonly TrainingLook[];
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
  private fresh: { steps: TrainingStep[]; looks: TrainingLook[] } = { steps: [], looks: [] };
  private readonly throttle = new Throttle(TELL_MS, () => this.tell());

  /** @param before what is known of the run that this one goes on with */
  constructor(
    readonly job: string,
    readonly spec: RetrainSpec,
    private readonly listener: TrainingListener,
    before: TrainingPoints = { steps: [], looks: [] },
  ) {
    const { steps, looks } = before;
    this.current = { status: 'running', title: basename(spec.out), total: 0, steps, looks };
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
        const { steps, looks } = event.resumed ? this.current : { steps: [], looks: [] };
        this.show({ total: event.steps, steps, looks });
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
        if (this.current.looks.some(({ step }) => step === event.step)) break; // taken again after it was resumed
        this.fresh.looks.push({ step: event.step, ppl: event.ppl });
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
    const looks = this.current.looks.filter((earlier) => earlier.step < step);
    const { current } = this;
    if (steps.length < current.steps.length || looks.length < current.looks.length) this.show({ steps, looks });
  }

  private tell(): void {
    const { steps, looks } = this.fresh;
    this.fresh = { steps: [], looks: [] };
    if (steps.length + looks.length === 0) return;
    this.current = {
      ...this.current,
      steps: [...this.current.steps, ...steps],
      looks: [...this.current.looks, ...looks],
    };
    this.listener.grown({ steps, looks }, this.current);
  }

  private show(changes: Partial<LiveTraining>): void {
    this.tell();
    this.current = { ...this.current, ...changes };
    this.listener.changed(this.current);
  }
}
