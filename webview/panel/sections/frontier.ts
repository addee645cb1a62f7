/** Blocks or bits: a chart of perplexity against size, and a table with the smallest file first. */
import { formatBytes, shortNumber } from '../../../src/format/numbers';
import { numeric } from '../../../src/format/json';
import type { FrontierDigest, FrontierPointDigest } from '../../../src/protocol/panel';
import { rowsText } from '../../support/amounts';
import { type Child, el } from '../../support/dom';
import { t } from '../../support/l10n';
import { behindText, drawFrontier, fileName } from '../charts/frontier';
import { table } from '../charts/table';
import { moment } from '../numbers';
import { computedText } from '../state/precisions';
import './frontier.css';
import { runCard } from './run-card';

export const frontierCard = runCard({
  chart: 'frontier',
  title: t('Blocks or bits'),
  question: t('Which is the better buy for a size?'),
  has: ({ frontier }) => frontier,
  empty: () => t('Measures which files are worth their bytes.'),
  action: 'frontier',
  oneAtATime: true,
  label: ({ digest }) => moment(digest.started),
  draw: ({ frame, context }) => ({
    run: ({ run, result, again, list }) => {
      frame.setTools(...list, ...again);
      frame.setNote(`${noteOf(result)} `, computedText(run.digest));
      frame.setBelow(fileTable(result), ...commandsOf(result));
      frame.show(summaryOf(result), (width) =>
        drawFrontier(result, width, frame, (removed) => context.send({ type: 'plan/set', removed })),
      );
    },
  }),
});

const words = (point: FrontierPointDigest): string =>
  t('{0}: {1}, perplexity {2}', fileName(point), formatBytes(point.bytes), shortNumber(numeric(point.ppl)));

/** The best that fits; without a size, which of both ways the frontier takes. */
function summaryOf({ points, fit }: FrontierDigest): string {
  if (fit !== null) {
    if (fit.point === null) return t('None of these files fits into {0}.', formatBytes(fit.bytes));
    const unclear = fit.isClear ? '' : ` ${t('The text does not tell it apart from every other file that fits.')}`;
    return `${t('Into {0} fits best {1}.', formatBytes(fit.bytes), words(points[fit.point]))}${unclear}`;
  }
  const worth = points.filter(({ frontier }) => frontier);
  const shorter = worth.filter(({ count }) => count > 0).length;
  return t('{0} of {1} files are worth their bytes; {2} of them lack blocks.', worth.length, points.length, shorter);
}

const noteOf = ({ text, rows, calibrated, weighed, fit }: FrontierDigest): string =>
  [
    rows === null ? '' : t('Perplexity on {0} of {1}.', rowsText(rows), text),
    weighed ? t('Types of few bits are rounded by importance.') : '',
    calibrated ? t('That text also chose the blocks or healed, so perplexities without blocks are too low.') : '',
    typeof fit?.point === 'number' ? t('That text chose the file: judge it on another one before it ships.') : '',
  ]
    .filter(Boolean)
    .join(' ');

/** A row for each file, the smallest first. Bold is what no smaller file beats. */
function fileTable({ points, original, fit }: FrontierDigest): HTMLElement {
  const behind = points.some((point) => point.behind !== undefined);
  const muted = (text: string): HTMLElement => el('span', { class: 'muted' }, text);
  const ordered = points.toSorted((a, b) => a.bytes - b.bytes || numeric(a.ppl) - numeric(b.ppl));
  const row = (point: FrontierPointDigest): Child[] => {
    const ppl = shortNumber(numeric(point.ppl));
    const isBest = typeof fit?.point === 'number' && point === points[fit.point];
    return [
      fileName(point),
      formatBytes(point.bytes),
      point.frontier ? el('strong', {}, ppl) : ppl,
      ...(behind ? [point.behind ? behindText(point.behind) : ''] : []),
      ...(fit === null ? [] : [isBest ? el('strong', {}, t('the best')) : point.fits ? t('yes') : muted(t('no'))]),
    ];
  };
  const stored: Child[][] =
    original === null
      ? []
      : [
          [
            t('Original, as stored'),
            formatBytes(original.bytes),
            shortNumber(numeric(original.ppl)),
            ...(behind ? [''] : []),
            ...(fit === null ? [] : [original.bytes <= fit.bytes ? t('yes') : muted(t('no'))]),
          ],
        ];
  const label = t('Files by size');
  const made = table(
    label,
    [
      t('File'),
      t('Size'),
      t('Perplexity'),
      ...(behind ? [t('Nats behind the best')] : []),
      ...(fit === null ? [] : [t('Fits')]),
    ],
    [...ordered.map(row), ...stored],
  );
  return el('div', { class: 'table-scroll', tabindex: '0', role: 'group', 'aria-label': label }, made);
}

/** What writes the best file that fits. */
function commandsOf({ fit }: FrontierDigest): HTMLElement[] {
  if (fit === null || fit.commands.length === 0) return [];
  return [
    el('p', { class: 'muted' }, t('These commands write it:')),
    el('pre', { class: 'commands' }, fit.commands.join('\n')),
  ];
}
