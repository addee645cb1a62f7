/** The importance chart with its criterion. Without scores it shows how to get some. */
import type { PanelPlan, PanelRun, PanelState, PanelText, RunDigest, ScoreDigest } from '../../../src/protocol/panel';
import { type Child, el } from '../../support/dom';
import { t } from '../../support/l10n';
import { button, dropdown } from '../../support/ui';
import { removedAfter } from '../charts/block-range';
import { ChartFrame } from '../charts/frame';
import { drawImportance } from '../charts/importance';
import { barsOf, toldOf } from '../charts/importance-facts';
import { RangePicker } from '../charts/range-picker';
import { isFloat32 } from '../../../src/format/arithmetic';
import { moreSamples } from '../../../src/format/noise';
import { shortNumber } from '../../../src/format/numbers';
import { numeric } from '../../../src/format/json';
import { scoringOf } from '../state/next-job';
import { precisionText } from '../state/precisions';
import { blockList } from '../numbers';
import { rowsLabel, rowsOfPanel, samplesOf } from '../state/rows';
import { type Card, type Context, type Section, startButton, whenChanged } from './section';
import { seriesStyleOf, nameInText } from '../charts/series';
import { inOrder, ownRuns, shownNote } from '../state/shown-runs';
import type { ViewState } from '../state/view-state';

/** The newest scores of the whole model by each criterion, or the ones that the user chose. */
export function scoresOf(runs: readonly PanelRun[], shown: readonly string[] = []): readonly ScoreDigest[] {
  const newest = new Map<string, ScoreDigest>();
  for (const { id, digest } of inOrder(runs, shown)) {
    const { score, removed, adapter } = digest;
    if (!score || !has(digest)) continue;
    if ((removed.length > 0 || adapter !== undefined) && !shown.includes(id)) continue;
    if (!newest.has(score.criterion)) newest.set(score.criterion, score);
  }
  return [...newest.values()];
}

/** The newest removals by each criterion that removes in turn, from the whole model. */
function sequencesOf(runs: readonly PanelRun[], shown: readonly string[]): readonly ScoreDigest[] {
  const newest = new Map<string, ScoreDigest>();
  for (const { digest } of inOrder(runs, shown)) {
    const { score, removed, adapter } = digest;
    if (!score?.removals || removed.length > 0 || adapter !== undefined) continue;
    if (!newest.has(score.criterion)) newest.set(score.criterion, score);
  }
  return [...newest.values()];
}

/** A run of scores of single blocks. */
const has = ({ score }: RunDigest): boolean => score !== undefined && score.blocks.length > 0;

const TITLE = t('Block importance');

export const importanceCard: Card = {
  name: 'importance',
  title: TITLE,
  has,
  show: ({ id, digest }, { shown }) => ({ shown: [...shown, id], criterion: digest.score!.criterion }),
  make: importanceSection,
};

