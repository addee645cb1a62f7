/** Whether a model meets its goal, in a sentence. Does not use VS Code. */
import { formatBytes, formatFactor, formatPercent } from '../../format/numbers';
import type { JsonNumber } from '../../format/json';
import { l10n } from '../../l10n';
import type { Judged, Verdict } from '../../protocol/journey';

/** "Meets the goal: 116 MB of at most 120 MB, perplexity 1.24× of at most 1.3×, repetition +2 of at most +10 points" */
export function verdictWords(verdict: Verdict): string {
  const { bytes, ratio, flatters, repetition, repeats, same, probeLoss } = verdict;
  const parts = [
    part(bytes, formatBytes, {
      both: (value, limit) => l10n.t('{0} of at most {1}', value, limit),
      value: (value) => value,
      limit: (limit) => l10n.t('size not known, at most {0}', limit),
    }),
    part<JsonNumber>(ratio, factor, {
      both: (value, limit) =>
        flatters
          ? l10n.t('perplexity {0} of at most {1} {2}', value, limit, flattery())
          : l10n.t('perplexity {0} of at most {1}', value, limit),
      value: (value) => (flatters ? l10n.t('perplexity {0} {1}', value, flattery()) : l10n.t('perplexity {0}', value)),
      limit: (limit) => l10n.t('perplexity not measured yet, at most {0}', limit),
    }),
    part(repetition, points, {
      both: (value, limit) => l10n.t('repetition {0} of at most {1} points', value, limit),
      value: (value) => l10n.t('repetition {0} points', value),
      limit: (limit) => l10n.t('repetition not measured yet, at most {0} points', limit),
    }),
    part(same, formatPercent, {
      both: (value, limit) => l10n.t('{0} same next tokens of at least {1}', value, limit),
      value: (value) => l10n.t('{0} same next tokens', value),
      limit: (limit) => l10n.t('same next tokens not measured yet, at least {0}', limit),
    }),
    part(probeLoss, lostPoints, {
      both: (value, limit) => l10n.t('probes lose {0} of at most {1} points', value, limit),
      value: (value) => l10n.t('probes lose {0} points', value),
      limit: (limit) => l10n.t('probes not measured yet, at most {0} points lost', limit),
    }),
    ...(repeats ? [l10n.t('it repeats itself where the original does not')] : []),
  ].filter((each) => each !== undefined);
  const said = parts.join(', ');
  return said === '' ? l10n.t('Not measured yet') : `${verdictHead(verdict)}: ${said}`;
}

/** "Meets the goal", "The plan misses the goal", "Not decided" */
function verdictHead({ meets, planned, repeats }: Pick<Verdict, 'meets' | 'planned' | 'repeats'>): string {
  if (meets === 'unknown') return l10n.t('Not decided');
  if (meets === 'no') return planned ? l10n.t('The plan misses the goal') : l10n.t('Misses the goal');
  if (planned) return l10n.t('The plan fits the goal');
  return repeats ? l10n.t('Meets the goal, but repeats itself') : l10n.t('Meets the goal');
}

const flattery = (): string => l10n.t('on a text that chose the blocks or fitted the weights');

const factor = (value: JsonNumber): string => (typeof value === 'number' ? formatFactor(value) : value);

/** "12" */
const lostPoints = (share: number): string => (100 * share).toFixed(0);

/** "+12" */
const points = (share: number): string => `+${(100 * share).toFixed(0)}`;

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
