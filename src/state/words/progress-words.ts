/**
 * Formats progress for every place: "block 4 of 30 · 1 % · about 4:40 left". The engine's units, such as row-blocks,
 * mean nothing to users and are not shown. Does not use VS Code.
 */
import { l10n } from '../../l10n';
import type { JobInfo, ProgressInfo } from '../../protocol/jobs';
import { formatClock } from '../../format/durations';
import { formatBytes } from '../../format/numbers';

export function progressLine(progress: ProgressInfo): string {
  return [progress.label, ...farAndLeft(progress)].join(' · ');
}

/** The progress in short form: "12 % · about 0:12 left". */
export function progressShort(progress: ProgressInfo): string {
  return farAndLeft(progress).join(' · ');
}

/** The state of a job: waiting behind others, preparing (no progress yet), or its progress. */
export function stateLine({ progress, lacks }: Pick<JobInfo, 'progress' | 'lacks'>, behind: boolean): string {
  if (behind && lacks) {
    const [needs, may] = [lacks.needs, lacks.may].map(formatBytes);
    return l10n.t('Waiting for memory: it needs {0} beside what runs, and may take {1} of what is free', needs, may);
  }
  if (behind) return l10n.t('Waiting for its turn');
  return progress ? progressLine(progress) : l10n.t('Preparing…');
}

/** Whole percent of the job; undefined if unknown. */
export function percentOf({ done, total }: ProgressInfo): number | undefined {
  return total > 0 ? Math.floor((100 * done) / total) : undefined;
}

function farAndLeft(progress: ProgressInfo): string[] {
  const percent = percentOf(progress);
  const { secondsLeft } = progress;
  return [
    ...(percent === undefined ? [] : [l10n.t('{0} %', percent)]),
    ...(secondsLeft === undefined ? [] : [l10n.t('about {0} left', formatClock(secondsLeft))]),
  ];
}
