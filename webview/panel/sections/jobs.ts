/** The jobs of the checkpoint with their progress, and the last error. */
import type { PanelJob, PanelState } from '../../../src/protocol/panel';
import { formatClock } from '../../../src/format/durations';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { button } from '../../support/ui';
import { type Context, type Section, whenChanged } from './section';

export function jobsSection({ send }: Context): Section {
  const jobs = el('div', { class: 'jobs' });
  const failure = el('div', { class: 'failure', role: 'alert' });
  // Screen readers announce an alert again whenever its content is replaced.
  const drawFailure = whenChanged((failed: PanelState['failure']) => showFailure(failure, failed, send));
  return {
    element: el('div', { class: 'plan-jobs' }, jobs, failure),
    update: (state) => {
      showJobs(jobs, state.jobs, send);
      drawFailure(state.failure);
    },
  };
}

/** Shows jobs with their progress. A job keeps its elements, so that Cancel does not move under the pointer. */
function showJobs(place: HTMLElement, jobs: readonly PanelJob[], send: Context['send']): void {
  for (const line of [...place.children]) {
    if (!jobs.some(({ id }) => id === (line as HTMLElement).dataset.job)) line.remove();
  }
  for (const { id, word, state, progress } of jobs) {
    let line = place.querySelector<HTMLElement>(`[data-job="${CSS.escape(id)}"]`);
    if (!line) {
      const cancel = button(t('Cancel'), () => send({ type: 'job/cancel', id }));
      line = el(
        'div',
        { class: 'job', 'data-job': id },
        el('span', { class: 'job-text' }),
        el('progress', { max: '1', 'aria-label': word }),
        cancel,
      );
      place.append(line);
    }
    const bar = line.querySelector('progress')!;
    if (progress && progress.total > 0) bar.value = progress.done / progress.total;
    else bar.removeAttribute('value');
    line.querySelector('.job-text')!.textContent = t('{0}: {1}', word, jobText(state, progress));
  }
}

/** "block 4 of 30 · 1 % · about 4:40 left", as in the tree and in notifications. */
function jobText(state: PanelJob['state'], progress: PanelJob['progress']): string {
  if (state === 'queued') return t('Waiting for its turn');
  if (!progress) return t('Preparing…');
  const { label, done, total, secondsLeft } = progress;
  const far = total > 0 ? [`${Math.floor((100 * done) / total)} %`] : [];
  return [label, ...far, ...(secondsLeft === undefined ? [] : [t('about {0} left', formatClock(secondsLeft))])].join(
    ' · ',
  );
}

function showFailure(place: HTMLElement, failure: PanelState['failure'], send: Context['send']): void {
  if (!failure) {
    place.replaceChildren();
    return;
  }
  const { what, why, action } = failure;
  place.replaceChildren(
    el('p', {}, el('strong', {}, what), `: ${why}. ${action}`),
    button(t('Dismiss'), () => send({ type: 'failure/dismiss' })),
  );
}
