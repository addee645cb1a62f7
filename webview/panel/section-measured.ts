/** What models cost: size, parameters, speed and memory, of the original, the plan and what was made of it. */
import type { CostDigest, PanelModel, PanelPlan, PanelRun } from '../../src/protocol/panel';
import { el } from '../support/dom';
import { button, checkbox, setTicked } from '../support/ui';
import { type Cost, costsOf } from './costs';
import { exportCsv, exportJson } from './export';
import { bytes, count, short } from './numbers';
import { type Context, type Section, whenChanged } from './section';
import { ownRuns } from './shown-runs';
import { type Numbers, table } from './table';

type Measure = Exclude<keyof CostDigest, 'label'>;

interface Column {
  readonly key: Measure;
  readonly name: string;
  /** With its unit, for files. */
  readonly exact: string;
  readonly words: (value: number) => string;
}

const speed = (value: number): string => short(value, 3);
const COLUMNS: readonly Column[] = [
  { key: 'parameters', name: 'Parameters', exact: 'Parameters', words: count },
  { key: 'bytes', name: 'Size', exact: 'Bytes', words: bytes },
  { key: 'prefillTokensPerSecond', name: 'Prefill, tokens/s', exact: 'Prefill, tokens per second', words: speed },
  { key: 'decodeTokensPerSecond', name: 'Decode, tokens/s', exact: 'Decode, tokens per second', words: speed },
  { key: 'peakRssBytes', name: 'Peak memory', exact: 'Peak memory, bytes', words: bytes },
];

const KINDS: Readonly<Record<Cost['kind'], string>> = {
  ...{ original: 'original', plan: 'the plan', earlier: 'an earlier plan', made: 'made' },
};

export function measuredSection(context: Context): Section {
  const { still, send, setView } = context;
  const body = el('div', { class: 'table-scroll', tabindex: '0', role: 'group', 'aria-label': 'Measured' });
  const note = el('p', { class: 'summary' });
  const earlier = checkbox('Earlier plans', context.view().earlierPlans, (earlierPlans) => setView({ earlierPlans }));
  let rows: readonly Cost[] = [];
  const save = (name: string, write: typeof exportCsv): HTMLElement =>
    button(name, () => write('costs', numbersOf(rows), send), {
      appearance: 'icon',
      label: `Export “What models cost” as ${name}`,
    });
  const element = el(
    'section',
    { class: 'card measured', 'aria-labelledby': 'measured-title' },
    el(
      'header',
      {},
      el('h2', { id: 'measured-title' }, 'What models cost'),
      el('div', { class: 'tools' }, earlier),
      el('div', { class: 'exports' }, save('CSV', exportCsv), save('JSON', exportJson)),
    ),
    note,
    body,
  );
  const draw = whenChanged((model: PanelModel, plan: PanelPlan, runs: readonly PanelRun[], withEarlier: boolean) => {
    const all = costsOf(model, still ? undefined : plan, runs);
    const isListed = ({ kind }: Cost): boolean => still === true || withEarlier || kind !== 'earlier';
    rows = all.filter(isListed);
    earlier.hidden = still === true || !all.some(({ kind }) => kind === 'earlier');
    setTicked(earlier, withEarlier);
    if (!still)
      note.textContent =
        'Speeds are measured whenever a model writes. “coppice bench --record .coppice/runs/NAME.json” measures memory too, ' +
        'with --remove and --adapter also of the plan and of what was retrained.';
    const most = (key: Measure): number => Math.max(...rows.map((row) => row[key] ?? 0));
    const cells = rows.map((row) => [
      nameOf(row, still),
      ...COLUMNS.map(({ key, words }) => cell(row[key], most(key), words)),
    ]);
    body.replaceChildren(table('Cost of each model', ['Model', ...COLUMNS.map(({ name }) => name)], cells));
  });
  return {
    element,
    update: ({ model, plan, runs }, { earlierPlans }) => draw(model, plan, ownRuns(runs), earlierPlans),
  };
}

function nameOf({ label, kind, adapter }: Cost, still = false): HTMLElement {
  return el(
    'span',
    { class: kind === 'plan' ? 'cost-name is-plan' : 'cost-name' },
    label,
    kind === 'plan' || (kind === 'earlier' && !still) ? el('span', { class: 'badge' }, KINDS[kind]) : undefined,
    adapter && el('span', { class: 'muted' }, 'and its adapter’s own parameters'),
  );
}

const numbersOf = (rows: readonly Cost[]): Numbers => ({
  head: ['Model', 'Kind', ...COLUMNS.map(({ exact }) => exact)],
  rows: () => rows.map((row) => [row.label, KINDS[row.kind], ...COLUMNS.map(({ key }) => row[key])]),
});

/** A figure with a bar as long as its share of the largest. */
function cell(value: number | null, most: number, words: (value: number) => string): HTMLElement {
  if (value === null) return el('span', { class: 'muted' }, el('span', { 'aria-hidden': 'true' }, '–'), missing());
  const bar = el('span', { class: 'bar', 'aria-hidden': 'true' });
  bar.style.width = `${most > 0 ? (100 * value) / most : 0}%`;
  return el('span', { class: 'figure' }, el('span', {}, words(value)), bar);
}

const missing = (): HTMLElement => el('span', { class: 'visually-hidden' }, 'not measured');
