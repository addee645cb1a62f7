/** What every part of the panel is made with and made of. */
import type { PanelMessage, PanelState } from '../../src/protocol/panel';
import type { ViewState } from './view-state';

export interface Context {
  /** To the host. */
  readonly send: (message: PanelMessage) => void;
  readonly view: () => ViewState;
  /** Changes what the panel looks like, keeps it, and draws it. */
  readonly setView: (changes: Partial<ViewState>) => void;
  /** In a report, where nothing can be changed. */
  readonly still?: boolean;
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
