/** The newest iterative pruning, or a chosen one: did it pay to remove the blocks one by one? */
import type { HealedPointDigest, IterativeDigest, PanelRun } from '../../../src/protocol/panel';
import { formatPercent, shortNumber } from '../../../src/format/numbers';
import { numeric } from '../../../src/format/json';
import { blocksText, rowsText } from '../../support/amounts';
import { t } from '../../support/l10n';
import { figure } from '../card';
import { drawIterative } from '../charts/iterative';
import { nameInText } from '../charts/series';
import { formatMeasured, moment } from '../numbers';
import { computedText } from '../state/precisions';
import { runCard } from './run-card';

export const iterativeCard = runCard({
  chart: 'iterative',
  title: t('Block after block'),
  question: t('One by one, or all at once?'),
  has: ({ iterative }) => iterative,
  empty: () => t('Removes one block at a time and retrains or heals the rest: slower, and often better.'),
  action: 'iterate',
  draw: ({ frame, context: { send } }) => ({
    run: ({ run, result, again, list }) => {
      frame.setTools(...again, ...list);
      frame.setFigures(...figuresOf(result));
      frame.setNote(...noteOf(result));
      frame.show(summaryOf(run, result), (width) =>
        drawIterative(result, width, frame, (removed) => send({ type: 'plan/set', removed })),
      );
    },
  }),
});

const last = <T>(items: readonly T[]): T => items[items.length - 1];

function figuresOf({ rounds, plain, oneShot, full }: IterativeDigest): HTMLElement[] {
  const { healed } = last(rounds);
  const atOnce = oneShot.find(({ count }) => count === rounds.length);
  const without = plain.length > 0 ? numeric(last(plain).ppl) : NaN;
  const seconds = rounds.reduce((sum, round) => sum + (round.seconds ?? 0), 0);
  return [
    figure(
      t('Perplexity'),
      shortNumber(numeric(healed.ppl)),
      Number.isFinite(without)
        ? t('{0} without healing', shortNumber(without))
        : t('from {0}', shortNumber(numeric(full.ppl))),
    ),
    figure(
      t('KL divergence from the original'),
      shortNumber(numeric(healed.kl), 3),
      t('same next token {0}', formatPercent(numeric(healed.top1))),
    ),
    figure(
      t('At once'),
      atOnce ? shortNumber(numeric(atOnce.healed.ppl)) : '–',
      atOnce ? t('from {0}', shortNumber(numeric(atOnce.pruned.ppl))) : t('not compared'),
    ),
    figure(t('Time of healing'), seconds > 0 ? formatMeasured(seconds) : '–', speedOf(rounds, atOnce)),
  ];
}

/** What a second of healing brings back: of the last round, and of the removal at once. */
function speedOf(rounds: readonly HealedPointDigest[], atOnce: HealedPointDigest | undefined): string {
  const speed = ({ nllPerSecond }: HealedPointDigest): string =>
    nllPerSecond === null ? '–' : shortNumber(nllPerSecond, 2);
  return atOnce
    ? t('recovered {0} nats of loss per second, at once {1}', speed(last(rounds)), speed(atOnce))
    : t('recovered {0} nats of loss per second in the last round', speed(last(rounds)));
}

function summaryOf({ digest }: PanelRun, { rounds, criterion, method, text, rows }: IterativeDigest): string {
  return [
    t(
      '{0}: {1} removed by {2}, healed by {3}, {4}.',
      digest.model.name,
      blocksText(rounds.length),
      nameInText(criterion),
      method,
      moment(digest.started),
    ),
    ...(rows === null ? [] : [t('Measured on {0} of {1}.', rowsText(rows), text)]),
    t('Order: {0}.', rounds.map(({ block }) => block).join(', ')),
    computedText(digest),
  ].join(' ');
}

/** Which way is better on the measured rows, if both were tried. */
function noteOf({ rounds, oneShot }: IterativeDigest): string[] {
  const atOnce = oneShot.find(({ count }) => count === rounds.length);
  if (!atOnce) return [];
  const [one, all] = [numeric(last(rounds).healed.ppl), numeric(atOnce.healed.ppl)];
  if (!Number.isFinite(one) || !Number.isFinite(all)) return [];
  const change = formatPercent(Math.abs(one / all - 1));
  return one <= all
    ? [t('One by one is better by {0} after as many steps.', change)]
    : [t('At once is better by {0} after as many steps.', change)];
}
