/** Sizes against perplexity, for an agent. */
import { formatBytes, formatNumber } from '../../format/numbers';
import { counted } from '../../format/words';
import { checkpointName } from '../../jobs/titles';
import { inLine } from '../answer';
import type { ResultPage } from '.';

export const frontierPage: ResultPage<'frontier'> = ({ result }, { checkpoint }) => {
  const { points, original, fit, text, criterion, calibrated, weighed } = result;
  const best = typeof fit?.point === 'number' ? points[fit.point] : undefined;
  const shown = points.toSorted((a, b) => a.bytes - b.bytes);
  return [
    `${inLine(checkpointName(checkpoint))}: ${formatBytes(original.bytes)} as stored, perplexity ${formatNumber(original.ppl, 5)} on ` +
      `${counted(text.rows, 'row')} of ${text.length} tokens of ${inLine(text.name)}, float32`,
    ...(weighed ? ['Types of few bits are rounded by an importance matrix of the calibration rows.'] : []),
    ...(calibrated ? ['That text also chose the blocks or healed, so perplexities without blocks are too low.'] : []),
    ...(fit && !best ? [`no file fits into ${formatBytes(fit.bytes)}`] : []),
    ...(fit && best
      ? [
          `into ${formatBytes(fit.bytes)} fits best: ${best.type} without ${counted(best.count, 'block')}, ${formatBytes(best.bytes)}, ` +
            `perplexity ${formatNumber(best.ppl, 5)}; that text chose it${fit.isClear ? '' : ', and does not tell it apart from every other file that fits'}`,
          `to write it: ${fit.commands.map(inLine).join('; then ')}`,
        ]
      : []),
    `files (blocks chosen by ${criterion}):`,
    {
      names: [
        'type',
        '>removed',
        'healed',
        '>bytes',
        '>perplexity',
        '>nats behind the best',
        'no smaller file is better',
      ],
      rows: shown.map(({ type, removed, healed, bytes, ppl, behind, frontier }) => [
        type,
        removed.join(' ') || 'none',
        healed ? 'yes' : 'no',
        formatBytes(bytes),
        formatNumber(ppl, 5),
        behind ? `${formatNumber(behind.difference, 2)} ± ${formatNumber(behind.interval ?? NaN, 2)}` : '',
        frontier ? 'yes' : 'no',
      ]),
    },
  ];
};
