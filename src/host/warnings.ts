/** Shows the warnings of a job, such as reasons to doubt its numbers. */
import type * as vscode from 'vscode';
import { shownText } from '../engine/option-token';
import type { JobOutcome } from '../protocol/jobs';
import type { JobEnded } from '../sidecar/client';
import { jobTitle, titledJob } from '../jobs/titles';
import { toast } from './toast';

/** What the card of a result says itself. */
const adviceOf = ({ result }: JobOutcome): string | null => ('advice' in result ? result.advice : null);

/** Shows one notification per job. The texts come from the engine. */
export function showWarnings(log: vscode.LogOutputChannel, { spec, outcome }: JobEnded): void {
  if (!outcome || outcome.warnings.length === 0) return;
  const title = jobTitle(titledJob(spec));
  const warnings = outcome.warnings.map(shownText);
  for (const warning of warnings) log.warn(`${title}: ${warning}`);
  const told = warnings.filter((warning) => warning !== adviceOf(outcome));
  if (told.length > 0) void toast.warning(`${title}: ${told.join('. ')}.`);
}
