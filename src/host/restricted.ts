/** What is said where nothing is run because the workspace is not trusted. Knows nothing of VS Code. */
import { UserError } from '../engine/errors';
import { l10n } from '../l10n';

/** Nothing is run, because the workspace is not trusted. */
export class UntrustedError extends UserError {}

/** @throws UntrustedError in restricted mode */
export function requireTrusted(trusted: boolean): void {
  if (trusted) return;
  throw new UntrustedError(
    l10n.t('Coppice does not run anything in restricted mode'),
    l10n.t('files of an unknown workspace would decide what is computed and where it is written'),
    l10n.t('Trust the workspace if you know where it comes from. Checkpoints can be inspected without trust.'),
  );
}