function importanceSection(context: Context): Section {
  const frame = new ChartFrame('importance', TITLE, t('Which blocks matter?'), context);
  const criterion = dropdown(t('Criterion'), (value) => context.setView({ criterion: value }));
  const order = orderControl((byScore) => context.setView({ byScore }));
  const spoken = el('span', { class: 'visually-hidden', role: 'status' });
  let shownPlan: PanelPlan | undefined;
  const setRange = (range: readonly number[], remove: boolean): void => {
    const removed = shownPlan && removedAfter(shownPlan, range, remove);
    if (removed) context.send({ type: 'plan/set', removed });
  };
  const picker = context.still ? undefined : new RangePicker(setRange, (words) => (spoken.textContent = words));
  const draw = whenChanged(({ runs, plan, blocks, wanted, byScore, shown, text, trusted, scoring, time }: Drawn) => {
    const all = scoresOf(runs, shown);
    if (all.length === 0) {
      frame.setTools();
      if (scoring) {
        frame.showEmpty(t('The blocks are being scored. Their scores come here.'));
        return;
      }
      frame.showEmpty(t('No block has a score yet. Scoring shows which blocks the model can do without.'), {
        label: t('Score Blocks…'),
        start: () => context.send({ type: 'start', action: 'score' }),
        time,
        enabled: trusted,
      });
      return;
    }
    const score = all.find((each) => each.criterion === wanted) ?? all[0];
    criterion.show(
      all.map((each) => ({ value: each.criterion, label: seriesStyleOf(each.criterion).name })),
      score.criterion,
    );
    frame.setTools(order.element, ...(all.length > 1 ? [criterion.element] : []));
    order.show(byScore);
    shownPlan = plan;
    if (!spoken.isConnected) frame.setBelow(spoken);
    const told = toldOf(barsOf(score, plan, blocks), score);
    frame.setNote(
      ...shownNote(runs, ({ digest }) => has(digest), context),
      ...unfitNote(score),
      ...moreSamplesButton(score, told, trusted, context),
      ...otherRows(score, text, context),
    );
    const data = { score, all: [...new Set([...all, ...sequencesOf(runs, shown)])], plan, blocks, byScore };
    const actions = {
      toggle: (block: number) => context.send({ type: 'plan/toggle', block }),
      choose: (chosen: string) => context.setView({ criterion: chosen }),
      picker,
    };
    frame.show(summaryOf(score, plan, told, context.still), (width) => drawImportance(data, width, frame, actions));
  });
  return {
    element: frame.element,
    update: (state, { criterion: wanted, byScore, shown }) => {
      const { runs, plan, model, text, trusted, times } = state;
      const scoring = scoringOf(state) !== undefined;
      const { blocks } = model;
      draw({
        ...{ runs: ownRuns(runs), plan, blocks, wanted, byScore, shown, text, trusted, scoring },
        time: times.score,
      });
    },
  };
}

/** What the chart depends on. */
type Drawn = Pick<PanelState, 'runs' | 'plan' | 'text' | 'trusted'> &
  Pick<ViewState, 'byScore' | 'shown'> & {
    readonly blocks: number;
    /** The criterion that the user chose. */
    readonly wanted: string;
    /** Blocks are being scored. */
    readonly scoring: boolean;
    /** How long scoring takes, in words. */
    readonly time: string | undefined;
  };

/** Warns that the scores mean little, because the model does not fit the text. */
function unfitNote({ unfit }: ScoreDigest): Child[] {
  if (!unfit) return [];
  const { ppl, limit, other } = unfit;
  const own = shortNumber(ppl);
  if (other === undefined)
    return [
      t(
        '⚠ The model does not fit this text: its perplexity is {0}, more than {1}, which is beyond reason for its vocabulary. The scores mean little. Score on another text.',
        own,
        shortNumber(limit),
      ),
    ];
  const better = shortNumber(other.ppl);
  return [
    other.begins
      ? t(
          '⚠ The model does not fit these rows: its perplexity is {0}, with a begin-of-text token before each row {1}. The scores mean little. Score again.',
          own,
          better,
        )
      : t(
          '⚠ The model does not fit these rows: its perplexity is {0}, without a begin-of-text token {1}. The scores mean little. Score again.',
          own,
          better,
        ),
  ];
}

/** Warns that the scores were measured on another text than the panel's perplexities, with a button that uses that text. */
function otherRows({ rowsKey, text: name, full }: ScoreDigest, text: PanelText | null, { send }: Context): Child[] {
  if (!text || rowsKey === undefined || name === undefined || rowsKey === rowsOfPanel(text)) return [];
  return [
    full === undefined
      ? t('⚠ Scored on {0}, not on the panel’s text.', rowsLabel({ rowsKey, text: name }))
      : t(
          '⚠ Scored on {0}, not on the panel’s text. Do not compare these perplexities with those above.',
          rowsLabel({ rowsKey, text: name }),
        ),
    button(t('Measure on This Text'), () => send({ type: 'text/use', rowsKey })),
  ];
}

/** The result of the chart in one or two sentences. */
function summaryOf(score: ScoreDigest, plan: PanelPlan, told: ReturnType<typeof toldOf>, still = false): string {
  // In the panel the header lists the removed blocks. A list of changing length here would move the bars.
  const removes = plan.removed.length > 0 ? [t('The plan removes {0}.', blockList(plan.removed))] : [];
  const more = still
    ? removes
    : [t('Click a bar to remove or keep its block; drag over bars, or hold Shift, for several.')];
  return [resultOf(score), ...noiseText(told), ...screenText(score), ...raceText(score), ...more].join(' ');
}

/** More blocks than these are counted, not listed. */
const LISTED = 8;

