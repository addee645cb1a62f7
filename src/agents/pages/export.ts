/** What an export wrote, for an agent. */
import { measuredWords } from '../../jobs/measured-words';
import { formatSeconds } from '../../format/durations';
import { formatBytes, formatCount, formatNumber, formatPercent } from '../../format/numbers';
import type { ExportResult } from '../../jobs/results/export';
import { inLine } from '../answer';
import type { ResultPage } from '.';

export const exportPage: ResultPage<'export'> = ({ result }) => {
  const { format, type, out, bytes, files, removed, parametersAfter, measured = [], seconds } = result;
  return [
    `Written: ${out}, in ${formatSeconds(seconds)}`,
    `format ${format}, ${type === 'stored' ? 'each weight in its own type' : type}; ` +
      `${formatCount(parametersAfter)} parameters, ${formatBytes(bytes)} in ${files.length} files; ` +
      `without ${removed.length > 0 ? `blocks ${removed.join(', ')}` : 'no block'}`,
    verifiedLine(result),
    ...measured.map((kind) => `${inLine(kind.type)}: ${measuredWords(kind)}`),
  ];
};

function verifiedLine({ verified }: ExportResult): string {
  if (!verified) return 'It was not compared with the model.';
  const { exact, positions, relative, maxDifference, top1, meanKl } = verified;
  const difference = exact
    ? `logits differ by ${formatNumber(Number(maxDifference), 3)} at most`
    : `logits differ by ${formatPercent(Number(relative))}, KL divergence ${formatNumber(Number(meanKl), 3)} nats`;
  return `opened again and compared with the model at ${positions} positions: ${difference}, the most likely token is the same at ${formatPercent(top1)}`;
}
