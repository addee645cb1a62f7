/** The line of a plan with a name. A click makes it the current one. */
import * as vscode from 'vscode';
import { formatBytes, formatFactor } from '../../format/numbers';
import { numberRanges } from '../../format/ranges';
import { planEffect } from '../../jobs/plan-effect';
import type { NamedPlanNode } from '../../state/nodes';

/** @param isCurrent it is what the checkboxes show @param ratio its perplexity relative to the whole model, if known */
export function namedPlanItem(node: NamedPlanNode, isCurrent: boolean, ratio: number | undefined): vscode.TreeItem {
  const { plan, checkpoint, parent } = node;
  const { kept, bytesAfter, speedup } = planEffect(checkpoint, plan.removed);
  const item = new vscode.TreeItem(plan.name);
  item.id = `namedPlan:${parent.entry.path}:${plan.name}`;
  item.contextValue = isCurrent ? 'namedPlan.current' : 'namedPlan';
  item.iconPath = new vscode.ThemeIcon(isCurrent ? 'pass-filled' : 'bookmark');
  item.description = [
    ...(isCurrent ? [vscode.l10n.t('current')] : []),
    vscode.l10n.t('keeps {0}/{1}', kept.length, kept.length + plan.removed.length),
    formatBytes(bytesAfter),
    ...(ratio === undefined ? [] : [perplexityTimes(ratio)]),
  ].join(' · ');
  item.tooltip = [
    vscode.l10n.t('Removes {0}, about {1} as fast.', numberRanges(plan.removed), formatFactor(speedup)),
    isCurrent ? vscode.l10n.t('It is the current plan.') : vscode.l10n.t('Select it to make it the current plan.'),
  ].join('\n');
  item.accessibilityInformation = { label: vscode.l10n.t('Plan {0}, {1}', plan.name, item.description) };
  item.command = { command: 'coppice.usePlan', title: vscode.l10n.t('Use Plan'), arguments: [node] };
  return item;
}

/** "perplexity 1.12×": relative to the original. */
export const perplexityTimes = (ratio: number): string => vscode.l10n.t('perplexity {0}', formatFactor(ratio));
