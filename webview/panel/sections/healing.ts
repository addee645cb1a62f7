/** The newest healing, or a chosen one: how near the shorter model comes to the whole one, and where its error remains. */
import type { HealDigest, HealStagesDigest, LikenessDigest, PanelRun, RunDigest } from '../../../src/protocol/panel';
import { formatCount, formatPercent, shortNumber } from '../../../src/format/numbers';
import { numeric } from '../../../src/format/json';
import { rowsText } from '../../support/amounts';
import { t } from '../../support/l10n';
import { type EmptyAction, figure } from '../card';
import { drawHealing } from '../charts/healing';
import { blockList, formatMeasured, moment } from '../numbers';
import { healedPlan } from '../state/healed';
import { computedText } from '../state/precisions';
import { ownRuns } from '../state/shown-runs';
import { runCard, startOf } from './run-card';
import { type Context, startButton } from './section';

export const healingCard = runCard({
  chart: 'healing',
  title: t('Healing'),
  question: t('How near is it to the original?'),
  has: ({ heal }) => heal,
  facts: (state) => ({
    model: state.model,
    onText: state.times.healOnText,
    isOpen: healedPlan({ ...state, runs: ownRuns(state.runs) }).isOpen,
    quick: state.plan.healingTime,
  }),
  empty: ({ model, time, onText, enabled, isOpen, quick }, context) =>
    model.noHealing === null
      ? {
          words: promiseOf(time, onText),
          actions: [
            { ...startOf('heal', context), time, enabled },
            { ...measurement(context), time: quick, enabled: enabled && isOpen },
          ],
        }
      : { words: model.noHealing, actions: [] },
  action: 'heal',
  isEnabled: ({ model, plan }) => model.noHealing === null && plan.removed.length > 0,
  draw: ({ frame, context }) => ({
    run: ({ run, result, again, list }, { model, enabled, isOpen }) => {
      const isOffered = !context.still && model.noHealing === null;
      const { label, start } = measurement(context);
      frame.setTools(...(isOffered ? [...again, startButton(enabled && isOpen, label, start)] : []), ...list);
      frame.setFigures(...figuresOf(result));
      frame.setNote(...noteOf(result));
      frame.show(summaryOf(run, result), (width) => drawHealing(result, model.blocks, width, frame));
    },
  }),
});

/** Measures the plan with healing, without writing it. */
const measurement = ({ send }: Context): EmptyAction => ({
  label: t('Measure Healed Plan'),
  start: () => send({ type: 'start/healed' }),
});

/** What healing does, with its time here. Most of that is the text, where the model writes one. */
function promiseOf(time: string | undefined, onText: string | undefined): string {
  if (time === undefined) return t('Healing corrects the kept blocks without training.');
  return onText === undefined
    ? t('Healing needs no training. Here it takes {0}.', time)
    : t(
        'Healing needs no training. Here it takes {0}, most of it to write text; with a text of yours {1}.',
        time,
        onText,
      );
}

/** Rows that were not fitted tell more. */
const stagesOf = ({ heldOut, fit }: HealDigest): HealStagesDigest | undefined => heldOut ?? fit;

function figuresOf(heal: HealDigest): HTMLElement[] {
  const { method, tokens, seconds } = heal;
  const stages = stagesOf(heal);
  const pair = (words: (numbers: LikenessDigest) => string): [string, string] =>
    stages ? [words(stages.rounded ?? stages.after), t('from {0}', words(stages.before))] : ['–', t('not measured')];
  return [
    figure(t('KL divergence from the original'), ...pair(({ kl }) => shortNumber(numeric(kl), 3))),
    figure(t('Perplexity'), ...pair(({ ppl }) => shortNumber(numeric(ppl)))),
    figure(t('Same next token'), ...pair(({ top1 }) => formatPercent(numeric(top1)))),
    figure(
      t('Time'),
      seconds === null ? '–' : formatMeasured(seconds),
      tokens === null ? method : t('{0}, {1} tokens', method, formatCount(tokens)),
    ),
  ];
}

/** The model, the rows and the precision of the numbers. */
function summaryOf({ digest }: PanelRun, heal: HealDigest): string {
  const blocks = heal.removed.filter((block) => typeof block === 'number');
  const without = blocks.length === heal.removed.length ? blockList(blocks) : heal.removed.join(', ');
  const what = t('{0} without {1}, {2}.', digest.model.name, without, moment(digest.started));
  const stages = stagesOf(heal);
  return stages ? [what, rowsOf(heal, stages), precisionOf(digest, stages)].join(' ') : what;
}

function rowsOf({ heldOut, text = t('the healing text') }: HealDigest, { rows }: HealStagesDigest): string {
  return heldOut
    ? t('Measured on {0} of {1}, not fitted.', rowsText(rows ?? 0), text)
    : t('Measured on {0} of {1} that healing was fitted on: expect worse elsewhere.', rowsText(rows ?? 0), text);
}

function precisionOf(digest: RunDigest, { after, rounded }: HealStagesDigest): string {
  const computed = computedText(digest);
  if (!rounded) return computed;
  const [exact, stored] = [after, rounded].map(({ ppl }) => shortNumber(numeric(ppl), 6));
  const rounding = t(
    'Rounding the new weights to the type of the file moves the perplexity from {0} to {1}.',
    exact,
    stored,
  );
  return `${computed} ${rounding}`;
}

const noteOf = ({ weights }: HealDigest): string[] =>
  weights === 'plain' ? [t('⚠ Healing was no better on these rows, so the plain weights were kept.')] : [];
