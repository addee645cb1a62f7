/** A running job in the place of the primary button: its phase, its bar, and Cancel. */
import type { PanelJob } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { button } from '../../support/ui';
import { jobText, phaseOf, showShare } from '../state/next-job';
import type { Context } from './section';

/** As high as the button. It keeps its elements, so that Cancel does not move under the pointer. */
export function jobInstead({ send }: Context): {
  readonly element: HTMLElement;
  readonly show: (job: PanelJob | undefined) => void;
} {
  let id: string | undefined;
  const phase = el('span', { class: 'next-phase' });
  const bar = el('progress', { max: '1' });
  const cancel = button(t('Cancel'), () => id !== undefined && send({ type: 'job/cancel', id }), {
    appearance: 'link',
  });
  const element = el('div', { class: 'next-job' }, phase, cancel, bar);
  return {
    element,
    show: (job) => {
      element.hidden = job === undefined;
      ({ id } = job ?? { id: undefined });
      if (!job) return;
      phase.textContent = phaseOf(job);
      element.title = jobText(job); // a narrow row cuts it off
      bar.setAttribute('aria-label', job.word);
      showShare(bar, job);
    },
  };
}