/** Which blocks may cost nothing; nothing for scores without a whole model or without intervals. */
function noiseText(told: ReturnType<typeof toldOf>): string[] {
  if (told === undefined) return [];
  const { known, noise } = told;
  if (noise.length === 0) return [t('Removing any block has a measurable effect.')];
  const which =
    noise.length === 1
      ? t('Removing block {0} has no measurable effect on this text.', noise[0])
      : noise.length > LISTED
        ? t('For {0} of {1} blocks, removal has no measurable effect on this text.', noise.length, known)
        : t('Removing one of the blocks {0} has no measurable effect on this text.', blockList(noise));
  return [which, t('More samples help.')];
}

/** A button that scores on more samples of the same text, where blocks are hardly told from noise. */
function moreSamplesButton(
  { criterion, rowsKey, text }: ScoreDigest,
  told: ReturnType<typeof toldOf>,
  trusted: boolean,
  { send, still = false }: Context,
): Child[] {
  // A file of rows of tokens has no more than it has.
  const drawn = text?.toLowerCase().endsWith('.json') ? undefined : samplesOf(rowsKey);
  if (still || rowsKey === undefined || drawn === undefined || (told?.noise.length ?? 0) === 0) return [];
  const samples = moreSamples(drawn);
  return [
    startButton(trusted, t('Score on {0} Samples', samples), () =>
      send({ type: 'score/more', criterion, rowsKey, samples }),
    ),
  ];
}

/** Two buttons of which one is pressed. */
function orderControl(choose: (byScore: boolean) => void): { element: HTMLElement; show: (byScore: boolean) => void } {
  const made = [t('By position'), t('By score')].map((label, i) => {
    const one = el('button', { type: 'button', 'aria-pressed': 'false' }, label);
    one.addEventListener('click', () => choose(i === 1));
    return one;
  });
  return {
    element: el('div', { class: 'segments', role: 'group', 'aria-label': t('Order of the blocks') }, ...made),
    show: (byScore) => {
      for (const [i, one] of made.entries()) one.setAttribute('aria-pressed', String(byScore === (i === 1)));
    },
  };
}

/** What is certain behind a screen; for other scores, their precision where it is not float32. */
function screenText({ screen, precision, blocks }: ScoreDigest): string[] {
  if (!screen || blocks.every(({ margin }) => margin === undefined))
    return isFloat32(precision) || precision === 'mixed'
      ? []
      : [t('Computed in {0}.', precisionText(precision, 'score'))];
  if (screen.margin === undefined)
    return [
      t('The {0} least important blocks were measured exactly (float32); the others are int8 estimates.', screen.exact),
    ];
  return [
    t(
      'The {0} least important blocks were measured exactly (float32); the others are int8 estimates, within ±{1} nats.',
      screen.exact,
      shortNumber(numeric(screen.margin)),
    ),
  ];
}

/** What a race left out, and how sure that is. */
function raceText({ race, blocks }: ScoreDigest): string[] {
  const dropped = blocks.filter(({ readRows }) => readRows !== undefined);
  if (!race || dropped.length === 0) return [];
  return [
    t(
      '{0} blocks are estimates from some of the rows: with {1} % certainty, they are not among the {2} least important.',
      dropped.length,
      shortNumber(100 * race.confidence),
      race.wanted,
    ),
  ];
}

function resultOf({ blocks, full, fullKl, criterion }: ScoreDigest): string {
  const sorted = [...blocks].sort((a, b) => numeric(a.score) - numeric(b.score));
  const [least, most] = [sorted[0], sorted.at(-1)!];
  const numbers = [
    least.index,
    shortNumber(numeric(least.score)),
    most.index,
    shortNumber(numeric(most.score)),
  ] as const;
  if (full !== undefined) {
    return t(
      'The original has perplexity {0}. Without block {1} (least important) it is {2}; without block {3} (most important) it is {4}.',
      shortNumber(numeric(full)),
      ...numbers,
    );
  }
  if (fullKl !== undefined) {
    return t(
      'KL divergence measures how far the predictions move. Without block {0} (least important) it is {1} nats; without block {2} (most important) {3} nats.',
      ...numbers,
    );
  }
  return t(
    'By {0}, block {1} matters least and block {2} matters most.',
    nameInText(criterion),
    least.index,
    most.index,
  );
}
