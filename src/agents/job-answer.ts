/** What an agent reads of a job: how far it is, why it failed, or its result. */
import { formatClock, formatSeconds } from '../format/durations';
import type { Piece } from './answer';
import type { DeskEntry, DeskJob } from './desk';
import { agentText } from './naming';
import { pageOf } from './pages';

export const warningLine = (text: string): string => `Warning: ${agentText(text)}`;

/** @throws the error of a job that failed */
export function jobParts(job: DeskEntry): Piece[] {
  const { id, state } = job;
  if (state === 'failed') throw job.error;
  if (state === 'cancelled') return [cancelledWords(job)];
  if (state === 'running') {
    return [`${id} is running: ${progressWords(job)}.`, `Ask coppice_job_result for "${id}" to wait for its result.`];
  }
  if (!('spec' in job)) return [...job.answer!, `job: ${id}`];
  const { outcome } = job;
  const { notes, warnings, record } = outcome!;
  return [
    ...warnings.map(warningLine),
    ...pageOf(job as DeskJob & { readonly outcome: NonNullable<typeof outcome> }),
    ...notes.map((text) => `Note: ${agentText(text)}`),
    `job: ${id}${record === null ? '' : `; record of the run: ${record}`}`,
  ];
}

/** "score-1 was cancelled." */
export const cancelledWords = (job: DeskEntry): string =>
  `${job.id} was cancelled.${'remains' in job ? ` ${job.remains}` : ''}`;

/** "computing block 4, 12 %, about 1:20 left"; "preparing, since 3 s". */
export function progressWords({ progress, started }: Pick<DeskEntry, 'progress' | 'started'>): string {
  const since = `since ${formatSeconds((Date.now() - started.getTime()) / 1000)}`;
  if (!progress) return `preparing, ${since}`;
  const { label, done, total, secondsLeft } = progress;
  const percent = total > 0 ? `, ${Math.floor((100 * done) / total)} %` : '';
  return `${label}${percent}${secondsLeft === undefined ? `, ${since}` : `, about ${formatClock(secondsLeft)} left`}`;
}
