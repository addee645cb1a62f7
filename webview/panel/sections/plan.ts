/** The header of the panel: the model, the plan with its effect, and the next steps. */
import type { PanelFamily, PanelJob, PanelState, PanelText } from '../../../src/protocol/panel';
import { isFloat32 } from '../../../src/format/arithmetic';
import { el } from '../../support/dom';
import { blocksText } from '../../support/amounts';
import { t } from '../../support/l10n';
import { button, enable } from '../../support/ui';
import { formatBytes, shortCount, formatPercent, shortNumber, formatFactor } from '../../../src/format/numbers';
import { formatClock } from '../../../src/format/durations';
import { formatMeasured, blockList, numeric } from '../numbers';
import { agreementText, divergenceText } from '../state/likeness';
import { figure } from '../card';
import { familyLines, speedupOf } from './family';
import { healedFigure } from './healed-figure';
import { onPanelRows, textLabel } from '../state/rows';
import { type Context, type Section, whenChanged } from './section';

export function planSection(context: Context): Section {
  const { send } = context;
  const name = el('h1', {});
  const facts = el('p', { class: 'muted facts' });
  const healed = healedFigure(context);
  const figures = el('dl', { class: 'figures' }, healed.element);
  const note = el('p', { class: 'muted plan-note', role: 'status' });
  const undo = button(`↶ ${t('Undo')}`, () => send({ type: 'plan/undo' }));
  const redo = button(`↷ ${t('Redo')}`, () => send({ type: 'plan/redo' }));
  const reset = button(t('Keep All Blocks'), () => send({ type: 'plan/set', removed: [] }));
  const prune = button(t('Prune…'), () => send({ type: 'start', action: 'prune' }), { appearance: 'primary' });
  const retrain = button(t('Retrain…'), () => send({ type: 'start', action: 'retrain' }));
  const score = button(t('Score…'), () => send({ type: 'start', action: 'score' }));
  const text = button('', () => send({ type: 'text/choose' }));
  text.classList.add('text-chip');
  const family = el('div', { class: 'family' });
  const drawFamily = whenChanged((shown: PanelFamily) => family.replaceChildren(...familyLines(shown, send)));
  const drawText = whenChanged((shown: PanelText | null) => showText(text, shown));
  const jobs = el('div', { class: 'jobs' });
  const failure = el('div', { class: 'failure', role: 'alert' });
  const banner = el(
    'div',
    { class: 'banner', role: 'status' },
    el('span', {}, t('Coppice runs nothing in Restricted Mode.')),
    button(t('Manage Workspace Trust'), () => send({ type: 'trust/manage' }), { appearance: 'primary' }),
  );
  // Screen readers announce an alert again whenever its content is replaced.
  const drawFailure = whenChanged((failed: PanelState['failure']) => showFailure(failure, failed, send));
  const element = el(
    'header',
    { class: 'plan' },
    banner,
    el('div', { class: 'plan-title' }, name, facts, text),
    family,
    figures,
    el('div', { class: 'plan-actions' }, undo, redo, reset, el('span', { class: 'gap' }), score, retrain, prune),
    note,
    jobs,
    failure,
  );
  return {
    element,
    update: (state, view) => {
      const { model, plan, trusted } = state;
      const shown = { ...state, whatIf: onPanelRows(state.whatIf, state.text) };
      banner.hidden = trusted;
      drawFamily(state.family);
      drawText(state.text);
      name.textContent = model.name;
      facts.textContent = [
        blocksText(model.blocks),
        t('{0} parameters', shortCount(model.parameters)),
        formatBytes(model.bytes),
      ].join(' · ');
      while (figures.firstElementChild !== healed.element) figures.firstElementChild!.remove();
      healed.element.before(...figuresOf(shown));
      healed.update(state, view);
      note.textContent = noteOf(shown);
      note.title = note.textContent;
      note.classList.toggle('is-warning', plan.warning !== null && shown.whatIf.status !== 'failed');
      enable(undo, plan.canUndo);
      enable(redo, plan.canRedo);
      enable(reset, plan.removed.length > 0);
      enable(prune, trusted && plan.removed.length > 0);
      for (const start of [score, retrain]) enable(start, trusted);
      showJobs(jobs, state.jobs, send);
      drawFailure(state.failure);
    },
  };
}

/** Shows the text for perplexity. A click changes it. It has a warning if it cannot be used. */
function showText(chip: HTMLElement, text: PanelText | null): void {
  chip.hidden = text === null;
  if (!text) return;
  const { from, seed, fault } = text;
  chip.textContent = `${fault === undefined ? '' : '⚠ '}${t('Text: {0}', textLabel(text))}`;
  const title =
    fault === undefined ? t('{0}, seed {1}. Click to measure on another text.', SOURCES[from], seed) : `${fault}.`;
  chip.title = title;
  chip.setAttribute('aria-label', `${chip.textContent}. ${title}`);
}

