/** The controls: the one place that knows which library they come from. */
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeProgressRing,
  vsCodeTextArea,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';
import { el, fill, type Child } from './dom';

/** Defines the controls' elements; call it before making any. */
export function registerControls(): void {
  provideVSCodeDesignSystem().register(
    vsCodeButton(),
    vsCodeCheckbox(),
    vsCodeDropdown(),
    vsCodeOption(),
    vsCodeProgressRing(),
    vsCodeTextArea(),
    vsCodeTextField(),
  );
}

export interface ButtonOptions {
  /** "secondary" when undefined. */
  readonly appearance?: 'primary' | 'secondary' | 'icon';
  /** Where the content alone does not say it. */
  readonly label?: string;
}

export function button(content: Child, action: () => void, options: ButtonOptions = {}): HTMLElement {
  const { appearance = 'secondary', label } = options;
  const element = document.createElement('vscode-button');
  fill(element, { appearance, 'aria-label': label, title: label }, [content]);
  element.addEventListener('click', action);
  return element;
}

/** A field with a visible label. `changed` gets every edit. */
export function textField(
  label: string,
  value: string,
  placeholder: string,
  changed: (value: string) => void,
): HTMLElement & { value: string } {
  const element = document.createElement('vscode-text-field') as HTMLElement & { value: string };
  fill(element, { placeholder, value }, [label]);
  element.addEventListener('input', () => changed(element.value));
  return element;
}

/** Turns while something runs; says so to those who do not see it. */
export function progressRing(label: string): HTMLElement {
  return el('span', { class: 'progress', role: 'status' }, document.createElement('vscode-progress-ring'), label);
}

/** Enables or disables a control. */
export function enable(control: HTMLElement, enabled: boolean): void {
  control.toggleAttribute('disabled', !enabled);
}

type Ticked = HTMLElement & { checked: boolean };

/** A box with its label. `changed` gets what the user does, not what `setTicked` does. */
export function checkbox(label: string, ticked: boolean, changed: (ticked: boolean) => void): Ticked {
  const element = document.createElement('vscode-checkbox') as Ticked;
  fill(element, { 'aria-label': label, checked: ticked }, [label]);
  element.addEventListener('change', () => {
    if (element.checked === (element.dataset.ticked === 'true')) return;
    element.dataset.ticked = String(element.checked);
    changed(element.checked);
  });
  element.dataset.ticked = String(ticked);
  return element;
}

/** Ticks or unticks a box that `checkbox` made. */
export function setTicked(element: Ticked, ticked: boolean): void {
  element.dataset.ticked = String(ticked);
  element.checked = ticked;
}

export interface Choice {
  readonly value: string;
  readonly label: string;
}

export interface Dropdown {
  /** The list with its label. */
  readonly element: HTMLElement;
  /** Offers these choices, of which `value` is chosen. */
  readonly show: (choices: readonly Choice[], value: string) => void;
}

/** A list of choices under a visible label. `changed` gets the value that the user chooses. */
export function dropdown(label: string, changed: (value: string) => void): Dropdown {
  const list = document.createElement('vscode-dropdown') as HTMLElement & { value: string };
  fill(list, { 'aria-label': label });
  let shown = '';
  let current = '';
  list.addEventListener('change', () => {
    const { value } = list;
    if (value === current || value === '') return; // it tells of values that were set, too
    current = value;
    changed(value);
  });
  return {
    element: el('label', { class: 'field' }, el('span', {}, label), list),
    show: (choices, value) => {
      const wanted = JSON.stringify([choices, value]);
      current = value;
      if (wanted === shown) return;
      shown = wanted;
      const options = choices.map((choice) => {
        const option = document.createElement('vscode-option');
        return fill(option, { value: choice.value, selected: choice.value === value }, [choice.label]);
      });
      list.replaceChildren(...options);
      list.value = value;
    },
  };
}

/** A field of several lines with a visible label. `changed` gets every edit. */
export function textArea(
  label: string,
  value: string,
  changed: (value: string) => void,
): HTMLElement & { value: string } {
  const element = document.createElement('vscode-text-area') as HTMLElement & { value: string };
  fill(element, { rows: 3, resize: 'vertical' }, [label]);
  element.value = value;
  element.addEventListener('input', () => changed(element.value));
  return element;
}
