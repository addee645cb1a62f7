/** What `coppice verify` prints. */
import { formatSeconds } from '../../format/durations';
import { formatCount, formatNumber, formatPercent } from '../../format/numbers';
import { formatCounted } from '../../format/words';
import type { PairVerified } from '../../jobs/results/draft';
import type { ConsumerResult, VerifiedResult } from '../../jobs/results/export';
import { facts } from '../terminal/text';
import type { Page } from './page';

type Facts = (readonly [string, string])[];

export const verifyPage: Page<'verify'> = (_, { shown }) => ({
  failed: ({ verified: { passed }, consumers }) => !passed || consumers.some(({ equal }) => equal === false),
  page: ({ format, out, against, removed, verified, pair, consumers, seconds }) =>
    facts([
      ['file', `${shown(out)} (${format})`],
      ['against', removed.length === 0 ? against : `${against} without ${removed.join(', ')}`],
      ...(pair === undefined ? verifiedFacts(verified) : pairFacts(verified, pair)),
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

/** Of a model and its draft; null: they were not run. */
function pairFacts({ files, passed, why = '' }: VerifiedResult, pair: PairVerified | null): Facts {
  return [
    ...(files ? [['files', filesWords(files)] as const] : []),
    ...(pair ? [['pair', pairWords(pair)] as const] : []),
    [
      'verified',
      passed ? (pair ? 'yes: the texts are those of the model alone' : 'files only: it was not run') : `no: ${why}`,
    ],
  ];
}

/** "8 of 8 texts the model’s own, in 324 passes; 324 were forecast (node-llama-cpp 3.22.1)" */
export function pairWords({ by, texts, textsEqual, textsOther = 0, rounds, forecastRounds }: PairVerified): string {
  const more = forecastRounds === 0 ? 0 : rounds / forecastRounds - 1;
  const off = more === 0 ? '' : `, ${formatPercent(Math.abs(more))} ${more > 0 ? 'fewer' : 'more'}`;
  const other = textsOther === 0 ? '' : `; ${textsOther} of them not as forecast, which are not counted in the passes`;
  return (
    `${textsEqual} of ${formatCounted(texts, 'text')} the model’s own${other}, in ${formatCount(rounds)} passes; ` +
    `${formatCount(forecastRounds)} were forecast${off} (${by})`
  );
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
