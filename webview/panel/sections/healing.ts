/** The newest healing, or a chosen one: how near the shorter model comes to the whole one, and where its error remains. */
import type {
  HealDigest,
  HealStagesDigest,
  LikenessDigest,
  PanelModel,
  PanelRun,
  RunDigest,
} from '../../../src/protocol/panel';
import { formatCount, formatPercent, shortNumber } from '../../../src/format/numbers';
import { rowsText } from '../../support/amounts';
import { t } from '../../support/l10n';
import { dropdown } from '../../support/ui';
import { figure } from '../card';
import { ChartFrame } from '../charts/frame';
import { drawHealing } from '../charts/healing';
import { blockList, formatMeasured, moment, numeric } from '../numbers';
import { healedPlan } from '../state/healed';
import { computedText } from '../state/precisions';
import { nameOf, ownRuns } from '../state/shown-runs';
import { type Context, type Section, startButton, whenChanged } from './section';

export function healingSection(context: Context): Section {
  const { send, setView } = context;
  const frame = new ChartFrame('healing', t('Healing'), t('How near is it to the whole model?'), context);
  const shown = dropdown(t({ message: 'Run', comment: 'Noun: a recorded job' }), (healing) => setView({ healing }));
  const heal = { label: t('Heal…'), start: () => send({ type: 'start', action: 'heal' }) };
  const measure = { label: t('Measure Healed Plan'), start: () => send({ type: 'start/healed' }) };
  const draw = whenChanged((...[runs, model, wanted, canHeal, time, onText, isOpen, quick]: Parts) => {
    const healed = runs.filter(({ digest }) => digest.heal !== undefined);
    const chosen = healed.find(({ id }) => id === wanted) ?? healed[0];
    if (!chosen) {
      frame.setTools();
      if (model.noHealing !== null) {
        frame.showEmpty(model.noHealing);
        return;
      }
      frame.showEmpty(
        promiseOf(time, onText),
        { ...heal, time, enabled: canHeal },
        { ...measure, time: quick, enabled: canHeal && isOpen },
      );
      return;
    }
    const choices = healed.map((run) => ({ value: run.id, label: nameOf(run) }));
    shown.show(choices, chosen.id);
    const isOffered = !context.still && model.noHealing === null;
    frame.setTools(
      ...(isOffered ? [startButton(canHeal, heal.label, heal.start)] : []),
      ...(isOffered ? [startButton(canHeal && isOpen, measure.label, measure.start)] : []),
      ...(choices.length > 1 ? [shown.element] : []),
    );
    const result = chosen.digest.heal!;
    frame.setFigures(...figuresOf(result));
    frame.setNote(...noteOf(result));
    frame.show(summaryOf(chosen, result), (width) => drawHealing(result, model.blocks, width, frame));
  });
  return {
    element: frame.element,
    update: (state, { healing }) => {
      const { runs, model, plan, trusted, times } = state;
      const canHeal = trusted && model.noHealing === null && plan.removed.length > 0;
      draw(
        ownRuns(runs),
        model,
        healing,
        canHeal,
        times.heal,
        times.healOnText,
        healedPlan({ ...state, runs: ownRuns(runs) }).isOpen,
        plan.healingTime,
      );
    },
  };
}

/**
 * Runs, model, the chosen run, whether the plan can be healed, and how long that takes, also on a text of the user; whether
 * it can be measured with healing, and how long that takes.
 */
type Parts = [
  readonly PanelRun[],
  PanelModel,
  string,
  boolean,
  string | undefined,
  string | undefined,
  boolean,
  string,
];

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
    figure(t('Divergence from the whole model'), ...pair(({ kl }) => shortNumber(numeric(kl), 3))),
    figure(t('Perplexity'), ...pair(({ ppl }) => shortNumber(numeric(ppl)))),
    figure(t('Same most likely token'), ...pair(({ top1 }) => formatPercent(numeric(top1)))),
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
    : t('Measured on {0} of {1}, fitted: everything looks healed there.', rowsText(rows ?? 0), text);
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
