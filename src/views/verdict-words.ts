/** Whether a model may ship, in a sentence. Does not use VS Code. */
import { formatBytes, formatFactor } from '../format/numbers';
import { l10n } from '../l10n';
import type { Judged, Verdict } from '../protocol/journey';

/** "May ship: 116 MB of at most 120 MB, perplexity 1.24× of at most 1.3×" */
export function verdictWords({ ships, bytes, ratio }: Verdict): string {
  const parts = [
    part(bytes, formatBytes, {
      both: (value, limit) => l10n.t('{0} of at most {1}', value, limit),
      value: (value) => value,
      limit: (limit) => l10n.t('size not known, at most {0}', limit),
    }),
    part(ratio, (value) => (typeof value === 'number' ? formatFactor(value) : value), {
      both: (value, limit) => l10n.t('perplexity {0} of at most {1}', value, limit),
      value: (value) => l10n.t('perplexity {0}', value),
      limit: (limit) => l10n.t('perplexity not measured, at most {0}', limit),
    }),
  ].filter((each) => each !== undefined);
  const said = parts.join(', ');
  if (said === '') return l10n.t('Nothing is known of it yet');
  if (ships === 'yes') return l10n.t('May ship: {0}', said);
  return ships === 'no' ? l10n.t('Not yet: {0}', said) : l10n.t('Open: {0}', said);
}

function part<T>(
  { value, limit }: Judged<T>,
  words: (value: T | number) => string,
  say: {
    readonly both: (value: string, limit: string) => string;
    readonly value: (value: string) => string;
    readonly limit: (limit: string) => string;
  },
): string | undefined {
  if (value !== null && limit !== null) return say.both(words(value), words(limit));
  if (value !== null) return say.value(words(value));
  return limit === null ? undefined : say.limit(words(limit));
}
