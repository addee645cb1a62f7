/**
 * Questions in steps, with a way back: quick picks and input boxes, of which each step is one. Cancelling any of them
 * throws `CancelledError`.
 */
import * as vscode from 'vscode';
import { CancelledError } from '../engine/errors';
import { BACK, type Back, type Place } from './ask-all';

export { askAll, BACK, type Back, type Place, type Step, when } from './ask-all';

export interface Choice<T> {
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
  readonly value: T;
}

/** One of several. @param active the one that Enter takes */
export function pick<T>(
  place: Place,
  placeholder: string,
  choices: readonly Choice<T>[],
  active?: T,
): Promise<T | Back> {
  const box = vscode.window.createQuickPick<vscode.QuickPickItem & Choice<T>>();
  Object.assign(box, { ...numbered(place), placeholder, matchOnDescription: true, ignoreFocusOut: true });
  box.items = choices;
  const start = box.items.find(({ value }) => value === active);
  if (start) box.activeItems = [start];
  return answerOf<T>(box, place, [], (answer) =>
    box.onDidAccept(() => {
      // A key that is quick may come before the box has made its active line the selected one.
      const chosen = box.selectedItems[0] ?? box.activeItems[0];
      if (chosen) answer(chosen.value);
    }),
  );
}

/** Without the whole number of steps, the number of one says little and looks like a version. A single one needs none. */
function numbered({ title, step, totalSteps }: Place): Partial<Place> {
  return totalSteps === undefined || totalSteps === 1 ? { title } : { title, step, totalSteps };
}

export interface Question {
  readonly prompt: string;
  readonly value: string;
  readonly placeholder?: string;
  /** What is wrong with an answer, undefined when nothing is. */
  readonly fault?: (text: string) => string | undefined;
  /** What an answer would mean, shown while it is written. */
  readonly meaning?: (text: string) => string | undefined;
  /** Why the answer deserves a second thought. */
  readonly warns?: boolean;
}

/** The text in the box when the button beside it was pressed. */
export interface Pressed {
  readonly pressedAt: string;
}

/** A text; or, where there is a button, that it was pressed: what it shows takes the place of the question. */
export function ask(place: Place, question: Question): Promise<string | Back>;
export function ask(
  place: Place,
  question: Question & { readonly button: vscode.QuickInputButton },
): Promise<string | Pressed | Back>;
export function ask(
  place: Place,
  { fault, meaning, warns, button, ...question }: Question & { readonly button?: vscode.QuickInputButton },
): Promise<string | Pressed | Back> {
  const box = vscode.window.createInputBox();
  Object.assign(box, { ...numbered(place), ...question, ignoreFocusOut: true });
  const look = (): string | undefined => {
    const wrong = fault?.(box.value);
    const hint = wrong === undefined ? meaning?.(box.value) : undefined;
    const { Info, Warning } = vscode.InputBoxValidationSeverity;
    const severity = warns ? Warning : Info;
    box.validationMessage = wrong ?? (hint === undefined ? undefined : { message: hint, severity });
    return wrong;
  };
  look();
  box.onDidChangeValue(look);
  const buttons = button ? [button] : [];
  return answerOf<string | Pressed>(box, place, buttons, (answer) => {
    box.onDidAccept(() => look() === undefined && answer(box.value));
    box.onDidTriggerButton((pressed) => pressed === button && answer({ pressedAt: box.value }));
  });
}

function answerOf<T>(
  box: vscode.QuickInput & {
    buttons: readonly vscode.QuickInputButton[];
    readonly onDidTriggerButton: vscode.Event<vscode.QuickInputButton>;
  },
  { step }: Place,
  more: readonly vscode.QuickInputButton[],
  accept: (answer: (value: T | Back) => void) => void,
): Promise<T | Back> {
  box.buttons = [...(step > 1 ? [vscode.QuickInputButtons.Back] : []), ...more];
  return new Promise<T | Back>((resolve, reject) => {
    accept(resolve);
    box.onDidTriggerButton((pressed) => pressed === vscode.QuickInputButtons.Back && resolve(BACK));
    box.onDidHide(() => reject(new CancelledError()));
    box.show();
  }).finally(() => box.dispose());
}
