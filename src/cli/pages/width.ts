/** What `coppice width` prints. */
import { arithmeticWords } from '../../format/arithmetic';
import { formatSeconds } from '../../format/durations';
import { formatCount, formatNumber, formatShare } from '../../format/numbers';
import type { WidthResult } from '../../jobs/results/width';
import { facts, table } from '../terminal/text';
import type { Page } from './page';

export const widthPage: Page<'width'> = (_, { shown }) => ({
  page: ({
    method,
    ratio,
    target,
    parametersBefore,
    parametersAfter,
    meanNll,
    ppl,
    layers,
    out,
    save,
    gguf,
    loading,
    seconds,
    device,
    precision,
  }) => [
    ...facts([
      ['method', method],
      ['ratio', `${ratio}${target === null ? '' : `, for ${formatCount(target)} parameters`}`],
      [
        'parameters',
        `${formatCount(parametersBefore)} before, ${formatCount(parametersAfter)} after (${formatShare(parametersAfter, parametersBefore)})`,
      ],
      [
        'perplexity',
        `${formatNumber(Number(ppl))} on the calibration rows (mean loss ${formatNumber(Number(meanNll))})`,
      ],
      ...[out, save, gguf].flatMap((file): [string, string][] => (file === null ? [] : [['written', shown(file)]])),
      ...(loading === undefined ? [] : [['loading', loading] as const]),
      ['time', `${formatSeconds(seconds)}, ${arithmeticWords(precision, device)}`],
    ]),
    '',
    ...table(['blocks', '>groups', '>neurons'], alike(layers)),
  ],
});

/** Blocks in a row that keep as many units share a line. */
function alike(layers: WidthResult['layers']): string[][] {
  const lines: { first: number; last: number; groups: number; neurons: number }[] = [];
  for (const [block, { groups, neurons }] of layers.entries()) {
    const before = lines.at(-1);
    if (before?.groups === groups.length && before.neurons === neurons.length) before.last = block;
    else lines.push({ first: block, last: block, groups: groups.length, neurons: neurons.length });
  }
  return lines.map(({ first, last, groups, neurons }) => [
    first === last ? String(first) : `${first}-${last}`,
    String(groups),
    String(neurons),
  ]);
}
