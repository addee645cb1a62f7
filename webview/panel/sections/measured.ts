/** What models cost: size, parameters, speed and memory, of the original, the plan and what was made of it. */
import type { PanelModel, PanelPlan, PanelRun } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { button, checkbox, enable, setTicked } from '../../support/ui';
import { type Cost, costsOf } from './costs';
import { exportCsv, exportJson } from '../charts/export';
import { bytes, count, short } from '../numbers';
import { type Context, type Section, whenChanged } from './section';
import { ownRuns } from '../state/shown-runs';
import { type Numbers, table } from '../charts/table';

type Measure = 'parameters' | 'bytes' | 'prefillTokensPerSecond' | 'decodeTokensPerSecond' | 'peakRssBytes';

interface Column {
  readonly key: Measure;
  /** Of speeds: where their spread is. */
  readonly range?: 'prefillRange' | 'decodeRange';
  readonly name: string;
  /** With its unit, for files. */
  readonly exact: string;
  readonly words: (value: number) => string;
}

const speed = (value: number): string => short(value, 3);
const COLUMNS: readonly Column[] = [
  { key: 'parameters', name: 'Parameters', exact: 'Parameters', words: count },
  { key: 'bytes', name: 'Size', exact: 'Bytes', words: bytes },
  {
    ...{ key: 'prefillTokensPerSecond', name: 'Prefill, tokens/s', exact: 'Prefill, tokens per second', words: speed },
    range: 'prefillRange',
  },
  {
    ...{ key: 'decodeTokensPerSecond', name: 'Decode, tokens/s', exact: 'Decode, tokens per second', words: speed },
    range: 'decodeRange',
  },
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
  const measure = button('Measure Speed', () => send({ type: 'start/bench' }));
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
      el('div', { class: 'tools' }, earlier, ...(still ? [] : [measure])),
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
    note.textContent = noteOf(rows, still);
    const most = ({ key, range }: Column): number =>
      Math.max(...rows.map((row) => (range && row.speed !== 'turns' ? 0 : (row[key] ?? 0))));
    const cells = rows.map((row) => [nameOf(row, still), ...COLUMNS.map((column) => cell(row, column, most(column)))]);
    body.replaceChildren(table('Cost of each model', ['Model', ...COLUMNS.map(({ name }) => name)], cells));
  });
  return {
    element,
    update: ({ model, plan, runs, jobs, trusted }, { earlierPlans }) => {
      const isMeasuring = jobs.some(({ kind }) => kind === 'bench');
      enable(measure, trusted && !isMeasuring);
      draw(model, plan, ownRuns(runs), earlierPlans);
    },
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
  head: ['Model', 'Kind', ...COLUMNS.map(({ exact }) => exact), 'Speeds'],
  rows: () => rows.map((row) => [row.label, KINDS[row.kind], ...COLUMNS.map(({ key }) => row[key]), row.speed ?? null]),
});

/** A figure with a bar as long as its share of the largest. A speed has a bar only if it can be compared, else a note. */
function cell(row: Cost, { key, range, words }: Column, most: number): HTMLElement {
  const value = row[key];
  if (value === null) return el('span', { class: 'muted' }, el('span', { 'aria-hidden': 'true' }, '–'), missing());
  if (range && row.speed !== 'turns')
    return el('span', { class: 'figure' }, words(value), el('span', { class: 'muted' }, WAYS[row.speed ?? 'alone']));
  const bar = el('span', { class: 'bar', 'aria-hidden': 'true' });
  bar.style.width = `${most > 0 ? (100 * value) / most : 0}%`;
  const [low, high] = (range && row[range]) ?? [value, value];
  const spread = low === high ? undefined : el('span', { class: 'muted' }, `${words(low)} to ${words(high)}`);
  return el('span', { class: 'figure' }, el('span', {}, words(value), spread && ' ', spread), bar);
}

const WAYS = { alone: 'measured apart', writing: 'one writing, with warm-up' } as const;

/** How the speeds were measured. */
function noteOf(rows: readonly Cost[], still = false): string {
  const has = (way: Cost['speed']): boolean => rows.some(({ speed }) => speed === way);
  const turns =
    'Speeds with bars were measured in turns in one run, after a warm-up: medians, and the least to the most.';
  if (has('turns')) return turns;
  if (still) return '';
  const hint = 'Measure Speed lets the models take turns in one run, after a warm-up.';
  return has('alone') || has('writing') ? `These speeds cannot be compared with each other. ${hint}` : hint;
}

const missing = (): HTMLElement => el('span', { class: 'visually-hidden' }, 'not measured');
