/** Perplexity for an agent. */
import { bosSuffix } from '../../format/bos';
import { basename } from 'node:path';
import { textArithmetic } from '../../format/arithmetic';
import { formatSeconds } from '../../format/durations';
import { formatNumber, formatPercent } from '../../format/numbers';
import { formatCounted } from '../../format/words';
import { checkpointName } from '../../jobs/titles';
import type { EvaluateResult } from '../../jobs/results/eval';
import { inLine } from '../answer';
import type { ResultPage } from '.';

export const evalPage: ResultPage<'eval'> = ({ result, device }, { checkpoint, text, calibration }) => {
  const { ppl, meanNll, bitsPerByte, tokens, windows, window, bos, removed, precision, seconds } = result;
  const left = removed.length > 0 ? ` without ${removed.join(', ')}` : '';
  const bits = bitsPerByte === undefined ? '' : `, ${formatNumber(bitsPerByte, 4)} bits per byte`;
  return [
    `${inLine(checkpointName(checkpoint))}${left}: perplexity ${formatNumber(ppl, 5)} (${formatNumber(meanNll, 5)} nats a token${bits})`,
    `text: ${inLine(basename(text ?? calibration ?? ''))}, ${formatCounted(tokens, 'token')} in ` +
      `${formatCounted(windows, 'window')} of ${window}${bosSuffix(bos)}; ${textArithmetic(precision, device?.provider)}, ${formatSeconds(seconds)}`,
    ...comparison(result),
    ...repetitionLine(result),
    ...(result.calibrated ? ['This text chose the blocks, so the perplexity flatters: measure on another one.'] : []),
  ];
};

function comparison({ kl, top1, against }: EvaluateResult): string[] {
  if (kl === undefined || top1 === undefined || !against) return [];
  return [
    `beside ${inLine(against.model)}: KL divergence ${formatNumber(kl, 4)} nats, and both find the same next token most likely ` +
      `${formatPercent(top1)} of the time`,
  ];
}

function repetitionLine({ repetition }: EvaluateResult): string[] {
  if (!repetition) return [];
  const { mean, unpruned, texts } = repetition;
  const own = mean === null ? 'not known, the texts are too short' : formatPercent(Number(mean));
  const other = unpruned === null ? '' : `; of the original ${formatPercent(Number(unpruned))}`;
  return [
    `repetition in ${formatCounted(texts, 'greedy text')} (runs of four tokens that occurred before): ${own}${other}`,
  ];
}
