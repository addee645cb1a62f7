/** What models cost: size, parameters, speed and memory, of the original, the plan and what was made of it. */
import type { CostDigest, PanelModel, PanelPlan, PanelRun } from '../../src/protocol/panel';
import { el } from '../support/dom';
import { costsOf } from './costs';
import { table } from './table';
import { bytes, count, short } from './numbers';
import { type Context, type Section, whenChanged } from './section';

type Measure = Exclude<keyof CostDigest, 'label'>;

const COLUMNS: readonly { readonly key: Measure; readonly name: string; readonly words: (value: number) => string }[] =
  [
    { key: 'parameters', name: 'Parameters', words: count },
    { key: 'bytes', name: 'Size', words: bytes },
    { key: 'prefillTokensPerSecond', name: 'Prefill, tokens/s', words: (value) => short(value, 3) },
    { key: 'decodeTokensPerSecond', name: 'Decode, tokens/s', words: (value) => short(value, 3) },
    { key: 'peakRssBytes', name: 'Peak memory', words: bytes },
  ];

export function measuredSection({ still }: Context): Section {
  const body = el('div', { class: 'table-scroll', tabindex: '0', role: 'group', 'aria-label': 'Measured' });
  const note = el('p', { class: 'summary' });
  const element = el(
    'section',
    { class: 'card measured', 'aria-labelledby': 'measured-title' },
    el('header', {}, el('h2', { id: 'measured-title' }, 'What models cost')),
    note,
    body,
  );
  const draw = whenChanged((model: PanelModel, plan: PanelPlan, runs: readonly PanelRun[]) => {
    const rows = costsOf(model, still ? undefined : plan, runs);
    if (!still)
      note.textContent =
        'Speeds are measured whenever a model writes. “coppice bench --record .coppice/runs/NAME.json” measures memory too, ' +
        'with --remove and --adapter also of the plan and of what was retrained.';
    const cells = rows.map((row) => [
      row.label,
      ...COLUMNS.map(({ key, words }) =>
        cell(
          row[key],
          rows.map((other) => other[key]),
          words,
        ),
      ),
    ]);
    body.replaceChildren(table('Cost of each model', ['Model', ...COLUMNS.map(({ name }) => name)], cells));
  });
  return { element, update: ({ model, plan, runs }) => draw(model, plan, runs) };
}

/** A figure with a bar as long as its share of the largest. */
function cell(value: number | null, all: readonly (number | null)[], words: (value: number) => string): HTMLElement {
  if (value === null) return el('span', { class: 'muted', 'aria-label': 'not measured' }, '–');
  const most = Math.max(...all.map((other) => other ?? 0));
  const bar = el('span', { class: 'bar', 'aria-hidden': 'true' });
  bar.style.width = `${most > 0 ? (100 * value) / most : 0}%`;
  return el('span', { class: 'figure' }, el('span', {}, words(value)), bar);
}
