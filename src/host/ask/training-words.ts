/** A retraining that has not started, in words: how long, until when, and how much memory. */
import * as vscode from 'vscode';
import { formatBytes, formatCount, formatNumber } from '../../format/numbers';
import { fewSteps, LEAST_STEPS, type Preset } from '../../jobs/retrain-amounts';
import { markedTime, memoryWords, roughBytes } from '../../estimates/words';
import type { TrainingForecast } from './training-estimate';

/** "about 30 min, done at 18:32": the end only where it is some minutes away and the time no guess. */
export function timeAndEnd({ time }: TrainingForecast, now = new Date()): string {
  const words = markedTime(time);
  if (time.seconds < 120 || !time.measured) return words;
  const end = new Date(now.getTime() + 1000 * time.seconds);
  const clock = end.toLocaleTimeString(vscode.env.language, { hour: '2-digit', minute: '2-digit' });
  const days = daysBetween(now, end);
  if (days === 0) return vscode.l10n.t('{0}, done at {1}', words, clock);
  return days === 1
    ? vscode.l10n.t('{0}, done tomorrow at {1}', words, clock)
    : vscode.l10n.t('{0}, done in {1} days', words, days);
}

function daysBetween(now: Date, end: Date): number {
  const midnight = (date: Date): number => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  return Math.round((midnight(end) - midnight(now)) / 86_400_000);
}

/** "320 steps of 16 rows, 2.6 passes over the data" */
export function amountWords({ amount, steps, batch, passes }: TrainingForecast): string {
  const { t } = vscode.l10n;
  const count = formatNumber(passes, 2);
  if (steps === 1) return t('1 step of {0} rows', batch);
  return amount.exact
    ? t('{0} steps of {1} rows, {2} passes over the data', formatCount(steps), batch, count)
    : t('{0} steps of {1} rows, about {2} passes over the data', formatCount(steps), batch, count);
}

/** Why so many steps hardly help, for those who chose them; undefined where they may. */
export function fewWords(forecast: TrainingForecast): string | undefined {
  const { t } = vscode.l10n;
  const few = fewSteps(forecast);
  return few && (few === 'data' ? t('little data') : t('too few to help: take {0} steps or more', LEAST_STEPS));
}

/** The amount of a preset: whether its rows are shorter than usual, and whether it is enough to help. */
export function presetAmount({ few, steps, length }: Preset, forecast: TrainingForecast, usual: number): string[] {
  const { t } = vscode.l10n;
  if (few === 'time') {
    return [
      steps === 1
        ? t('1 step: too few to help on this machine')
        : t('{0} steps: too few to help on this machine', formatCount(steps)),
    ];
  }
  return [
    amountWords(forecast),
    ...(length < usual ? [t('rows of at most {0} tokens', length)] : []),
    ...(few === 'data' ? [t('little data')] : []),
  ];
}

/** Why it may not fit; undefined where it does. @param free bytes */
export function memoryWarning({ bytes }: TrainingForecast, free: number): string | undefined {
  if (bytes <= free) return undefined;
  return vscode.l10n.t(
    'Warning: it may need {0} of memory, and {1} are free. Shorter rows need less.',
    roughBytes(bytes),
    formatBytes(free),
  );
}

/** Everything that follows from the answers so far, in a line. */
export const forecastWords = (forecast: TrainingForecast): string =>
  [timeAndEnd(forecast), amountWords(forecast), fewWords(forecast), memoryWords(forecast.bytes)]
    .filter((words) => words !== undefined)
    .join(' · ');

export function presetLabel(preset: Preset, time: string): string {
  const { t } = vscode.l10n;
  switch (preset.name) {
    case 'minutes':
      return t('5 minutes');
    case 'halfHour':
      return t('30 minutes');
    case 'overnight':
      return t('Overnight (8 hours)');
    case 'passes':
      return t('Two passes over the data ({0})', time);
  }
}
