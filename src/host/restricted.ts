/** What is said where nothing is run because the workspace is not trusted. Knows nothing of VS Code. */
import { UserError } from '../engine/errors';
import { l10n } from '../l10n';

/** Nothing is run, because the workspace is not trusted. */
export class UntrustedError extends UserError {}

/** @throws UntrustedError in restricted mode */
export function requireTrusted(trusted: boolean): void {
  if (trusted) return;
  throw new UntrustedError(
    l10n.t('Coppice runs nothing in Restricted Mode'),
    l10n.t('files of the workspace would decide what is computed and where it is written'),
    l10n.t('Trust the workspace to score, prune and train. You can inspect checkpoints without trust.'),
  );
}
