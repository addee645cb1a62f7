/** Parameters, size, speed and memory of the checkpoint, the plan and derived models. */
import type { PanelState } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { button, checkbox, enable, setTicked } from '../../support/ui';
import { cardTitle } from '../card';
import { type Cost, costsOf, precisionOf } from './costs';
import { exportCsv, exportJson } from '../charts/export';
import { exportControl } from '../charts/export-control';
import { formatBytes, shortCount, shortNumber } from '../../../src/format/numbers';
import { gridCard } from './grid';
import { type Card, type Context, type Section, whenChanged } from './section';
import { modelText } from '../state/model-labels';
import { blocksNote } from '../state/precisions';
import { ownRuns } from '../state/shown-runs';
import { missing, type Numbers, scroller, table } from '../charts/table';

type Measure = 'parameters' | 'bytes' | 'prefillTokensPerSecond' | 'decodeTokensPerSecond' | 'peakRssBytes';

interface Column {
  readonly key: Measure;
  /** Where the spread of a speed is. */
  readonly range?: 'prefillRange' | 'decodeRange';
  readonly name: string;
  /** The name with its unit, for files. */
  readonly exact: string;
  readonly words: (value: number) => string;
}

const speed = (value: number): string => shortNumber(value, 3);
const COLUMNS: readonly Column[] = [
  { key: 'parameters', name: t('Parameters'), exact: t('Parameters'), words: shortCount },
  { key: 'bytes', name: t('Size'), exact: t('Bytes'), words: formatBytes },
  {
    key: 'prefillTokensPerSecond',
    name: t('Prefill (tokens/s)'),
    exact: t('Prefill, tokens per second'),
    words: speed,
    range: 'prefillRange',
  },
  {
    key: 'decodeTokensPerSecond',
    name: t('Decode (tokens/s)'),
    exact: t('Decode, tokens per second'),
    words: speed,
    range: 'decodeRange',
  },
  { key: 'peakRssBytes', name: t('Peak memory'), exact: t('Peak memory, bytes'), words: formatBytes },
];

const KINDS: Readonly<Record<Cost['kind'], string>> = {
  original: t('original'),
  plan: t('this plan'),
  earlier: t('earlier plan'),
  made: t('derived'),
};

const TITLE = t('Size and speed');

/** What models cost. In the panel, speeds over batches stand below the table. */
export const measuredCard: Card = {
  name: 'measured',
  title: TITLE,
  has: ({ cost }) => cost !== undefined,
  parts: [gridCard],
  make: measuredSection,
};

function measuredSection(context: Context): Section {
  const { still, send, setView } = context;
  const body = scroller(TITLE);
  const note = el('p', { class: 'summary' });
  const earlier = checkbox(t('Earlier plans'), context.view().earlierPlans, (earlierPlans) =>
    setView({ earlierPlans }),
  );
  const measure = button(t('Measure Speed…'), () => send({ type: 'start/speed' }));
  const time = el('span', { class: 'muted time' });
  let rows: readonly Cost[] = [];
  const exports = exportControl(TITLE, {
    CSV: () => exportCsv('costs', numbersOf(rows), send),
    JSON: () => exportJson('costs', numbersOf(rows), send),
  });
  const element = el(
    'section',
    { class: 'card measured', 'aria-labelledby': 'measured-title' },
    el(
      'header',
      {},
      cardTitle('measured', TITLE, t('What does each model cost?')),
      el('div', { class: 'tools' }, earlier, ...(still ? [] : [el('span', { class: 'empty-action' }, measure, time)])),
      exports,
    ),
    note,
    body,
  );
  const draw = whenChanged(({ model, plan, runs, withEarlier }: Drawn) => {
    const all = costsOf(model, still ? undefined : plan, runs);
    const isListed = ({ kind }: Cost): boolean => still === true || withEarlier || kind !== 'earlier';
    rows = all.filter(isListed);
    earlier.hidden = still === true || !all.some(({ kind }) => kind === 'earlier');
    setTicked(earlier, withEarlier);
    const precisions = runs.flatMap((run) => (run.digest.cost ?? []).map((cost) => precisionOf(run, cost)));
    note.textContent = [noteOf(rows, still), ...blocksNote(precisions)].join(' ').trim();
    const most = ({ key, range }: Column): number =>
      Math.max(...rows.map((row) => (range && row.speed !== 'turns' ? 0 : (row[key] ?? 0))));
    const cells = rows.map((row) => [nameOf(row, still), ...COLUMNS.map((column) => cell(row, column, most(column)))]);
    body.replaceChildren(
      table(t('Size and speed of each model'), [t('Model'), ...COLUMNS.map(({ name }) => name)], cells),
    );
  });
  return {
    element,
    update: ({ model, plan, runs, jobs, trusted, times }, { earlierPlans }) => {
      const isMeasuring = jobs.some(({ kind }) => kind === 'speeds' || kind === 'grid');
      const words = times.speed ?? '';
      if (time.textContent !== words) time.textContent = words;
      enable(measure, trusted && !isMeasuring);
      draw({ model, plan, runs: ownRuns(runs), withEarlier: earlierPlans });
    },
  };
}

