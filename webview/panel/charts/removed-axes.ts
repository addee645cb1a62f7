/** What charts of perplexity against the number of removed blocks share: both axes, and the line of the whole model. */
import * as Plot from '@observablehq/plot';
import { shortNumber } from '../../../src/format/numbers';
import { t } from '../../support/l10n';

/** Above this ratio a linear axis would show nothing but the largest values: what one would ship lies at its foot. */
const LOG_FROM = 4;

/** The scale of perplexities, with room around them. @param values finite and above 0 */
export function perplexityScale(values: readonly number[]): Plot.ScaleOptions {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const log = most / least > LOG_FROM;
  const room = most > least ? most - least : 0.1 * most; // a single value has no range
  return {
    type: log ? 'log' : 'linear',
    domain: log
      ? [least / (most / least) ** 0.07, most * (most / least) ** 0.06]
      : [least - room * 0.07, most + room * 0.08],
    grid: true,
    ticks: 6,
    tickFormat: (value: number) => shortNumber(value, 3),
    label: `↑ ${log ? t('Perplexity (logarithmic)') : t('Perplexity')}`,
  };
}

/** Numbers of removed blocks that have a tick. @param width of the axis @param apart pixels between two ticks, at least */
export function removedTicks(longest: number, width: number, apart: number): number[] {
  const every = Math.max(1, Math.ceil(longest / Math.max(1, Math.floor(width / apart))));
  return Array.from({ length: Math.floor(longest / every) + 1 }, (_, i) => i * every);
}

/** The axis of removed blocks. */
export const removedAxis = (ticks: readonly number[]): Plot.Markish =>
  Plot.axisX({ ticks: [...ticks], tickFormat: String, label: `${t('Blocks removed')} →`, tickSize: 0 });

/** The perplexity of the whole model as a line; none if it is unknown. */
export const wholeRule = (ppl: number): Plot.Markish[] =>
  Number.isFinite(ppl) ? [Plot.ruleY([ppl], { stroke: 'var(--ink)', strokeDasharray: '4 3', strokeOpacity: 0.7 })] : [];
