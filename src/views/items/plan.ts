/** The line of a plan below its checkpoint: the size and speed of the result. */
import * as vscode from 'vscode';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { ago } from '../../format/ago';
import { choiceWords } from '../../state/words/choice-words';
import { planContext } from '../contexts';
import { freshnessWords } from '../../state/freshness';
import { planEffect } from '../../jobs/plan-effect';
import { formatBytes, shortCount, formatFactor } from '../../format/numbers';
import type { CheckpointState } from './checkpoint';
import { perplexityTimes } from './named-plan';

export function planItem(
  path: string,
  checkpoint: Checkpoint,
  {
    removed,
    choice,
    warning,
    freshness,
    ratio,
    plans,
    portable,
  }: Pick<CheckpointState, 'removed' | 'choice' | 'warning' | 'freshness' | 'ratio' | 'plans' | 'portable'>,
): vscode.TreeItem {
  const { kept, parametersAfter, bytesAfter, speedup } = planEffect(checkpoint, removed);
  const label = vscode.l10n.t('Plan: keeps {0} of {1}', kept.length, kept.length + removed.length);
  const item = new vscode.TreeItem(label);
  item.id = `plan:${path}`;
  item.contextValue = planContext({ planned: removed.length > 0, plans, portable });
  const isStale = freshness?.changed !== undefined;
  item.iconPath = warning === undefined && !isStale ? new vscode.ThemeIcon('checklist') : warningIcon();
  const scored = freshness && freshnessWords(freshness, ago(freshness.scores.at, { language: vscode.env.language }));
  const gives = removed.length > 0 ? [formatBytes(bytesAfter), `≈${formatFactor(speedup)}`] : [];
  const quality = removed.length > 0 && ratio !== undefined ? [perplexityTimes(ratio)] : [];
  const facts = [...gives, ...quality, ...(scored === undefined ? [] : [scored])];
  item.description = facts.length > 0 ? facts.join(' · ') : vscode.l10n.t('keeps all blocks');
  item.tooltip = [
    removed.length > 0
      ? vscode.l10n.t(
          'Removes {0}: {1} parameters, {2}, about {3} as fast.',
          removed.join(', '),
          shortCount(parametersAfter),
          formatBytes(bytesAfter),
          formatFactor(speedup),
        )
      : vscode.l10n.t('Clear the checkboxes of blocks to remove them, or run “Coppice: Suggest Blocks…”.'),
    ...(removed.length > 0 && choice ? [choiceWords(choice, removed)] : []),
    ...(warning === undefined ? [] : [vscode.l10n.t('Warning: the plan {0}.', warning)]),
    ...(scored === undefined ? [] : [vscode.l10n.t('Scores: {0}', scored)]),
    ...(isStale ? [vscode.l10n.t('Score the blocks again.')] : []),
  ].join('\n');
  item.accessibilityInformation = {
    label: [label, item.description, ...(warning === undefined ? [] : [item.tooltip])].join(', '),
  };
  return item;
}

const warningIcon = (): vscode.ThemeIcon =>
  new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
