/** The table of depth against width, as the paper's Tables 1 and 2: a row for each model, size by size. */
import { formatCount, formatPercent, shortNumber } from '../../../src/format/numbers';
import type { SpreadDigest, VersusDigest, VersusModelDigest } from '../../../src/protocol/panel';
import { numeric } from '../../../src/format/json';
import { blocksText } from '../../support/amounts';
import { type Child, el } from '../../support/dom';
import { t } from '../../support/l10n';
import { table } from '../charts/table';
import { blockList, formatMeasured } from '../numbers';
import { COSTS, measured, methodText, QUALITIES } from '../state/versus-measures';

/** From this deviation of a latency on, as a share of it, speeds say little. */
const NOISY = 0.17;

export const isNoisy = (models: readonly VersusModelDigest[]): boolean =>
  models.some(({ latency }) => latency !== null && latency.sd > NOISY * latency.mean);

/** A row for each model, size by size. Bold is the best of a size. */
export function modelTable(models: readonly VersusModelDigest[]): HTMLElement {
  const [whole] = models;
  const hasTasks = measured(QUALITIES, models).some(({ key }) => key === 'accuracy');
  const hasSpeed = measured(COSTS, models).some(({ key }) => key === 'latency');
  const columns = columnsOf(whole, hasTasks, hasSpeed, !isNoisy(models));
  const made = table(
    t('Models of the comparison'),
    columns.map(({ head }) => head),
    models.map((model) => {
      const peers = models.filter(({ count, kind }) => count === model.count && kind !== 'whole');
      return columns.map(({ cell, rank }) => {
        const isBest = rank !== undefined && peers.length > 1 && rank(model) === Math.min(...peers.map(rank));
        return isBest ? el('strong', {}, cell(model)) : cell(model);
      });
    }),
  );
  for (const [at, row] of [...made.querySelectorAll('tbody tr')].entries()) {
    const { count, failure } = models[at];
    if (failure !== undefined) spanReason(row, failure);
    if (at > 0 && count !== models[at - 1].count) row.before(sizeRow(count, columns.length));
  }
  const label = t('Models of the comparison');
  return el('div', { class: 'table-scroll models', tabindex: '0', role: 'group', 'aria-label': label }, made);
}

/** What each model makes of the prompt, size by size; nothing if none wrote a text. */
export function continuations({ prompt, models }: VersusDigest): HTMLElement[] {
  const written = models.filter(({ continuation }) => continuation !== undefined);
  if (prompt === undefined || written.length === 0) return [];
  const made = table(
    t('Continuations of the prompt'),
    [t('Model'), prompt],
    written.map((model) => [nameCell(model), el('span', { class: 'continuation' }, model.continuation!.trim())]),
  );
  for (const [at, row] of [...made.querySelectorAll('tbody tr')].entries()) {
    const { count } = written[at];
    if (at > 0 && count !== written[at - 1].count) row.before(sizeRow(count, 2));
  }
  return [el('div', { class: 'table-scroll continuations' }, made)];
}

/** A line between sizes. */
const sizeRow = (count: number, columns: number): HTMLElement =>
  el(
    'tr',
    { class: 'size' },
    el('th', { colspan: String(columns), scope: 'colgroup' }, t('Without {0}, or as large', blocksText(count))),
  );

/** In place of numbers, why there is no such model. */
function spanReason(row: Element, failure: string): void {
  const [first, ...others] = row.querySelectorAll('td');
  const columns = 1 + others.length;
  for (const other of others) other.remove();
  first.setAttribute('colspan', String(columns));
  first.replaceChildren(el('span', { class: 'why' }, failure));
}

interface Column {
  readonly head: string;
  readonly cell: (model: VersusModelDigest) => Child;
  /** Less is better; infinite where it was not measured. */
  readonly rank?: (model: VersusModelDigest) => number;
}

const orInfinity = (value: number | null | undefined): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : Infinity;
const muted = (text: string, title?: string): HTMLElement =>
  el('span', { class: 'muted', ...(title !== undefined && { title }) }, text);

/** @param ranked the best speeds of a size are bold */
function columnsOf(whole: VersusModelDigest, hasTasks: boolean, hasSpeed: boolean, ranked: boolean): Column[] {
  const GiB = 2 ** 30;
  const spread = (value: SpreadDigest | null): Child =>
    value === null
      ? '–'
      : el('span', {}, shortNumber(value.mean), value.sd > 0 ? muted(` ± ${shortNumber(value.sd, 2)}`) : '');
  const speed: Column[] = [
    {
      head: t('Latency'),
      cell: ({ latency, speedFailure }) =>
        latency
          ? el('span', {}, formatMeasured(latency.mean), muted(` ± ${formatPercent(latency.sd / latency.mean)}`))
          : muted(speedFailure === undefined ? '–' : t('failed'), speedFailure),
      ...(ranked && { rank: ({ latency }: VersusModelDigest) => orInfinity(latency?.mean) }),
    },
    {
      head: t('Tokens/s'),
      cell: ({ throughput, speedUp }) =>
        throughput
          ? el('span', {}, shortNumber(throughput.mean, 3), speedUp === null ? '' : muted(` ${speedUp.toFixed(2)}×`))
          : '–',
      ...(ranked && {
        rank: ({ throughput }: VersusModelDigest) => orInfinity(throughput ? -throughput.mean : null),
      }),
    },
    {
      head: t('Memory'),
      cell: ({ memoryBytes }) => (memoryBytes === null ? '–' : t('{0} GiB', (memoryBytes / GiB).toFixed(2))),
      rank: ({ memoryBytes }) => orInfinity(memoryBytes),
    },
  ];
  return [
    { head: t('Model'), cell: nameCell },
    {
      head: t('Parameters'),
      cell: ({ parameters, kind }) =>
        parameters === null
          ? '–'
          : el(
              'span',
              {},
              formatCount(parameters),
              kind === 'whole' || whole.parameters === null
                ? ''
                : muted(` −${formatPercent(1 - parameters / whole.parameters)}`),
            ),
    },
    { head: t('Blocks'), cell: ({ blocks }) => (blocks === null ? '–' : String(blocks)) },
    { head: t('Heads'), cell: ({ heads }) => spread(heads) },
    { head: t('FFN'), cell: ({ ffn }) => spread(ffn) },
    {
      head: t('Perplexity'),
      cell: ({ ppl }) => shortNumber(numeric(ppl)),
      rank: ({ ppl }) => orInfinity(numeric(ppl)),
    },
    ...(hasTasks
      ? [
          {
            head: t('Accuracy'),
            cell: ({ accuracy }: VersusModelDigest) => (accuracy === null ? '–' : formatPercent(accuracy)),
            rank: ({ accuracy }: VersusModelDigest) => orInfinity(accuracy === null ? null : -accuracy),
          },
        ]
      : []),
    ...(hasSpeed ? speed : []),
    {
      head: t('Pruning'),
      cell: ({ pruningSeconds }) => (pruningSeconds === null ? '–' : formatMeasured(pruningSeconds)),
    },
  ];
}

/** The method, and the blocks that are gone. */
function nameCell({ method, kind, removed }: VersusModelDigest): HTMLElement {
  const name = methodText(method);
  if (kind !== 'depth') return el('span', {}, name);
  const blocks = removed.filter((block): block is number => typeof block === 'number');
  return el('span', {}, name, ' ', muted(blocks.length === removed.length ? blockList(blocks) : removed.join()));
}
