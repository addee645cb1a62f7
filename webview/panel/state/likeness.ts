/** How near a model is to the unpruned one, in words. */
import { type JsonNumber, numeric } from '../../../src/format/json';
import { formatPercent, shortNumber } from '../../../src/format/numbers';
import { t } from '../../support/l10n';

/** The mean KL divergence in nats: "0.312"; a dash if it is not known. */
export function divergenceText(kl: JsonNumber | null | undefined): string {
  const nats = numeric(kl);
  return Number.isNaN(nats) ? '–' : shortNumber(nats, 3);
}

/** "same next token: 61 %"; empty if it is not known. */
export function agreementText(top1: JsonNumber | null | undefined): string {
  const share = numeric(top1);
  return Number.isNaN(share) ? '' : t('same next token: {0}', formatPercent(share));
}
