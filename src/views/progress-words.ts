/** Progress in words: "scoring block 7 · 12 of 30 row-blocks · 8.2/s · 0:12 left". */
import * as vscode from 'vscode';
import type { JobKind, ProgressInfo } from '../protocol/jobs';
import { formatBytes, formatCount, formatNumber, formatSeconds } from './words';

export function progressLine({ label, done, total, unit, perSecond, secondsLeft }: ProgressInfo): string {
  const bytes = unit === 'bytes';
  const amount = bytes
    ? vscode.l10n.t('{0} of {1}', formatBytes(done), formatBytes(total))
    : vscode.l10n.t('{0} of {1} {2}', formatCount(Math.round(done)), formatCount(Math.round(total)), unit);
  const rate =
    perSecond === undefined ? [] : [`${bytes ? formatBytes(Math.round(perSecond)) : formatNumber(perSecond, 3)}/s`];
  const left = secondsLeft === undefined ? [] : [vscode.l10n.t('{0} left', formatSeconds(secondsLeft))];
  return [label, amount, ...rate, ...left].join(' · ');
}

/** How far, where there is no room for more: "12 % · 0:12 left". */
export function progressShort({ done, total, secondsLeft }: ProgressInfo): string {
  const far = total > 0 ? [vscode.l10n.t('{0} %', Math.floor((100 * done) / total))] : [];
  const left = secondsLeft === undefined ? [] : [vscode.l10n.t('{0} left', formatSeconds(secondsLeft))];
  return [...far, ...left].join(' · ');
}

/** What a job does, as a title. */
export function jobTitle(kind: JobKind): string {
  switch (kind) {
    case 'score':
      return vscode.l10n.t('Scoring blocks');
    case 'evaluate':
      return vscode.l10n.t('Evaluating');
    case 'generate':
      return vscode.l10n.t('Writing text');
    case 'prune':
      return vscode.l10n.t('Pruning');
    case 'merge':
      return vscode.l10n.t('Merging');
    case 'retrain':
      return vscode.l10n.t('Retraining');
    case 'curve':
      return vscode.l10n.t('Measuring the curve');
    case 'samples':
      return vscode.l10n.t('Writing samples');
  }
}
