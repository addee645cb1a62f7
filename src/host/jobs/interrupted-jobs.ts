/** Reports jobs whose window was reloaded or closed, and offers to run them again. */
import * as vscode from 'vscode';
import type { JobSpec } from '../../protocol/jobs';
import { jobTitle, titledJob } from '../../jobs/titles';
import type { Coppice } from '../coppice';
import { inform } from '../inform';
import type { Interrupted } from './job-journal';
import { isResumed } from './resumed';

/** @param interrupted what windows that are gone have left, from the journal; the first one ran, the others waited */
export function tellInterrupted(coppice: Coppice, { jobs, short }: Interrupted): void {
  const [first, ...others] = jobs;
  if (!first) return;
  const waiting = [...others, ...short];
  const { t } = vscode.l10n;
  const named = (spec: JobSpec): string => jobTitle(titledJob(spec));
  const told = t('{0} was interrupted when the window was reloaded or closed.', named(first));
  const behind = waiting.map(named).join(', ');
  const text = behind === '' ? told : t('{0} So was what waited behind it: {1}.', told, behind);
  const label = jobs.every(isResumed) ? t('Resume') : t('Run Again');
  const again = async (): Promise<void> => {
    const { runAgain } = await import('./rerun');
    await Promise.all(jobs.map((spec) => runAgain(coppice, spec)));
  };
  inform({}, text, { label, run: () => void again() });
}
