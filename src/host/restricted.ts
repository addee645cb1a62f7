/** The error in Restricted Mode. Does not use VS Code. */
import { UserError } from '../engine/errors';
import { l10n } from '../l10n';

/** The workspace is not trusted, so nothing runs. */
export class UntrustedError extends UserError {}

/** @throws UntrustedError in Restricted Mode */
export function requireTrusted(trusted: boolean): void {
  if (trusted) return;
  throw new UntrustedError(
    l10n.t('Coppice runs nothing in Restricted Mode'),
    l10n.t('files of the workspace would decide what is computed and where it is written'),
    l10n.t('Trust the workspace to score, prune and train. You can inspect checkpoints without trust.'),
  );
}
