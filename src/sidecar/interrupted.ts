/** What a caller gets when the sidecar went away under its feet. */
import { UserError } from '../engine/errors';
import type { JobSpec } from '../protocol/jobs';

/** The sidecar ended while this job ran. */
export class JobInterrupted extends UserError {
  /** The job that goes on where this one stopped, where that is possible; else running it again starts afresh. */
  readonly resume: JobSpec | undefined;

  constructor(
    readonly spec: JobSpec,
    why: string,
  ) {
    const resumable = spec.kind === 'retrain';
    super(
      `The ${NAMES[spec.kind]} was interrupted`,
      `the sidecar, which computes, is gone: ${why}`,
      resumable ? 'Resume it: what was trained until it was last saved is kept.' : 'Run it again.',
    );
    this.resume = spec.kind === 'retrain' ? { ...spec, resume: true } : undefined;
  }
}

/** The sidecar ended before it answered, or cannot be started. */
export class SidecarGone extends UserError {
  constructor(why: string, action = 'Try again.') {
    super('The sidecar, which computes, is gone', why, action);
  }
}

const NAMES: Readonly<Record<JobSpec['kind'], string>> = {
  score: 'scoring',
  evaluate: 'evaluation',
  generate: 'text',
  prune: 'pruning',
  merge: 'merging',
  retrain: 'retraining',
  curve: 'curve',
  samples: 'samples',
};
