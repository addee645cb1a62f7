/** What every part of the panel is made with and made of. */
import type { PanelMessage, PanelState } from '../../../src/protocol/panel';
import { button, type ButtonOptions, enable } from '../../support/ui';
import type { ViewState } from '../state/view-state';

export interface Context {
  /** To the host. */
  readonly send: (message: PanelMessage) => void;
  readonly view: () => ViewState;
  /** Changes what the panel looks like, keeps it, and draws it. */
  readonly setView: (changes: Partial<ViewState>) => void;
  /** In a report, where nothing can be changed. */
  readonly still?: boolean;
}

/** A button that starts what computes or writes: disabled where the workspace is not trusted. */
export function startButton(trusted: boolean, label: string, start: () => void, options?: ButtonOptions): HTMLElement {
  const made = button(label, start, options);
  enable(made, trusted);
  return made;
}

export interface Section {
  readonly element: HTMLElement;
  /** Shows the state; called for every change of it and of the view. */
  readonly update: (state: PanelState, view: ViewState) => void;
}

/** Calls `draw` only when one of the values it depends on is another. */
export function whenChanged<T extends readonly unknown[]>(draw: (...values: T) => void): (...values: T) => void {
  let last: T | undefined;
  return (...values) => {
    if (last?.every((value, i) => value === values[i])) return;
    last = values;
    draw(...values);
  };
}