/** What the table depends on. */
type Drawn = Pick<PanelState, 'model' | 'plan' | 'runs'> & { readonly withEarlier: boolean };

function nameOf({ label, kind, adapter }: Cost, still = false): HTMLElement {
  return el(
    'span',
    { class: kind === 'plan' ? 'cost-name is-plan' : 'cost-name' },
    modelText(label),
    kind === 'plan' || (kind === 'earlier' && !still) ? el('span', { class: 'badge' }, KINDS[kind]) : undefined,
    adapter && el('span', { class: 'muted' }, t('+ adapter')),
  );
}

const numbersOf = (rows: readonly Cost[]): Numbers => ({
  head: [t('Model'), t('Kind'), ...COLUMNS.map(({ exact }) => exact), t('Speeds')],
  rows: () => rows.map((row) => [row.label, KINDS[row.kind], ...COLUMNS.map(({ key }) => row[key]), row.speed ?? null]),
});

/** A number with a bar for its share of the largest one. Only speeds that can be compared have a bar; others have a note. */
function cell(row: Cost, { key, range, words }: Column, most: number): HTMLElement {
  const value = row[key];
  if (value === null) return missing();
  if (range && row.speed !== 'turns')
    return el('span', { class: 'figure' }, words(value), el('span', { class: 'muted' }, WAYS[row.speed ?? 'alone']));
  const bar = el('span', { class: 'bar', 'aria-hidden': 'true' });
  bar.style.width = `${most > 0 ? (100 * value) / most : 0}%`;
  const [low, high] = (range && row[range]) ?? [value, value];
  const spread = low === high ? undefined : el('span', { class: 'muted' }, t('{0} to {1}', words(low), words(high)));
  return el('span', { class: 'figure' }, el('span', {}, words(value), spread && ' ', spread), bar);
}

const WAYS = { alone: t('measured separately'), writing: t('from one text, with warm-up') } as const;

/** Tells how the speeds were measured. */
function noteOf(rows: readonly Cost[], still = false): string {
  const has = (way: Cost['speed']): boolean => rows.some(({ speed }) => speed === way);
  const exact = t('Speeds are those of float32 unless a name says otherwise.');
  const turns = t(
    'Speeds with bars come from one run in which the models took turns after a warm-up (median, minimum to maximum).',
  );
  if (has('turns')) return `${turns} ${exact}`;
  if (still) return has('alone') || has('writing') ? exact : '';
  const hint = t('Measure Speed runs the models in turns after a warm-up, with one text or with many side by side.');
  return has('alone') || has('writing')
    ? `${t('These speeds cannot be compared with each other.')} ${exact} ${hint}`
    : hint;
}
