/**
 * Follows every retraining from its start, even without a panel. So a panel that opens later shows all of it. The newest
 * retraining of each checkpoint is kept while the window is open.
 */
import { basename } from 'node:path';
import { isTrainingOf, resumingSpec } from '../../host/jobs/resuming-spec';
import { CancelledError } from '../../engine/errors';
import type { StoppedTraining } from '../../engine/retrain/loop/stopped';
import type { UserFailure } from '../../protocol/errors';
import type { LiveTraining } from '../../protocol/panel';
import type { JobEvent } from '../../protocol/jobs';
import type { RetrainSpec } from '../../protocol/jobs';
import type { TrainingEvent } from '../../protocol/training';
import type { JobEnded, SidecarClient } from '../../sidecar/client';
import { Emitter, type Subscription } from '../../sidecar/emitter';
import { LiveTrainingFollower, type TrainingListener, type TrainingPoints } from './live-training';

/** News for the panels of one checkpoint. Without points, any part may have changed. */
interface News {
  readonly checkpoint: string;
  readonly training: LiveTraining;
  readonly points?: TrainingPoints;
}

/** Whether the event is one of a training. */
const isOfTraining = (event: JobEvent): event is TrainingEvent =>
  ['start', 'unpruned', 'step', 'evaluation'].includes(event.type);

export class Trainings {
  private readonly newest = new Map<string, LiveTrainingFollower>();
  private readonly news = new Emitter<News>();
  private readonly subscriptions: Subscription[];

  /**
   * @param failureOf converts an error for the user
   * @param stopped stopped trainings, of this window or an earlier one
   */
  constructor(
    sidecar: Pick<SidecarClient, 'onEvent' | 'onEnded'>,
    private readonly failureOf: (error: unknown) => UserFailure | undefined,
    private readonly stopped: () => readonly StoppedTraining[] = () => [],
  ) {
    this.subscriptions = [
      sidecar.onEvent(({ id, spec, event }) => {
        if (spec.kind === 'retrain' && isOfTraining(event)) this.followerOf(id, spec).add(event);
      }),
      sidecar.onEnded((end) => this.ended(end)),
    ];
  }

  /**
   * The running or last retraining, else one that stopped in an earlier window.
   * @param identity of the checkpoint, which finds a stopped retraining even if the checkpoint had another path then
   */
  of(checkpoint: string, identity?: string): LiveTraining | undefined {
    const last = this.newest.get(checkpoint);
    const before = last ? undefined : this.before(checkpoint, identity);
    if (before) return livingAgain(before);
    // The saved state may be deleted, or resumed elsewhere.
    return last?.state.resumable && !last.isKept ? { ...last.state, resumable: undefined } : last?.state;
  }

  /** The job that resumes the last retraining, if it stopped and its state is saved. */
  resumed(checkpoint: string, identity?: string): RetrainSpec | undefined {
    const last = this.newest.get(checkpoint);
    if (last) return last.state.resumable && last.isKept ? { ...last.spec, resume: true } : undefined;
    const before = this.before(checkpoint, identity);
    return before && resumingSpec(before, checkpoint);
  }

  private before(path: string, identity: string | undefined): StoppedTraining | undefined {
    return this.stopped().find((training) => isTrainingOf(training, { path, identity }));
  }

  listen(checkpoint: string, { changed, grown }: TrainingListener): Subscription {
    return this.news.on((news) => {
      if (news.checkpoint !== checkpoint) return;
      if (news.points) grown(news.points, news.training);
      else changed(news.training);
    });
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    for (const follower of this.newest.values()) follower.dispose();
  }

  private followerOf(job: string, spec: RetrainSpec): LiveTrainingFollower {
    const { checkpoint } = spec;
    const last = this.newest.get(checkpoint);
    if (last?.job === job) return last;
    last?.dispose();
    const known = last?.spec.out === spec.out ? last.state : undefined;
    const stopped = this.stopped().find(({ out }) => out === spec.out);
    const before = spec.resume ? (known ?? (stopped && livingAgain(stopped))) : undefined;
    const listener: TrainingListener = {
      changed: (training) => this.news.fire({ checkpoint, training }),
      grown: (points, training) => this.news.fire({ checkpoint, training, points }),
    };
    const follower = new LiveTrainingFollower(job, spec, listener, before);
    this.newest.set(checkpoint, follower);
    return follower;
  }

  /** Also shows a training that failed before its first event. */
  private ended({ id, spec, outcome, error }: JobEnded): void {
    if (spec.kind !== 'retrain') return;
    const cancelled = error instanceof CancelledError;
    if (cancelled && this.newest.get(spec.checkpoint)?.job !== id) return; // it never started
    const follower = this.followerOf(id, spec);
    if (outcome) follower.end('done');
    else follower.end(cancelled ? 'cancelled' : 'failed', cancelled ? undefined : this.failureOf(error));
  }
}

/** A stopped training, from its saved state, as the panel shows it. */
function livingAgain({ out, steps: total, log, request }: StoppedTraining): LiveTraining {
  return {
    status: 'cancelled',
    title: basename(out),
    total,
    steps: log.trace.map(({ step, loss, learningRate, tokens, seconds }) => {
      return { step, loss, learningRate, tokensPerSecond: seconds > 0 ? tokens / seconds : 0 };
    }),
    evaluations: log.evaluations.map(({ step, loss }) => ({ step, ppl: Math.exp(loss) })),
    ...(request && { resumable: true }),
  };
}
