/** Shows what a job says that the user must not miss: why its numbers are not what they seem. */
import * as vscode from 'vscode';
import type { JobEnded } from '../sidecar/client';
import { jobTitle, titledJob } from '../views/progress-words';

/** One notification a job, whoever ran it; the texts are the engine's. */
export function showWarnings(log: vscode.LogOutputChannel, { spec, outcome }: JobEnded): void {
  if (!outcome || outcome.warnings.length === 0) return;
  const title = jobTitle(titledJob(spec));
  for (const warning of outcome.warnings) log.warn(`${title}: ${warning}`);
  void vscode.window.showWarningMessage(`${title}: ${outcome.warnings.join('. ')}.`);
}