const SOURCES: Readonly<Record<PanelText['from'], string>> = {
  scores: t('Text on which the blocks were scored'),
  setting: t('Text from the settings'),
  choice: t('Text of your choice'),
};

function figuresOf(state: PanelState): HTMLElement[] {
  const { model, plan, whatIf, family } = state;
  const removed = plan.removed.length;
  const parent = family.parent?.there;
  const known = removed === 0 ? whatIf.full !== null : whatIf.ppl !== null;
  const isWaiting = waiting(state);
  const isQuick = isQuickOf(state);
  const about = isQuick ? '≈ ' : '';
  return [
    figure(
      t('Blocks kept'),
      t('{0} of {1}', model.blocks - removed, parent?.blocks ?? model.blocks),
      removed > 0
        ? t('without {0}', blockList(plan.removed))
        : parent
          ? t('of {0}', family.parent.name)
          : t('all blocks'),
    ),
    figure(
      t('Parameters'),
      shortCount(plan.parameters),
      parent
        ? t('{0} from {1}', lessBy(plan.parameters, parent.parameters), family.parent.name)
        : removed > 0
          ? lessBy(plan.parameters, model.parameters)
          : t('unchanged'),
    ),
    figure(
      t('Estimated speed'),
      formatFactor(speedupOf(state)),
      parent ? t('{0}: 1×', family.parent.name) : t('whole model: 1×'),
    ),
    figure(
      t('Perplexity of this plan'),
      known ? about + shortNumber(numeric(removed === 0 ? whatIf.full : whatIf.ppl)) : '–',
      isQuick ? t('in int8; float32 follows') : isWaiting ? t('Computing…') : changeOf(state),
      isWaiting ? 'is-waiting' : '',
    ),
    figure(
      t('Divergence of this plan'),
      removed > 0 && known ? about + divergenceText(whatIf.kl) : '–',
      removed === 0 ? t('no block removed') : isQuick ? t('in int8; float32 follows') : agreementText(whatIf.top1),
      isWaiting && removed > 0 ? 'is-waiting' : '',
    ),
  ];
}

/** "−5.3 %" */
const lessBy = (now: number, before: number): string => `−${formatPercent(1 - now / before)}`;

/** The plan's numbers are those of int8, until float32 replaces them. */
const isQuickOf = ({ plan, whatIf: { removed, ppl, precision } }: PanelState): boolean =>
  plan.removed.length > 0 && ppl !== null && removed.join() === plan.removed.join() && !isFloat32(precision);

function waiting({ plan, whatIf: { status, removed, ppl, full } }: PanelState): boolean {
  const isCurrent = plan.removed.length === 0 ? full !== null : removed.join() === plan.removed.join() && ppl !== null;
  if (plan.removed.length === 0 && full !== null) return false; // a run has measured it
  return status === 'waiting' || status === 'computing' || (!isCurrent && status === 'done');
}

/** The perplexity compared with the whole model's; if no block is removed, with the parent's. */
function changeOf({ plan, whatIf, family: { parent } }: PanelState): string {
  const full = numeric(whatIf.full);
  if (plan.removed.length > 0) {
    const isCurrent = whatIf.removed.join() === plan.removed.join() && whatIf.ppl !== null;
    return isCurrent && Number.isFinite(full)
      ? t('{0} of {1}', formatFactor(numeric(whatIf.ppl) / full), shortNumber(full))
      : '';
  }
  const before = numeric(parent?.there?.ppl);
  if (!Number.isFinite(before) || !Number.isFinite(full)) return t('no block removed');
  return t('{0} of {1} ({2})', formatFactor(full / before), shortNumber(before), parent!.name);
}

/** How the perplexity was measured. The text stays while the next one is computed, so that nothing moves on the page. */
function noteOf({ plan, whatIf: { status, failure, text, seconds: time } }: PanelState): string {
  if (status === 'failed')
    return t('The perplexity of the plan could not be computed: {0}', failure ?? t('see the log'));
  // The warning takes the place of the text, which the chip above names too. A new line would move what is below.
  if (plan.warning !== null) return t('⚠ The plan {0}.', plan.warning);
  if (text === null) return '';
  const measured =
    time === null ? t('Measured on {0}.', text) : t('Measured on {0} in {1}.', text, formatMeasured(time));
  return `${measured} ${t('No file was written.')}`;
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
