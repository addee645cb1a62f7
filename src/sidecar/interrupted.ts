/** Errors for requests that a crash of the sidecar interrupted. */
import { UserError } from '../engine/errors';
import { l10n } from '../l10n';
import { jobTitle, titledJob } from '../jobs/titles';
import type { JobSpec } from '../protocol/jobs';

/** The sidecar ended while the job was running. */
export class JobInterrupted extends UserError {
  /** The job that continues this one; undefined when it can only be run again from the start. */
  readonly resume: JobSpec | undefined;

  constructor(
    readonly spec: JobSpec,
    why: string,
  ) {
    const resumable = spec.kind === 'retrain';
    super(
      l10n.t('{0} was interrupted', jobTitle(titledJob(spec))),
      l10n.t('the compute process ended: {0}', why),
      resumable ? l10n.t('Resume it: its progress up to the last save is kept.') : l10n.t('Run it again.'),
    );
    this.resume = spec.kind === 'retrain' ? { ...spec, resume: true } : undefined;
  }
}

/** The sidecar ended before it answered, or cannot start. */
export class SidecarGone extends UserError {
  constructor(why: string, action = l10n.t('Try again.')) {
    super(l10n.t('The compute process is not running'), why, action);
  }
}
