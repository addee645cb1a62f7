/** How the generation of sample texts ended, in words. Pure. */
import type { LiveSamples } from '../../../src/protocol/panel';
import { textsText } from '../../support/amounts';
import { t } from '../../support/l10n';

/** The outcome: "2 texts generated, 1 failed". */
export function outcomeOf({ status, texts }: LiveSamples): string {
  const failed = texts.filter(({ stopped }) => stopped === 'failed').length;
  const written = texts.length - failed;
  if (written === 0 && failed > 0) return t('No text generated, {0} failed', failed);
  const some = status === 'cancelled' ? t('{0} stopped', textsText(written)) : t('{0} generated', textsText(written));
  return failed === 0 ? some : t('{0}, {1} failed', some, failed);
}
