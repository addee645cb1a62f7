/** A line of the view "Jobs" as VS Code draws it. */
import * as vscode from 'vscode';
import { isKind, JOBS } from '../../jobs/definitions';
import type { JobLine } from '../../state/jobs/line';
import type { LineWords } from '../../state/jobs/words';
import { madeAs } from '../../state/words/made-words';

/** What a menu may offer, as `viewItem`. */
const contextOf = (line: JobLine): string => {
  if (line.kind === 'stopped') return line.job.resumes ? 'stopped.resumes' : 'stopped.again';
  if (line.kind === 'training') return 'stopped.resumes.training';
  if (line.kind === 'finished' && madeAs(line.run.digest.kind) === 'exported') return 'finished.export';
  return line.kind === 'parts' ? 'stopped.resumes.parts' : line.kind;
};

/** @param node what commands of the line receive */
export function itemOf(
  node: unknown,
  line: JobLine,
  { label, description, hover, spoken }: LineWords,
): vscode.TreeItem {
  const item = new vscode.TreeItem(label);
  item.id = line.key;
  item.description = description;
  item.contextValue = contextOf(line);
  item.iconPath = iconOf(line);
  item.tooltip = hover.join('\n');
  item.accessibilityInformation = { label: spoken };
  item.command = { title: '', command: commandOf(line), arguments: [node] };
  return item;
}

function commandOf({ kind }: JobLine): string {
  if (kind === 'more') return 'coppice.showMoreJobs';
  return kind === 'failed' ? 'coppice.showJobError' : 'coppice.openJobResults';
}

function iconOf(line: JobLine): vscode.ThemeIcon | undefined {
  switch (line.kind) {
    case 'running':
      return new vscode.ThemeIcon('loading~spin');
    case 'queued':
      return new vscode.ThemeIcon('clock');
    case 'elsewhere':
      return new vscode.ThemeIcon('multiple-windows');
    case 'training':
    case 'stopped':
    case 'parts':
      return new vscode.ThemeIcon('debug-pause');
    case 'failed':
      return new vscode.ThemeIcon('error', new vscode.ThemeColor('problemsErrorIcon.foreground'));
    case 'finished': {
      const { kind } = line.run.digest;
      return new vscode.ThemeIcon(isKind(kind) ? JOBS[kind].icon : 'json');
    }
    case 'more':
      return new vscode.ThemeIcon('ellipsis');
  }
}
