/** The interface of a section of the panel, and parts that sections share. */
import type { PanelMessage, PanelState } from '../../../src/protocol/panel';
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

/** A button that starts a computation or writes files. It is disabled in a workspace that is not trusted. */
export function startButton(trusted: boolean, label: string, start: () => void, options?: ButtonOptions): HTMLElement {
  const made = button(label, start, options);
  enable(made, trusted);
  return made;
}

export interface Section {
  readonly element: HTMLElement;
  /** Shows the state. It is called for every change of the state and of the view. */
  readonly update: (state: PanelState, view: ViewState) => void;
}

/** Calls `draw` only when one of its arguments has changed. */
export function whenChanged<T extends readonly unknown[]>(draw: (...values: T) => void): (...values: T) => void {
  let last: T | undefined;
  return (...values) => {
    if (last?.every((value, i) => value === values[i])) return;
    last = values;
    draw(...values);
  };
}
