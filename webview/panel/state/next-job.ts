/** The job that the next step waits for, and jobs in words. */
import type { PanelJob, PanelState } from '../../../src/protocol/panel';
import { formatClock } from '../../../src/format/durations';
import { t } from '../../support/l10n';

/** The job of this checkpoint that is its next step. The head shows it instead of offering the step once more. */
export function nextJob({ journey: { next }, jobs }: Pick<PanelState, 'journey' | 'jobs'>): PanelJob | undefined {
  // It takes several jobs, and the first of them can decide what comes next.
  const comparing = jobs.find(({ kind }) => kind === 'compare');
  if (comparing) return comparing;
  // A suggestion scores the blocks first where it must.
  return next.action === 'suggest' ? scoringOf({ jobs }) : jobs.find(({ kind }) => kind === next.action);
}

/** The job that scores the blocks. */
export const scoringOf = ({ jobs }: Pick<PanelState, 'jobs'>): PanelJob | undefined =>
  jobs.find(({ kind }) => kind === 'score');

/** "block 4 of 30" */
export function phaseOf({ state, progress }: PanelJob): string {
  if (state === 'queued') return t('Waiting for its turn');
  return progress?.label ?? t('Preparing…');
}

/** "1 % · about 4:40 left"; empty where nothing is known yet. */
export function remainderOf({ state, progress }: PanelJob): string {
  if (state === 'queued' || !progress) return '';
  const { done, total, secondsLeft } = progress;
  const far = total > 0 ? [`${Math.floor((100 * done) / total)} %`] : [];
  return [...far, ...(secondsLeft === undefined ? [] : [t('about {0} left', formatClock(secondsLeft))])].join(' · ');
}

/** "Scoring: block 4 of 30 · 1 % · about 4:40 left", as in the tree and in notifications. */
export const jobText = (job: PanelJob): string =>
  t('{0}: {1}', job.word, [phaseOf(job), remainderOf(job)].filter((part) => part !== '').join(' · '));

/** Fills the bar as far as the job is; it runs back and forth while that is unknown. */
export function showShare(bar: HTMLProgressElement, { progress }: PanelJob): void {
  if (progress && progress.total > 0) bar.value = progress.done / progress.total;
  else bar.removeAttribute('value');
}
