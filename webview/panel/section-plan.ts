/** The head of the panel: the model, the plan and what it does to the perplexity, and what can be done next. */
import type { PanelJob, PanelState } from '../../src/protocol/panel';
import { el } from '../support/dom';
import { button, enable } from '../support/ui';
import { blockList, bytes, clock, count, numeric, percent, seconds, short, times } from './numbers';
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
  const jobs = el('div', { class: 'jobs' });
  const failure = el('div', { class: 'failure', role: 'alert' });
  // What is in an alert is read out again whenever it is replaced.
  const drawFailure = whenChanged((failed: PanelState['failure']) => showFailure(failure, failed, send));
  const element = el(
    'header',
    { class: 'plan' },
    el('div', { class: 'plan-title' }, name, facts),
    figures,
    el('div', { class: 'plan-actions' }, undo, redo, reset, el('span', { class: 'gap' }), score, retrain, prune),
    note,
    jobs,
    failure,
  );
  return {
    element,
    update: (state) => {
      const { model, plan } = state;
      name.textContent = model.name;
      facts.textContent = `${model.blocks} blocks · ${count(model.parameters)} parameters · ${bytes(model.bytes)}`;
      figures.replaceChildren(...figuresOf(state));
      note.textContent = noteOf(state);
      enable(undo, plan.canUndo);
      enable(redo, plan.canRedo);
      enable(reset, plan.removed.length > 0);
      enable(prune, plan.removed.length > 0);
      showJobs(jobs, state.jobs, send);
      drawFailure(state.failure);
    },
  };
}

function figuresOf({ model, plan, whatIf }: PanelState): HTMLElement[] {
  const figure = (term: string, value: string, detail: string, kind = ''): HTMLElement =>
    el(
      'div',
      { class: `figure-box ${kind}` },
      el('dt', {}, term),
      el('dd', {}, el('strong', {}, value), el('span', { class: 'muted', title: detail }, detail)),
    );
  const removed = plan.removed.length;
  const full = numeric(whatIf.full);
  const current = whatIf.removed.join() === plan.removed.join() && whatIf.ppl !== null;
  const waiting =
    whatIf.status === 'waiting' || whatIf.status === 'computing' || (!current && whatIf.status === 'done');
  const ppl = numeric(removed === 0 && whatIf.full !== null ? whatIf.full : whatIf.ppl);
  const known = removed === 0 ? whatIf.full !== null : whatIf.ppl !== null;
  const change =
    Number.isFinite(full) && removed > 0 && current
      ? `${times(ppl / full)} of ${short(full)}`
      : removed === 0
        ? 'nothing is removed'
        : '';
  return [
    figure(
      'Blocks kept',
      `${model.blocks - removed} of ${model.blocks}`,
      removed > 0 ? `without ${blockList(plan.removed)}` : 'all of them',
    ),
    figure(
      'Parameters',
      count(plan.parameters),
      removed > 0 ? `−${percent(1 - plan.parameters / model.parameters)}` : 'as they are',
    ),
    figure('Speed, estimated', times(plan.speedup), 'of the whole model'),
    figure(
      'Perplexity, what if',
      known ? short(ppl) : '–',
      waiting ? 'computing …' : change,
      waiting ? 'is-waiting' : '',
    ),
  ];
}

/** What the number is of. It stays while the next one is computed, as the number does: nothing moves on the page. */
function noteOf({ whatIf: { status, failure, text, seconds: time } }: PanelState): string {
  if (status === 'failed') return `The perplexity of the plan could not be computed: ${failure ?? 'see the log'}`;
  if (text === null) return '';
  return `On the calibration text ${text}${time === null ? '' : `, in ${seconds(time)}`}. Nothing is written.`;
}

const KINDS: Readonly<Record<PanelJob['kind'], string>> = {
  score: 'Scoring',
  curve: 'Curve',
  evaluate: 'Evaluation',
  generate: 'Text',
  samples: 'Samples',
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
