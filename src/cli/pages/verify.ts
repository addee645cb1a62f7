/** What `coppice verify` prints. */
import { formatSeconds } from '../../format/durations';
import { formatNumber, formatPercent } from '../../format/numbers';
import type { ConsumerResult, VerifiedResult } from '../../jobs/results/export';
import { facts } from '../terminal/text';
import type { Page } from './page';

type Facts = (readonly [string, string])[];

export const verifyPage: Page<'verify'> = (_, { shown }) => ({
  failed: ({ verified: { passed }, consumers }) => !passed || consumers.some(({ equal }) => equal === false),
  page: ({ format, out, against, removed, verified, consumers, seconds }) =>
    facts([
      ['file', `${shown(out)} (${format})`],
      ['against', removed.length === 0 ? against : `${against} without ${removed.join(', ')}`],
      ...verifiedFacts(verified),
      ...consumerFacts(consumers),
      ['time', formatSeconds(seconds)],
    ]),
});

/** What was compared, and what came of it. */
export function verifiedFacts({ weights, files, kinds, passed, why = '', exact, ...compared }: VerifiedResult): Facts {
  return [
    ...(weights ? [['weights', weightWords(weights)] as const] : []),
    ...(files ? [['files', filesWords(files)] as const] : []),
    ...(kinds
      ? kinds.map((kind) => [kind.kind, comparedWords(kind)] as const)
      : [['logits', comparedWords(compared)] as const]),
    ['verified', passed ? `yes: ${exact ? 'the same numbers' : 'rounded, as its type says'}` : `no: ${why}`],
  ];
}

const weightWords = ({ tensors, maxDifference, wrong }: NonNullable<VerifiedResult['weights']>): string =>
  `${tensors} tensors, all numbers; largest difference ${formatNumber(Number(maxDifference), 3)}` +
  (wrong === undefined ? '' : `; ${wrong} is wrong`);

const filesWords = ({ checked, changed }: NonNullable<VerifiedResult['files']>): string =>
  changed.length === 0 ? `${checked} as they were written` : `changed: ${changed.join(', ')}`;

const comparedWords = ({
  positions,
  maxDifference,
  meanKl,
  top1,
  greedy,
}: Pick<VerifiedResult, 'positions' | 'maxDifference' | 'meanKl' | 'top1' | 'greedy'>): string =>
  positions === 0
    ? 'not compared'
    : `${positions} positions: largest difference ${formatNumber(Number(maxDifference), 3)}, KL divergence ` +
      `${formatNumber(Number(meanKl), 3)}, same next token ${formatPercent(top1)}; ${tokenWords(greedy)}`;

/** "16 of 16 tokens the same" */
const tokenWords = ({ tokens, equal, firstDifference = 0 }: VerifiedResult['greedy']): string =>
  `${equal ? tokens : firstDifference} of ${tokens} tokens the same`;

export const consumerFacts = (consumers: readonly ConsumerResult[]): Facts =>
  consumers.map(({ name, version = '', of, failure, tokens, equal, firstDifference, seconds }) => [
    name,
    failure ??
      `${[version, of].filter(Boolean).join(', ')}: ${tokenWords({ tokens: tokens ?? 0, equal: equal ?? false, firstDifference })}, ` +
        formatSeconds(seconds),
  ]);
