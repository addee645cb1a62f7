/**
 * A card that draws one run: the newest that has its result, or the one that the user chose. What is around the drawing is
 * here: the list of the runs, the button that makes another one, and the line that stands there while there is none.
 */
import type { StartAction } from '../../../src/protocol/journey';
import type { PanelRun, PanelState, RunDigest } from '../../../src/protocol/panel';
import { t } from '../../support/l10n';
import { type DropdownChoice, dropdown } from '../../support/ui';
import type { EmptyAction } from '../card';
import { ChartFrame } from '../charts/frame';
import { nameOf, ownRuns } from '../state/shown-runs';
import type { ViewState } from '../state/view-state';
import { ACTION_WORDS } from './next-action';
import { type Card, choose, type Context, startButton, whenChanged, withChoice } from './section';

/** What stands in the list of runs for what is no run yet. */
const LIVE = '(live)';

/** The runs that have the result, and controls for the head of the card. */
export interface Found {
  /** Newest first. */
  readonly found: readonly PanelRun[];
  /** The button that makes another run; none in a report. */
  readonly again: readonly HTMLElement[];
  /** The list of runs; none if there is but one. */
  readonly list: readonly HTMLElement[];
}

/** The run that a card draws. */
export interface ShownRun<R> extends Found {
  readonly run: PanelRun;
  readonly result: R;
}

export interface Frame {
  readonly frame: ChartFrame;
  readonly context: Context;
}

/** What the card draws in place of a run. */
export interface Live<L> {
  readonly label: string;
  readonly value: L;
}

interface RunCardParts<R, F extends object, L> {
  /** Its CSS class. */
  readonly chart: string;
  readonly title: string;
  readonly question: string;
  /** The result of a run that the card draws; undefined if the run has none. */
  readonly has: (digest: RunDigest) => R | undefined;
  /** What else the drawing depends on. */
  readonly facts?: (state: PanelState, view: ViewState) => F;
  /** The line while there is no run, and links besides that to `action`. Without it the card is hidden then. */
  readonly empty?: (facts: Facts<F>, context: Context) => Empty | string;
  /** What makes such a run. */
  readonly action?: StartAction;
  /** Whether it can be started in a workspace that is trusted; it can if undefined. */
  readonly isEnabled?: (state: PanelState) => boolean;
  /** It cannot be started while it runs. */
  readonly oneAtATime?: boolean;
  /** How the list names a run. */
  readonly label?: (run: PanelRun) => string;
  /** What is drawn until the user chooses a run, while it is there. */
  readonly live?: (facts: Facts<F>, found: readonly PanelRun[]) => Live<L> | undefined;
  /** Makes what the card has besides the frame. */
  readonly draw: (frame: Frame) => {
    readonly run: (shown: ShownRun<R>, facts: Facts<F>) => void;
    readonly live?: (value: L, found: Found, facts: Facts<F>) => void;
    /** Draws what changes more often than all that. */
    readonly always?: (state: PanelState) => void;
  };
}

type Facts<F> = F & {
  readonly runs: readonly PanelRun[];
  readonly enabled: boolean;
  /** How long `action` takes, in words. */
  readonly time: string | undefined;
};

interface Empty {
  readonly words: string;
  /** Instead of the link to `action`. */
  readonly actions: readonly EmptyAction[];
}

export function runCard<R, F extends object, L = never>(parts: RunCardParts<R, F, L>): Card {
  const { chart, title, has } = parts;
  return {
    name: chart,
    title,
    has: (digest) => has(digest) !== undefined,
    show: ({ id }, view) => withChoice(view, chart, id),
    make: (context) => {
      const frame = new ChartFrame(chart, title, parts.question, context);
      return { element: frame.element, update: drawing(parts, { frame, context }) };
    },
  };
}

function drawing<R, F extends object, L>(
  {
    chart,
    has,
    facts = () => ({}) as F,
    empty,
    action,
    isEnabled = () => true,
    oneAtATime = false,
    label = nameOf,
    live,
    draw: drawn,
  }: RunCardParts<R, F, L>,
  { frame, context }: Frame,
): (state: PanelState, view: ViewState) => void {
  const runs = dropdown(t({ message: 'Run', comment: 'Noun: a recorded job' }), (id) =>
    choose(context, chart, id === LIVE ? '' : id),
  );
  const make = drawn({ frame, context });
  const start = action && startOf(action, context);

  function showEmpty(values: Facts<F>): void {
    frame.setTools();
    frame.element.hidden = empty === undefined;
    const { time, enabled } = values;
    const line = empty?.(values, context) ?? '';
    if (typeof line !== 'string') frame.showEmpty(line.words, ...line.actions);
    else if (empty) frame.showEmpty(line, ...(start ? [{ ...start, time, enabled }] : []));
  }

  const draw = whenChanged((values: Facts<F> & { readonly wanted: string }) => {
    const found = values.runs.filter(({ digest }) => has(digest) !== undefined);
    const other = live?.(values, found);
    const run = found.find(({ id }) => id === values.wanted) ?? (other ? undefined : found.at(0));
    if (!run && !other) {
      showEmpty(values);
      return;
    }
    frame.element.hidden = false;
    const choices: DropdownChoice[] = [
      ...(other ? [{ value: LIVE, label: other.label }] : []),
      ...found.map((each) => ({ value: each.id, label: label(each) })),
    ];
    runs.show(choices, run?.id ?? LIVE);
    const all: Found = {
      found,
      again: context.still || !start ? [] : [startButton(values.enabled, start.label, start.start)],
      list: choices.length > 1 ? [runs.element] : [],
    };
    if (run) make.run({ ...all, run, result: has(run.digest)! }, values);
    else make.live?.(other!.value, all, values);
  });
  return (state, view) => {
    draw({
      ...facts(state, view),
      runs: ownRuns(state.runs),
      wanted: view.chosen[chart] ?? '',
      enabled: state.trusted && isEnabled(state) && !(oneAtATime && state.jobs.some(({ kind }) => kind === action)),
      time: action && state.times[action],
    });
    make.always?.(state);
  };
}

/** The link or button of an action. */
export const startOf = (action: StartAction, { send }: Context): EmptyAction => ({
  label: ACTION_WORDS[action],
  start: () => send({ type: 'start', action }),
});
