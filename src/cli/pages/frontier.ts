/** What `coppice frontier` prints: the files by their size, what is worth its bytes, and the best that fits. */
import { arithmeticWords } from '../../format/arithmetic';
import { formatSeconds } from '../../format/durations';
import { formatBytes, formatNumber } from '../../format/numbers';
import { counted, formatCounted } from '../../format/words';
import type { FrontierPoint, FrontierResult } from '../../jobs/results/frontier';
import { table } from '../terminal/text';
import type { Page } from './page';

export const frontierPage: Page<'frontier'> = (_, { style, shown }) => ({
  page: (result) => [...pointLines(result, style.bold), '', ...closing(result).map(shown)],
});

/** The smallest file first. */
function pointLines({ points, original, fit }: FrontierResult, bold: (text: string) => string): string[] {
  const chosen = typeof fit?.point === 'number' ? points[fit.point] : undefined;
  const behind = points.some((point) => point.behind);
  const heads = ['>size', 'type', '>blocks removed', 'healed', '>perplexity', ...(behind ? ['>nats behind'] : []), ''];
  const rows = points
    .toSorted((a, b) => a.bytes - b.bytes || a.ppl - b.ppl)
    .map((point) => [
      formatBytes(point.bytes),
      point.type,
      String(point.count),
      point.healed ? 'yes' : '',
      formatNumber(point.ppl, 4),
      ...(behind ? [behindWords(point)] : []),
      [point === chosen ? 'the best that fits' : '', point.frontier ? 'frontier' : ''].filter(Boolean).join(', '),
    ]);
  const own = [
    formatBytes(original.bytes),
    'as stored',
    '0',
    '',
    formatNumber(original.ppl, 4),
    ...(behind ? [''] : []),
    'original',
  ];
  const [head, ...lines] = table(heads, [...rows, own]);
  return [bold(head), ...lines];
}

const behindWords = ({ behind }: FrontierPoint): string =>
  behind
    ? `${formatNumber(behind.difference, 2)}${behind.interval === null ? '' : ` ± ${formatNumber(behind.interval, 2)}`}`
    : '';

function closing({
  points,
  order,
  criterion,
  fit,
  text,
  seconds,
  device,
  precision,
  calibrated,
  weighed,
}: FrontierResult): string[] {
  const longest = order.reduce((a, b) => (b.length > a.length ? b : a), []);
  const blocks =
    longest.length === 0
      ? []
      : [`Without ${counted(longest.length, 'block')} it lacks ${longest.join(', ')}, chosen by ${criterion}.`];
  return [
    ...fitLines(points, fit),
    'Frontier: no other of these files is at most as large and has a lower perplexity.',
    ...blocks,
    ...(weighed ? ['Types of few bits are rounded by an importance matrix of the calibration rows.'] : []),
    `Perplexity on ${formatCounted(text.rows, 'row')} of ${text.length} tokens of ${text.name}` +
      (calibrated ? ', which also chose the blocks or healed: measure on another text.' : '.'),
    `Done in ${formatSeconds(seconds)}, ${arithmeticWords(precision, device)}.`,
  ];
}

function fitLines(points: readonly FrontierPoint[], fit: FrontierResult['fit']): string[] {
  if (!fit) return [];
  if (fit.point === null) return [`None of these files fits into ${formatBytes(fit.bytes)}.`, ''];
  const { type, count, bytes, ppl, healed } = points[fit.point];
  const shorter = count === 0 ? 'with all blocks' : `without ${counted(count, 'block')}${healed ? ', healed' : ''}`;
  return [
    `Into ${formatBytes(fit.bytes)} fits best: ${type} ${shorter}, ${formatBytes(bytes)}, perplexity ${formatNumber(ppl, 4)}.`,
    ...(fit.isClear ? [] : ['This text does not tell it apart from every other file that fits: see the intervals.']),
    'This text chose it, so judge it on another one before you ship it. To write it:',
    ...fit.commands.map((line) => `  ${line}`),
    '',
  ];
}
