/** The controls of the pages. Only this file knows which library they come from. */
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

/** Defines the custom elements of the controls. Call it before you make any control. */
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
  readonly appearance?: 'primary' | 'secondary' | 'icon' | 'link';
  /** What the button does, where its content alone does not tell. */
  readonly label?: string;
}

export function button(content: Child, action: () => void, options: ButtonOptions = {}): HTMLElement {
  const { appearance = 'secondary', label } = options;
  const element = document.createElement('vscode-button');
  const isLink = appearance === 'link'; // the library has none: style sheets make it of a secondary one
  fill(element, { appearance: isLink ? 'secondary' : appearance, 'aria-label': label, title: label }, [content]);
  element.classList.toggle('link', isLink);
  element.addEventListener('click', action);
  return element;
}

/** A text field with a visible label. `changed` gets every edit. */
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

/** A ring that turns while something runs. Screen readers announce its label. */
export function progressRing(label: string): HTMLElement {
  return el('span', { class: 'progress', role: 'status' }, document.createElement('vscode-progress-ring'), label);
}

/** Enables or disables a control. */
export function enable(control: HTMLElement, enabled: boolean): void {
  control.toggleAttribute('disabled', !enabled);
}

type Ticked = HTMLElement & { checked: boolean };

/** A checkbox with its label. `changed` gets the user's changes, not those of `setTicked`. */
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

/** Ticks or clears a box that `checkbox` made. */
export function setTicked(element: Ticked, ticked: boolean): void {
  element.dataset.ticked = String(ticked);
  element.checked = ticked;
}

export interface DropdownChoice {
  readonly value: string;
  readonly label: string;
}

export interface Dropdown {
  /** The list with its label. */
  readonly element: HTMLElement;
  /** Offers these choices and selects `value`. */
  readonly show: (choices: readonly DropdownChoice[], value: string) => void;
}

/** A list of choices with a visible label. `changed` gets the value that the user chooses. */
export function dropdown(label: string, changed: (value: string) => void): Dropdown {
  const list = document.createElement('vscode-dropdown') as HTMLElement & { value: string };
  fill(list, { 'aria-label': label });
  let shown = '';
  let current = '';
  list.addEventListener('change', () => {
    const { value } = list;
    if (value === current || value === '') return; // the event also fires for values that the page sets
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

/** A text field of several lines with a visible label. `changed` gets every edit. */
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
