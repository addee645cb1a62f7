/** The job that goes on with a training that was stopped. Knows nothing of VS Code, so that plain Node can test it. */
import { basename } from 'node:path';
import { UserError } from '../engine/errors';
import type { StoppedTraining } from '../engine/retrain/loop/stopped';
import { l10n } from '../l10n';
import type { RetrainSpec } from '../protocol/training';

/** Whether a training is of this checkpoint: it has the same files, or the path that was named when the training began. */
export const isTrainingOf = (
  { model, request }: StoppedTraining,
  { path, identity }: { readonly path: string; readonly identity: string | undefined },
): boolean => model === identity || request?.checkpoint === path;

/**
 * @param checkpoint path of the checkpoint as the view lists it; as it was named when the training began when undefined
 * @throws UserError when the state does not say what the training was asked for
 */
export function resumingSpec({ out, request }: StoppedTraining, checkpoint?: string): RetrainSpec {
  if (!request) {
    throw new UserError(
      l10n.t('Cannot resume {0}', basename(out)),
      l10n.t('an older version of Coppice saved its state without the settings'),
      l10n.t('Resume it on the command line with its original options, or discard it.'),
    );
  }
  const { removed, settings, teacher, compute } = request;
  return {
    ...compute,
    kind: 'retrain',
    checkpoint: checkpoint ?? request.checkpoint,
    ...(removed.length > 0 && { remove: removed }),
    ...(teacher && { teacher }),
    settings,
    out,
    resume: true,
  };
}
