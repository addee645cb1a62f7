/** What a caller gets when the sidecar went away under its feet. */
import { UserError } from '../engine/errors';
import { l10n } from '../l10n';
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
      l10n.t('The {0} was interrupted', nameOf(spec.kind)),
      l10n.t('the sidecar, which computes, is gone: {0}', why),
      resumable ? l10n.t('Resume it: what was trained until it was last saved is kept.') : l10n.t('Run it again.'),
    );
    this.resume = spec.kind === 'retrain' ? { ...spec, resume: true } : undefined;
  }
}

/** The sidecar ended before it answered, or cannot be started. */
export class SidecarGone extends UserError {
  constructor(why: string, action = l10n.t('Try again.')) {
    super(l10n.t('The sidecar, which computes, is gone'), why, action);
  }
}

function nameOf(kind: JobSpec['kind']): string {
  switch (kind) {
    case 'score':
      return l10n.t('scoring');
    case 'evaluate':
      return l10n.t('evaluation');
    case 'generate':
      return l10n.t('text');
    case 'prune':
      return l10n.t('pruning');
    case 'merge':
      return l10n.t('merging');
    case 'retrain':
      return l10n.t('retraining');
    case 'curve':
      return l10n.t('curve');
    case 'samples':
      return l10n.t('samples');
    case 'bench':
      return l10n.t('measurement of speed');
  }
}
