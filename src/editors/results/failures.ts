/** Converts an error for the panel. */
import { shownText } from '../../engine/option-token';
import { l10n } from '../../l10n';
import type { Coppice } from '../../host/coppice';
import type { UserFailure } from '../../protocol/errors';
import { toWire } from '../../sidecar/wire';

/** @param logError gets bugs @returns undefined if the job was cancelled */
export function failureOf(error: unknown, logError: (error: unknown) => void): UserFailure | undefined {
  const wire = toWire(error);
  if (wire.kind === 'cancelled') return undefined;
  if (wire.kind === 'user') {
    const { what, why, action } = wire;
    return { ...wire, what: shownText(what), why: shownText(why), action: shownText(action) };
  }
  logError(error);
  return {
    kind: 'user',
    what: l10n.t('Unexpected error in Coppice'),
    why: wire.message,
    action: l10n.t('See the log for details.'),
  };
}

export const logError = ({ log }: Coppice, error: unknown): void =>
  log.error(error instanceof Error ? error : String(error));
