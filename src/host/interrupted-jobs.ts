/** Reports jobs whose window was reloaded or closed, and offers to run them again. */
import * as vscode from 'vscode';
import type { JobSpec } from '../protocol/jobs';
import { jobTitle, titledJob } from '../jobs/titles';
import type { Coppice } from './coppice';
import { inform } from './inform';
import { isResumed, runAgain } from './rerun';

/** @param interrupted jobs of windows that are gone, from the journal */
export function tellInterrupted(coppice: Coppice, interrupted: readonly JobSpec[]): void {
  const [first, ...waiting] = interrupted;
  if (!first) return;
  const { t } = vscode.l10n;
  const named = (spec: JobSpec): string => jobTitle(titledJob(spec));
  const told = t('{0} was interrupted when the window was reloaded or closed.', named(first));
  const behind = waiting.map(named).join(', ');
  const text = behind === '' ? told : t('{0} So was what waited behind it: {1}.', told, behind);
  const label = interrupted.every(isResumed) ? t('Resume') : t('Run Again');
  const again = (): unknown => Promise.all(interrupted.map((spec) => runAgain(coppice, spec)));
  inform({}, text, { label, run: () => void again() });
}
