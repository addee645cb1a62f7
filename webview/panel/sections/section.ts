/** The interface of a section of the panel, and parts that sections share. */
import type { PanelMessage, PanelRun, PanelState, RunDigest } from '../../../src/protocol/panel';
import { button, type ButtonOptions, enable } from '../../support/ui';
import type { ViewState } from '../state/view-state';

export interface Context {
  /** Sends a message to the host. */
  readonly send: (message: PanelMessage) => void;
  readonly view: () => ViewState;
  /** Changes the view state, keeps it, and redraws the panel. */
  readonly setView: (changes: Partial<ViewState>) => void;
  /** In a report, where the user can change nothing. */
  readonly still?: boolean;
}

export interface Section {
  readonly element: HTMLElement;
  /** Shows the state. It is called for every change of the state and of the view. */
  readonly update: (state: PanelState, view: ViewState) => void;
}

/** A card of the panel, and of a report if runs fill it. A line in `cards.ts` adds it to both. */
export interface Card {
  /** Its CSS class. */
  readonly name: string;
  readonly title: string;
  readonly make: (context: Context) => Section;
  /** Whether a run has content for it. */
  readonly has?: (digest: RunDigest) => boolean;
  /** Whether a run adds to what it draws of others. */
  readonly adds?: (digest: RunDigest) => boolean;
  /** What makes it draw this run; undefined if it draws all runs. @param view whose `shown` has the runs of other cards */
  readonly show?: (run: PanelRun, view: ViewState) => Partial<ViewState>;
  /** Cards that stand in it in the panel, and beside it in a report. */
  readonly parts?: readonly Card[];
  /** Its place among More Measurements of the panel; undefined if it is not folded. */
  readonly fold?: number;
}

/** A button that starts a computation or writes files. It is disabled in a workspace that is not trusted. */
export function startButton(trusted: boolean, label: string, start: () => void, options?: ButtonOptions): HTMLElement {
  const made = button(label, start, options);
  enable(made, trusted);
  return made;
}

/** The view in which the user has chosen this in a card. */
export const withChoice = ({ chosen }: ViewState, name: string, value: string): Pick<ViewState, 'chosen'> => ({
  chosen: { ...chosen, [name]: value },
});

/** Keeps what the user chose in a card. */
export const choose = ({ view, setView }: Context, name: string, value: string): void =>
  setView(withChoice(view(), name, value));

/** Calls `draw` only when a field of its argument has changed. */
export function whenChanged<T extends object>(draw: (values: T) => void): (values: T) => void {
  let last: Partial<T> = {};
  let drawn = false;
  return (values) => {
    const names = Object.keys({ ...last, ...values }) as (keyof T)[];
    if (drawn && names.every((name) => last[name] === values[name])) return;
    last = values;
    drawn = true;
    draw(values);
  };
}
