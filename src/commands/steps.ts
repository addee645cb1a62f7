/**
 * Questions in steps, with a way back: quick picks and input boxes, of which each step is one. Cancelling any of them
 * throws `CancelledError`.
 */
import * as vscode from 'vscode';
import { CancelledError } from '../engine/errors';

/** The answer that means the step before. */
export const BACK = Symbol('back');
export type Back = typeof BACK;

/** Where in a sequence a question stands. */
export interface Place {
  readonly title: string;
  /** From 1. */
  readonly step: number;
  readonly totalSteps: number;
}

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
  Object.assign(box, { ...place, placeholder, matchOnDescription: true, ignoreFocusOut: true });
  box.items = choices;
  const start = box.items.find(({ value }) => value === active);
  if (start) box.activeItems = [start];
  return answerOf(box, place, (answer) =>
    box.onDidAccept(() => box.selectedItems[0] && answer(box.selectedItems[0].value)),
  );
}

export interface Question {
  readonly prompt: string;
  readonly value: string;
  readonly placeholder?: string;
  /** What is wrong with an answer, undefined when nothing is. */
  readonly fault?: (text: string) => string | undefined;
  /** What an answer would mean, shown while it is written. */
  readonly meaning?: (text: string) => string | undefined;
}

/** A text. */
export function ask(place: Place, { fault, meaning, ...question }: Question): Promise<string | Back> {
  const box = vscode.window.createInputBox();
  Object.assign(box, { ...place, ...question, ignoreFocusOut: true });
  const look = (): string | undefined => {
    const wrong = fault?.(box.value);
    const hint = wrong === undefined ? meaning?.(box.value) : undefined;
    const { Info } = vscode.InputBoxValidationSeverity;
    box.validationMessage = wrong ?? (hint === undefined ? undefined : { message: hint, severity: Info });
    return wrong;
  };
  look();
  box.onDidChangeValue(look);
  return answerOf(box, place, (answer) => box.onDidAccept(() => look() === undefined && answer(box.value)));
}

function answerOf<T>(
  box: vscode.QuickInput & {
    buttons: readonly vscode.QuickInputButton[];
    readonly onDidTriggerButton: vscode.Event<vscode.QuickInputButton>;
  },
  { step }: Place,
  accept: (answer: (value: T | Back) => void) => void,
): Promise<T | Back> {
  if (step > 1) box.buttons = [vscode.QuickInputButtons.Back];
  return new Promise<T | Back>((resolve, reject) => {
    accept(resolve);
    box.onDidTriggerButton(() => resolve(BACK));
    box.onDidHide(() => reject(new CancelledError()));
    box.show();
  }).finally(() => box.dispose());
}

/** One question of a sequence: it puts its answer into the state. Undefined: there is nothing to ask. */
export type Step<S> = (state: S, place: Place) => Promise<Partial<S> | Back> | undefined;

/** Asks all steps in order, back and forth. @returns the state with every answer */
export async function askAll<S>(title: string, state: S, steps: readonly Step<S>[]): Promise<S> {
  const states = [state];
  const asked: number[] = [];
  for (let at = 0; at < steps.length;) {
    const current = states[states.length - 1];
    const answer = await steps[at](current, {
      title,
      step: asked.length + 1,
      totalSteps: asked.length + steps.length - at,
    });
    if (answer === BACK) {
      at = asked.pop()!;
      states.pop();
      continue;
    }
    if (answer !== undefined) {
      asked.push(at);
      states.push({ ...current, ...answer });
    }
    at++;
  }
  return states[states.length - 1];
}
