/** What `coppice iterate` prints: the plan, each round as it ends, and the result. */
import { arithmeticWords } from '../../format/arithmetic';
import { describeReduction } from '../../engine/checkpoint/reduction';
import type { Likeness } from '../../engine/heal/result';
import type { HealedPoint, IterateSummary, Recovery } from '../../engine/iterate/result';
import { wasStopped } from '../../engine/iterate/workspace';
import { formatSeconds } from '../../format/durations';
import { formatNumber } from '../../format/numbers';
import { counted, formatCounted } from '../../format/words';
import type { IterateEvent } from '../../protocol/iterate';
import { table } from '../terminal/text';
import type { Page } from './page';
import { resumeCommand } from './retrain';

export const iteratePage: Page<'iterate'> = ({ out }, { note, shown }) => ({
  onEvent: (event) => eventLines(event).forEach(note),
  onCancelled: () => keptLines(out),
  page: (result) => [
    ...iteratedLines(result),
    '',
    ...describeReduction(result),
    `written     ${shown(result.out)} in ${formatSeconds(result.seconds)}, ${arithmeticWords(result.precision, result.device)}`,
  ],
});

function eventLines(event: IterateEvent): string[] {
  if (event.type === 'plan') {
    const { rounds, seconds, finished } = event;
    const left = rounds.slice(finished);
    const times = left.map((round) => formatSeconds(round.seconds));
    const each = left.length > 6 ? [...times.slice(0, 3), '…', ...times.slice(-1)] : times;
    return [
      ...(finished > 0 ? [`${counted(finished, 'round')} finished before`] : []),
      `about ${formatSeconds(seconds)} for ${counted(left.length, 'round')}${left.length > 0 ? ` (${each.join(', ')})` : ''}`,
    ];
  }
  const { round, block, pruned, healed, seconds } = event;
  const change = (of: 'ppl' | 'kl', digits: number): string =>
    `${formatNumber(Number(pruned[of]), digits)} → ${formatNumber(Number(healed[of]), digits)}`;
  return [
    `round ${round}: block ${block} removed, perplexity ${change('ppl', 4)}, KL divergence ${change('kl', 3)}, ${formatSeconds(seconds)}`,
  ];
}

/** A table of the rounds, one of the one-shot removals, and what healing brought back. */
function iteratedLines({
  text,
  full,
  rounds,
  beyond,
  plain,
  oneShot,
  recovery,
}: Pick<IterateSummary, 'text' | 'full' | 'rounds' | 'beyond' | 'plain' | 'oneShot' | 'recovery'>): string[] {
  const row = (first: string, block: string, point: HealedPoint): string[] => [
    first,
    block,
    formatNumber(point.pruned.ppl, 4),
    formatNumber(point.healed.ppl, 4),
    formatNumber(point.healed.kl, 3),
    share(point.healed),
    formatSeconds(point.trainingSeconds),
    recovered(point.recovery),
  ];
  const head = ['>removed', '>block', '>ppl before', '>after', '>KL', '>same next token', '>healing', '>nats/s'];
  const lines = table(head, [
    ['0', '', '', formatNumber(full.ppl, 4), '0', share(full), '', ''],
    ...rounds.map((each) => row(String(each.round), String(each.block), each)),
    ...(beyond ? [row(`(${beyond.round})`, String(beyond.block), beyond)] : []),
  ]);
  const atOnce =
    oneShot.length === 0
      ? []
      : [
          '',
          'at once:',
          ...table(
            head,
            oneShot.map((point) => row(String(point.count), '', point)),
          ),
        ];
  return [
    ...lines,
    ...atOnce,
    '',
    `without healing, the same blocks: perplexity ${formatNumber(plain.at(-1)!.ppl, 4)}; ${recoveryWords(recovery)}`,
    `measured on ${formatCounted(text.rows, 'row')} of ${counted(text.length, 'token')} of ${text.name}`,
  ];
}

const share = ({ top1 }: Likeness): string => `${(100 * top1).toFixed(0)} %`;

const recovered = ({ nllPerSecond }: Recovery): string => (nllPerSecond === null ? '–' : formatNumber(nllPerSecond, 3));

/** "healing brought back 0.41 nats, 62 % of what was missing (1.2 % a second)" */
function recoveryWords({ nll, share: part, sharePerSecond }: Recovery): string {
  const missing = part === null ? '' : `, ${formatNumber(100 * part, 3)} % of what was missing`;
  const speed = sharePerSecond === null ? '' : ` (${formatNumber(100 * sharePerSecond, 3)} % a second)`;
  return `healing brought back ${formatNumber(nll, 3)} nats${missing}${speed}`;
}

/** What a cancelled run to `out` has kept. */
function keptLines(out: string): string[] {
  if (!wasStopped(out)) return [];
  return [`stopped; the finished rounds are kept. To continue: ${resumeCommand(process.argv.slice(2))}`];
}
