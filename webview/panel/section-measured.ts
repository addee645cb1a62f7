/** What models cost: size, parameters, speed and memory, of the original, the plan and what was made of it. */
import type { CostDigest, PanelModel, PanelPlan, PanelRun } from '../../src/protocol/panel';
import { el } from '../support/dom';
import { table } from './table';
import { blockList, bytes, count, short } from './numbers';
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
        'Speeds are measured whenever a model writes; “coppice bench” with --record measures memory too.';
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

/** The newest figure of each kind of each model, under the name that runs give it. */
function costsOf(model: PanelModel, plan: PanelPlan | undefined, runs: readonly PanelRun[]): CostDigest[] {
  const none = { prefillTokensPerSecond: null, decodeTokensPerSecond: null, peakRssBytes: null };
  const found = new Map<string, CostDigest>([
    [model.name, { label: model.name, parameters: model.parameters, bytes: model.bytes, ...none }],
  ]);
  if (plan && plan.removed.length > 0) {
    const label = `Without ${blockList(plan.removed)}`;
    found.set(label, { label, parameters: plan.parameters, bytes: plan.bytes, ...none });
  }
  for (const { digest } of runs) {
    for (const cost of digest.cost ?? []) {
      const label =
        cost.label === 'Original'
          ? model.name
          : digest.kind === 'bench' && digest.removed.length > 0
            ? `${cost.label} without ${digest.removed.join(', ')}`
            : cost.label;
      const known = found.get(label);
      const merged = COLUMNS.map(({ key }) => [key, known?.[key] ?? cost[key]] as const);
      found.set(label, { ...cost, ...Object.fromEntries(merged), label });
    }
  }
  return [...found.values()];
}

/** A figure with a bar as long as its share of the largest. */
function cell(value: number | null, all: readonly (number | null)[], words: (value: number) => string): HTMLElement {
  if (value === null) return el('span', { class: 'muted', 'aria-label': 'not measured' }, '–');
  const most = Math.max(...all.map((other) => other ?? 0));
  const bar = el('span', { class: 'bar', 'aria-hidden': 'true' });
  bar.style.width = `${most > 0 ? (100 * value) / most : 0}%`;
  return el('span', { class: 'figure' }, el('span', {}, words(value)), bar);
}
