/** The newest scores of experts, or chosen ones: a map of blocks and experts with what stays, and the loss before and after. */
import type { ExpertsDigest, PanelRun } from '../../../src/protocol/panel';
import { formatPercent, shortCount, shortNumber } from '../../../src/format/numbers';
import { numeric } from '../../../src/format/json';
import { numberRanges } from '../../../src/format/ranges';
import { t } from '../../support/l10n';
import { figure } from '../card';
import { drawExperts } from '../charts/experts';
import { moment } from '../numbers';
import { computedText } from '../state/precisions';
import { runCard } from './run-card';

export const expertsCard = runCard({
  chart: 'experts',
  title: t('Experts'),
  question: t('Which experts does your text need?'),
  has: ({ experts }) => experts,
  draw: ({ frame }) => ({
    run: ({ run, result, again, list }) => {
      frame.setTools(...again, ...list);
      frame.setFigures(...figuresOf(result));
      frame.setNote(...noteOf(result));
      frame.show(summaryOf(run, result), (width) => drawExperts(result, width, frame));
    },
  }),
});

function figuresOf({ before, after, perToken, parameters, loss }: ExpertsDigest): HTMLElement[] {
  const saved = 1 - parameters.after / parameters.before;
  return [
    figure(t('Experts that stay'), `${after}`, t('of {0} in each block, {1} for a token', before, perToken)),
    figure(t('Parameters'), shortCount(parameters.after), t('{0} less', formatPercent(saved))),
    ...(loss
      ? [
          figure(
            t('Loss'),
            shortNumber(numeric(loss.after)),
            t('from {0} nats a token', shortNumber(numeric(loss.before))),
          ),
        ]
      : []),
    ...(loss?.kl === undefined
      ? []
      : [figure(t('KL divergence'), shortNumber(numeric(loss.kl)), t('nats from the original'))]),
  ];
}

const noteOf = ({ unrouted }: ExpertsDigest): string[] =>
  unrouted === 0 ? [] : [t('⚠ Experts without any token: {0}. They go first; more text tells more.', unrouted)];

const withoutBlocks = (removed: readonly number[]): string =>
  removed.length === 1 ? t('Without block {0}.', removed[0]) : t('Without the blocks {0}.', numberRanges(removed));

function rescaledText({ applied, without, with: withThem }: NonNullable<ExpertsDigest['rescale']>): string {
  const [before, after] = [without, withThem].map((kl) => shortNumber(numeric(kl)));
  return applied
    ? t('Kept experts were rescaled: KL divergence {0} → {1} on rows that were not fitted.', before, after)
    : t('Kept experts were not rescaled: KL divergence {0} → {1} on rows that were not fitted.', before, after);
}

function summaryOf({ digest }: PanelRun, { criterion, text, removed, rescale, loss, written }: ExpertsDigest): string {
  return [
    text === undefined
      ? t('{0}: by {1}, {2}.', digest.model.name, criterion, moment(digest.started))
      : t('{0}: by {1} on {2}, {3}.', digest.model.name, criterion, text, moment(digest.started)),
    ...(removed.length > 0 ? [withoutBlocks(removed)] : []),
    ...(rescale === undefined ? [] : [rescaledText(rescale)]),
    ...(loss?.text === undefined ? [] : [t('The loss is of {0}.', loss.text)]),
    ...(written === undefined ? [] : [t('Written to {0}.', written)]),
    computedText(digest),
  ].join(' ');
}
