/** Reports jobs that a reload of the window has ended, and offers to run them again. */
import * as vscode from 'vscode';
import type { JobSpec } from '../protocol/jobs';
import { jobTitle, titledJob } from '../jobs/titles';
import type { Coppice } from './coppice';
import { inform } from './inform';
import { isResumed, runAgain } from './rerun';

/** @param interrupted jobs of the last window, from its journal */
export function tellInterrupted(coppice: Coppice, interrupted: readonly JobSpec[]): void {
  for (const spec of interrupted) {
    const text = vscode.l10n.t(
      '{0} was interrupted when the window was reloaded or closed.',
      jobTitle(titledJob(spec)),
    );
    const label = isResumed(spec) ? vscode.l10n.t('Resume') : vscode.l10n.t('Run Again');
    inform({}, text, { label, run: () => runAgain(coppice, spec) });
  }
}
