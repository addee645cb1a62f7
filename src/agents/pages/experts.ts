/** What dropping experts keeps and costs, for an agent. */
import { formatCount, formatNumber, formatPercent } from '../../format/numbers';
import { numberRanges } from '../../format/ranges';
import { checkpointName } from '../../jobs/titles';
import { inLine } from '../answer';
import type { ResultPage } from '.';

export const expertsPage: ResultPage<'experts'> = ({ result }, { checkpoint }) => {
  const {
    criterion,
    experts,
    removed,
    blocks,
    unrouted,
    parameters,
    parametersBefore,
    rescale,
    text,
    before,
    after,
    out,
  } = result;
  const model = inLine(checkpointName(checkpoint));
  return [
    out === null ? 'Nothing was written: give "out" for a model.' : `Written: ${out}. ${model} itself did not change.`,
    `${model}: ${experts.after} of ${experts.before} experts stay in each block (${experts.perToken} for a token), by ${criterion}; ` +
      `parameters ${formatCount(parametersBefore)} → ${formatCount(parameters)}` +
      (removed.length > 0 ? `; without the blocks ${numberRanges(removed)}` : ''),
    ...(before && after && text
      ? [
          `on ${inLine(text.name)} (${text.rows} × ${text.length} tokens, float32): loss ${formatNumber(Number(before.meanNll), 5)} → ` +
            `${formatNumber(Number(after.meanNll), 5)} nats a token, perplexity ${formatNumber(Number(before.ppl), 4)} → ${formatNumber(Number(after.ppl), 4)}; ` +
            `KL divergence from the original ${formatNumber(Number(after.kl), 4)} nats, same next token ${formatPercent(Number(after.top1))}`,
        ]
      : ['the loss was not measured']),
    ...(rescale
      ? [
          `kept experts ${rescale.applied ? 'were' : 'were not'} rescaled: KL divergence on ${rescale.heldOut.rows} rows that were not fitted ` +
            `${formatNumber(rescale.heldOut.without, 4)} nats without factors, ${formatNumber(rescale.heldOut.with, 4)} with them`,
        ]
      : []),
    ...(unrouted > 0 ? [`${unrouted} experts got no token: give more text`] : []),
    'what each block keeps:',
    {
      names: ['>block', '>lowest score', '>highest', 'kept experts'],
      rows: blocks.map(({ index, scores, kept }) => {
        const numbers = scores.map(Number);
        const ends = [Math.min(...numbers), Math.max(...numbers)].map((each) => formatNumber(each, 4));
        return [String(index), ...ends, numberRanges(kept)];
      }),
    },
  ];
};
