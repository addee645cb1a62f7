/** Depth against width: a chart as the paper's Figure 1, and a table as its Tables 1 and 2. */
import { shortNumber } from '../../../src/format/numbers';
import type { VersusDigest, VersusModelDigest } from '../../../src/protocol/panel';
import { numeric } from '../../../src/format/json';
import { rowsText, textsText } from '../../support/amounts';
import { t } from '../../support/l10n';
import { dropdown } from '../../support/ui';
import { drawVersus, modelName } from '../charts/versus';
import { moment } from '../numbers';
import { computedText } from '../state/precisions';
import { COSTS, measured, measureOf, QUALITIES } from '../state/versus-measures';
import { runCard } from './run-card';
import { choose } from './section';
import './versus.css';
import { continuations, isNoisy, modelTable } from './versus-table';

/** What its chart shows, and against what. */
const [MEASURE, AGAINST] = ['versus.measure', 'versus.against'];

export const versusCard = runCard({
  chart: 'versus',
  title: t('Depth against width'),
  question: t('Blocks, or heads and neurons?'),
  has: ({ versus }) => versus,
  facts: (_, { chosen }) => ({ measureKey: chosen[MEASURE] ?? '', againstKey: chosen[AGAINST] ?? '' }),
  empty: () => t('Compares removed blocks with narrower ones at equal size.'),
  action: 'versus',
  oneAtATime: true,
  label: ({ digest }) => moment(digest.started),
  draw: ({ frame, context }) => {
    const measures = dropdown(t('Show'), (key) => choose(context, MEASURE, key));
    const against = dropdown(t('Against'), (key) => choose(context, AGAINST, key));
    return {
      run: ({ run, result, again, list }, { measureKey, againstKey }) => {
        const { models } = result;
        const [qualities, costs] = [measured(QUALITIES, models), measured(COSTS, models)];
        const quality = measureOf(qualities.length > 0 ? qualities : QUALITIES, measureKey);
        const cost = measureOf(costs.length > 0 ? costs : COSTS, againstKey);
        const choices = (all: readonly { readonly key: string; readonly name: string }[]) =>
          all.map(({ key, name }) => ({ value: key, label: name }));
        measures.show(choices(qualities), quality.key);
        against.show(choices(costs), cost.key);
        frame.setTools(
          ...(qualities.length > 1 ? [measures.element] : []),
          ...(costs.length > 1 ? [against.element] : []),
          ...list,
          ...again,
        );
        frame.setNote(noteOf(result), computedText(run.digest));
        frame.setBelow(modelTable(models), ...continuations(result));
        frame.show(summaryOf(result), (width) =>
          drawVersus(result, quality, cost, width, frame, (removed) => context.send({ type: 'plan/set', removed })),
        );
      },
    };
  },
});

/** The best of both ways at the largest size at which both were measured. */
function summaryOf({ models }: VersusDigest): string {
  const better = (kind: VersusModelDigest['kind'], count: number): VersusModelDigest | undefined =>
    models
      .filter((model) => model.kind === kind && model.count === count && Number.isFinite(numeric(model.ppl)))
      .toSorted((a, b) => numeric(a.ppl) - numeric(b.ppl))
      .at(0);
  const counts = [...new Set(models.map(({ count }) => count))].filter(
    (count) => better('depth', count) && better('width', count),
  );
  const largest = counts.at(-1);
  const [depth, width] = largest === undefined ? [] : [better('depth', largest), better('width', largest)];
  if (!depth || !width) {
    const made = models.filter(({ kind, failure }) => kind !== 'whole' && failure === undefined);
    return t('{0} models beside the original.', made.length);
  }
  const words = (model: VersusModelDigest): string => {
    const quality = t('{0}: perplexity {1}', modelName(model), shortNumber(numeric(model.ppl)));
    return model.speedUp === null || isNoisy(models)
      ? quality
      : `${quality}, ${t('{0}× as fast', model.speedUp.toFixed(2))}`;
  };
  return `${words(depth)}. ${words(width)}.`;
}

function noteOf({ text, rows, calibrated, speed, cancelled, models }: VersusDigest): string {
  return [
    rows === null ? '' : t('Perplexity on {0} of {1}.', rowsText(rows), text),
    calibrated ? t('That text also chose what to keep, so all perplexities but the original’s are too low.') : '',
    speed
      ? `${t('Speed: {0} of {1} new tokens, {2} runs after {3} warm-up runs.', textsText(speed.batch), speed.newTokens, speed.runs, speed.warmup)} ${
          speed.inTurns ? t('The models took turns.') : t('The models were measured one after another.')
        } ${t('Memory is that of weights, cache and activations, predicted.')}`
      : '',
    isNoisy(models)
      ? t('The runs differ so much that the speeds say little: other programs kept the machine busy.')
      : '',
    cancelled ? t('The run was cancelled, so that numbers are missing.') : '',
  ]
    .filter(Boolean)
    .join(' ');
}
