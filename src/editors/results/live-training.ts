/** Follows the retraining that runs: its steps as they come, told a few times a second. */
import { basename } from 'node:path';
import type { LiveTraining, PanelRun, TrainingLook, TrainingStep } from '../../protocol/panel';
import type { TrainingEvent } from '../../protocol/training';
import { Throttle } from './throttle';

const TELL_MS = 100;

interface Points {
  readonly steps: readonly TrainingStep[];
  readonly looks: readonly TrainingLook[];
}

export class LiveTrainingFollower {
  private job: string | undefined;
  private out = '';
  private current: LiveTraining | undefined;
  private fresh: { steps: TrainingStep[]; looks: TrainingLook[] } = { steps: [], looks: [] };
  private readonly throttle = new Throttle(TELL_MS, () => this.tell());

  constructor(
    private readonly changed: (training: LiveTraining) => void,
    private readonly grown: (points: Points, training: LiveTraining) => void,
  ) {}

  add(job: string, event: TrainingEvent, out: string): void {
    if (job !== this.job || !this.current) this.begin(job, out);
    if (event.type === 'start') this.show({ total: event.steps });
    if (event.type === 'step') {
      const { step, loss, learningRate, tokens, seconds } = event;
      this.fresh.steps.push({ step, loss, learningRate, tokensPerSecond: seconds > 0 ? tokens / seconds : 0 });
    }
    if (event.type === 'evaluation') this.fresh.looks.push({ step: event.step, ppl: event.ppl });
    this.throttle.ask();
  }

  /**
   * To be called when jobs have ended.
   * @returns the folder of the adapter, when this one has just ended with a record
   */
  finish(jobs: readonly string[], runs: readonly PanelRun[]): string | undefined {
    if (this.job === undefined || jobs.includes(this.job)) return undefined;
    this.throttle.now();
    this.job = undefined;
    const run = runs.find(({ digest }) => digest.training?.output === basename(this.out));
    this.show({ status: run ? 'done' : 'cancelled' });
    return run && this.out;
  }

  dispose(): void {
    this.throttle.dispose();
  }

  private begin(job: string, out: string): void {
    this.throttle.dispose();
    this.fresh = { steps: [], looks: [] };
    this.job = job;
    this.out = out;
    this.current = { status: 'running', title: basename(out), total: 0, steps: [], looks: [] };
    this.changed(this.current);
  }

  private tell(): void {
    const { steps, looks } = this.fresh;
    this.fresh = { steps: [], looks: [] };
    if (!this.current || steps.length + looks.length === 0) return;
    this.current = {
      ...this.current,
      steps: [...this.current.steps, ...steps],
      looks: [...this.current.looks, ...looks],
    };
    this.grown({ steps, looks }, this.current);
  }

  private show(changes: Partial<LiveTraining>): void {
    if (!this.current) return;
    this.tell();
    this.current = { ...this.current, ...changes };
    this.changed(this.current);
  }
}
