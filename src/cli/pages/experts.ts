/** What `coppice experts` prints. */
import { arithmeticWords } from '../../format/arithmetic';
import { formatSeconds } from '../../format/durations';
import { formatBytes, formatCount, formatNumber, formatPercent } from '../../format/numbers';
import { numberRanges } from '../../format/ranges';
import { formatCounted } from '../../format/words';
import type { ExpertsResult } from '../../jobs/results/experts';
import { facts, table } from '../terminal/text';
import type { Page } from './page';

/** Kept experts that are listed; a line has room for them. */
const SHOWN = 48;

export const expertsPage: Page<'experts'> = (_, { shown }) => ({
  page: (result) => [
    ...facts([
      ['experts', keptWords(result)],
      ...(result.removed.length === 0 ? [] : [['blocks left out', numberRanges(result.removed)] as const]),
      ...(result.unrouted === 0
        ? []
        : [['without a token', `${formatCounted(result.unrouted, 'expert')}, which go first`] as const]),
      [
        'parameters',
        `${formatCount(result.parametersBefore)} → ${formatCount(result.parameters)} (${formatPercent(result.parameters / result.parametersBefore - 1)})`,
      ],
      ...fileFacts(result),
      ...rescaleFacts(result),
      ...lossFacts(result),
      ...(result.out === null ? [] : [['written', shown(result.out)] as const]),
      [
        'time',
        `${formatSeconds(result.seconds)}${result.device === null ? '' : `, ${arithmeticWords(result.precision, result.device)}`}`,
      ],
    ]),
    '',
    ...table(
      ['block', 'lowest score', 'median', 'highest', 'tokens of an expert', 'kept'],
      result.blocks.map(({ index, scores, tokens, kept }) => {
        const sorted = scores.map(Number).sort((a, b) => a - b);
        return [
          String(index),
          ...[sorted[0], sorted[sorted.length >> 1], sorted[sorted.length - 1]].map((each) => formatNumber(each, 4)),
          `${formatCount(Math.min(...tokens))}–${formatCount(Math.max(...tokens))}`,
          kept.length > SHOWN ? String(kept.length) : numberRanges(kept),
        ];
      }),
    ),
  ],
});

function keptWords({ experts: { before, after, perToken }, criterion, calibration }: ExpertsResult): string {
  const text =
    calibration === null ? '' : ` on ${calibration.name}, ${calibration.rows} × ${calibration.length} tokens`;
  return `${after} of ${before} stay in each block (${perToken} for a token), by ${criterion}${text}`;
}

/** Of experts and blocks together. */
function fileFacts({ bytesBefore, bytesAfter }: ExpertsResult): [string, string][] {
  if (bytesBefore === undefined || bytesAfter === undefined) return [];
  return [
    [
      'files',
      `${formatBytes(bytesBefore)} → ${formatBytes(bytesAfter)} (${formatPercent(bytesAfter / bytesBefore - 1)})`,
    ],
  ];
}

function rescaleFacts({ rescale }: ExpertsResult): [string, string][] {
  if (rescale === undefined) return [];
  const { applied, heldOut, factors } = rescale;
  const all = factors.flatMap(({ factors: each }) => each);
  const kl = `KL divergence ${formatNumber(heldOut.without, 4)} → ${formatNumber(heldOut.with, 4)} nats on ${formatCounted(heldOut.rows, 'row')} that ${heldOut.rows === 1 ? 'was' : 'were'} not fitted`;
  const range = `${formatNumber(Math.min(...all), 3)} to ${formatNumber(Math.max(...all), 3)}`;
  return [['rescaled', applied ? `by ${range}: ${kl}` : `no, factors of ${range} do not help: ${kl}`]];
}

function lossFacts({ before, after, text }: ExpertsResult): [string, string][] {
  if (before === null || after === null || text === null) return [];
  const change = (name: 'meanNll' | 'ppl', digits: number): string =>
    `${formatNumber(Number(before[name]), digits)} → ${formatNumber(Number(after[name]), digits)}`;
  return [
    ['loss', `${change('meanNll', 5)} nats a token (${text.name}, ${formatCounted(text.rows, 'row')})`],
    ['perplexity', change('ppl', 4)],
    ['KL divergence', `${formatNumber(Number(after.kl), 4)} nats from the original`],
    ['same next token', formatPercent(Number(after.top1))],
  ];
}
