/** The job that resumes a stopped training. Does not use VS Code, so that plain Node can test it. */
import { basename } from 'node:path';
import { UserError } from '../../engine/errors';
import type { StoppedTraining } from '../../engine/retrain/loop/stopped';
import { resumingOptions } from '../../jobs/retrain-settings';
import { l10n } from '../../l10n';
import type { RetrainSpec } from '../../protocol/jobs';

/** Whether a training belongs to this checkpoint: by the same files, or by the path at its start. */
export const isTrainingOf = (
  { model, request }: StoppedTraining,
  { path, identity }: { readonly path: string; readonly identity: string | undefined },
): boolean => model === identity || request?.checkpoint === path;

/**
 * @param checkpoint path of the checkpoint in the view; undefined uses the path at the start of the training
 * @throws UserError when the saved state lacks the settings of the training
 */
export function resumingSpec({ out, request }: StoppedTraining, checkpoint?: string): RetrainSpec {
  if (!request) {
    throw new UserError(
      l10n.t('Cannot resume {0}', basename(out)),
      l10n.t('an older version of Coppice saved its state without the settings'),
      l10n.t('Resume it on the command line with its original options, or discard it.'),
    );
  }
  const given = resumingOptions(request, out);
  return { ...given, kind: 'retrain', checkpoint: checkpoint ?? given.checkpoint };
}
