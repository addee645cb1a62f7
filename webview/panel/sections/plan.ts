/** The head of the panel: the model, the plan and what it does to the perplexity, and what can be done next. */
import type { PanelFamily, PanelJob, PanelState, PanelText } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { counted } from '../../support/numbers';
import { button, enable } from '../../support/ui';
import { blockList, bytes, clock, count, numeric, percent, seconds, short, times } from '../numbers';
import { familyLines, speedupOf } from './family';
import { onPanelRows, textLabel } from '../state/rows';
import { type Context, type Section, whenChanged } from './section';

export function planSection({ send }: Context): Section {
  const name = el('h1', {});
  const facts = el('p', { class: 'muted facts' });
  const figures = el('dl', { class: 'figures' });
  const note = el('p', { class: 'muted plan-note', role: 'status' });
  const undo = button('↶ Undo', () => send({ type: 'plan/undo' }));
  const redo = button('↷ Redo', () => send({ type: 'plan/redo' }));
  const reset = button('Keep All', () => send({ type: 'plan/set', removed: [] }));
  const prune = button('Prune…', () => send({ type: 'start', action: 'prune' }), { appearance: 'primary' });
  const retrain = button('Retrain…', () => send({ type: 'start', action: 'retrain' }));
  const score = button('Score…', () => send({ type: 'start', action: 'score' }));
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
    el('span', {}, 'Coppice runs nothing in Restricted Mode.'),
    button('Manage Workspace Trust', () => send({ type: 'trust/manage' }), { appearance: 'primary' }),
  );
  // What is in an alert is read out again whenever it is replaced.
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
    update: (state) => {
      const { model, plan, trusted } = state;
      const shown = { ...state, whatIf: onPanelRows(state.whatIf, state.text) };
      banner.hidden = trusted;
      drawFamily(state.family);
      drawText(state.text);
      name.textContent = model.name;
      facts.textContent = `${counted(model.blocks, 'block')} · ${count(model.parameters)} parameters · ${bytes(model.bytes)}`;
      figures.replaceChildren(...figuresOf(shown));
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

/** What perplexity is measured on, to be changed by a click; with a warning where it cannot be measured on. */
function showText(chip: HTMLElement, text: PanelText | null): void {
  chip.hidden = text === null;
  if (!text) return;
  const { from, seed, fault } = text;
  chip.textContent = `${fault === undefined ? '' : '⚠ '}Text: ${textLabel(text)}`;
  const why = { scores: 'The blocks were scored on it', setting: 'From the settings', choice: 'Your choice' }[from];
  const title = fault === undefined ? `${why}; seed ${seed}. Click to measure on another text.` : `${fault}.`;
  chip.title = title;
  chip.setAttribute('aria-label', `${chip.textContent}. ${title}`);
}

function figuresOf(state: PanelState): HTMLElement[] {
  const { model, plan, whatIf, family } = state;
  const figure = (term: string, value: string, detail: string, kind = ''): HTMLElement =>
    el(
      'div',
      { class: `figure-box ${kind}` },
      el('dt', {}, term),
      el('dd', {}, el('strong', {}, value), el('span', { class: 'muted', title: detail }, detail)),
    );
  const removed = plan.removed.length;
  const parent = family.parent?.there;
  const of = parent ? `of ${family.parent.name}` : 'of the whole model';
  const known = removed === 0 ? whatIf.full !== null : whatIf.ppl !== null;
  const isWaiting = waiting(state);
  return [
    figure(
      'Blocks kept',
      `${model.blocks - removed} of ${parent?.blocks ?? model.blocks}`,
      removed > 0 ? `without ${blockList(plan.removed)}` : parent ? of : 'all of them',
    ),
    figure(
      'Parameters',
      count(plan.parameters),
      parent
        ? `−${percent(1 - plan.parameters / parent.parameters)} ${of}`
        : removed > 0
          ? `−${percent(1 - plan.parameters / model.parameters)}`
          : 'as they are',
    ),
    figure('Speed, estimated', times(speedupOf(state)), of),
    figure(
      'Perplexity, what if',
      known ? short(numeric(removed === 0 ? whatIf.full : whatIf.ppl)) : '–',
      isWaiting ? 'computing …' : changeOf(state),
      isWaiting ? 'is-waiting' : '',
    ),
  ];
}

function waiting({ plan, whatIf: { status, removed, ppl, full } }: PanelState): boolean {
  const isCurrent = plan.removed.length === 0 ? full !== null : removed.join() === plan.removed.join() && ppl !== null;
  if (plan.removed.length === 0 && full !== null) return false; // a run has told it
  return status === 'waiting' || status === 'computing' || (!isCurrent && status === 'done');
}

/** The perplexity compared with the whole model's; if no block is removed, with the parent's. */
function changeOf({ plan, whatIf, family: { parent } }: PanelState): string {
  const full = numeric(whatIf.full);
  if (plan.removed.length > 0) {
    const isCurrent = whatIf.removed.join() === plan.removed.join() && whatIf.ppl !== null;
    return isCurrent && Number.isFinite(full) ? `${times(numeric(whatIf.ppl) / full)} of ${short(full)}` : '';
  }
  const before = numeric(parent?.there?.ppl);
  if (!Number.isFinite(before) || !Number.isFinite(full)) return 'nothing is removed';
  return `${times(full / before)} of ${short(before)}, that of ${parent!.name}`;
}

/** What the number is of. It stays while the next one is computed, as the number does: nothing moves on the page. */
function noteOf({ plan, whatIf: { status, failure, text, seconds: time } }: PanelState): string {
  if (status === 'failed') return `The perplexity of the plan could not be computed: ${failure ?? 'see the log'}`;
  // In the place of the text, which the chip above names too: a line of its own would move what is below.
  if (plan.warning !== null) return `⚠ The plan ${plan.warning}.`;
  if (text === null) return '';
  return `On the text ${text}${time === null ? '' : `, in ${seconds(time)}`}. Nothing is written.`;
}

const KINDS: Readonly<Record<PanelJob['kind'], string>> = {
  score: 'Scoring',
  curve: 'Curve',
  evaluate: 'Evaluation',
  generate: 'Text',
  samples: 'Samples',
  bench: 'Measuring speed',
  prune: 'Pruning',
  merge: 'Merging',
  retrain: 'Retraining',
};

/** Jobs with their progress; those that stay keep their elements, so that Cancel does not move under the pointer. */
function showJobs(place: HTMLElement, jobs: readonly PanelJob[], send: Context['send']): void {
  for (const line of [...place.children]) {
    if (!jobs.some(({ id }) => id === (line as HTMLElement).dataset.job)) line.remove();
  }
  for (const { id, kind, state, progress } of jobs) {
    let line = place.querySelector<HTMLElement>(`[data-job="${CSS.escape(id)}"]`);
    if (!line) {
      const cancel = button('Cancel', () => send({ type: 'job/cancel', id }));
      line = el(
        'div',
        { class: 'job', 'data-job': id },
        el('span', { class: 'job-text' }),
        el('progress', { max: '1', 'aria-label': KINDS[kind] }),
        cancel,
      );
      place.append(line);
    }
    const bar = line.querySelector('progress')!;
    if (progress && progress.total > 0) bar.value = progress.done / progress.total;
    else bar.removeAttribute('value');
    line.querySelector('.job-text')!.textContent = `${KINDS[kind]}: ${jobText(state, progress)}`;
  }
}

/** "block 4 of 30 · 1 % · about 4:40 left", as everywhere else in the editor. */
function jobText(state: PanelJob['state'], progress: PanelJob['progress']): string {
  if (state === 'queued') return 'Waiting for its turn';
  if (!progress) return 'Preparing…';
  const { label, done, total, secondsLeft } = progress;
  const far = total > 0 ? [`${Math.floor((100 * done) / total)} %`] : [];
  return [label, ...far, ...(secondsLeft === undefined ? [] : [`about ${clock(secondsLeft)} left`])].join(' · ');
}

function showFailure(place: HTMLElement, failure: PanelState['failure'], send: Context['send']): void {
  if (!failure) {
    place.replaceChildren();
    return;
  }
  const { what, why, action } = failure;
  place.replaceChildren(
    el('p', {}, el('strong', {}, what), `: ${why}. ${action}`),
    button('Dismiss', () => send({ type: 'failure/dismiss' })),
  );
}
