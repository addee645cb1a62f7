/** The jobs of the checkpoint with their progress, but for the one that the head shows, and the last error. */
import type { PanelJob, PanelState } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { button } from '../../support/ui';
import { jobText, nextJob, showShare } from '../state/next-job';
import { type Context, type Section, whenChanged } from './section';

export function jobsSection({ send }: Context): Section {
  const jobs = el('div', { class: 'jobs' });
  const failure = el('div', { class: 'failure', role: 'alert' });
  // Screen readers announce an alert again whenever its content is replaced.
  const drawFailure = whenChanged((shown: Pick<PanelState, 'failure'>) => showFailure(failure, shown.failure, send));
  return {
    element: el('div', { class: 'plan-jobs' }, jobs, failure),
    update: (state) => {
      const shown = nextJob(state);
      showJobs(
        jobs,
        state.jobs.filter((job) => job !== shown),
        send,
      );
      drawFailure({ failure: state.failure });
    },
  };
}

/** Shows jobs with their progress. A job keeps its elements, so that Cancel does not move under the pointer. */
function showJobs(place: HTMLElement, jobs: readonly PanelJob[], send: Context['send']): void {
  for (const line of [...place.children]) {
    if (!jobs.some(({ id }) => id === (line as HTMLElement).dataset.job)) line.remove();
  }
  for (const job of jobs) {
    const { id, word } = job;
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
    showShare(line.querySelector('progress')!, job);
    line.querySelector('.job-text')!.textContent = jobText(job);
  }
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
