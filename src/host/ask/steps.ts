/**
 * Steps of quick picks and input boxes, with a way back. Cancelling any of them throws `CancelledError`, going back `WentBack`.
 */
import * as vscode from 'vscode';
import { CancelledError } from '../../engine/errors';
import { withoutLinks } from '../../format/no-links';
import { type Place, WentBack } from './ask-all';

export { askAll, type Place, type Step, unlessBack, when } from './ask-all';

export interface PickChoice<T> {
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
  readonly value: T;
  /** Why it cannot be taken, and what to take instead. It is shown in grey below the others, and Enter leaves it. */
  readonly refused?: string;
  /** The line above what cannot be taken for this kind of reason; “Not possible” when undefined. */
  readonly group?: string;
}

/** Asks for one of several choices. @param active the choice that Enter takes */
export function pick<T>(place: Place, placeholder: string, choices: readonly PickChoice<T>[], active?: T): Promise<T> {
  const box = vscode.window.createQuickPick<vscode.QuickPickItem & PickChoice<T>>();
  Object.assign(box, { ...numbered(place), placeholder, matchOnDescription: true, ignoreFocusOut: true });
  box.items = linesOf(choices);
  const start = box.items.find((item) => canBeTaken(item) && item.value === active);
  if (start) box.activeItems = [start];
  return answerOf<T>(box, place, [], (answer) =>
    box.onDidAccept(() => {
      // A fast key press may arrive before the box has selected its active line.
      const chosen = box.selectedItems[0] ?? box.activeItems[0];
      if (chosen && canBeTaken(chosen)) answer(chosen.value);
    }),
  );
}

/** What cannot be taken comes last, below a line that says so. */
function linesOf<T>(choices: readonly PickChoice<T>[]): (vscode.QuickPickItem & PickChoice<T>)[] {
  const refused = choices.filter((choice) => !canBeTaken(choice));
  const headOf = ({ group }: PickChoice<T>): string => group ?? vscode.l10n.t('Not possible');
  const heads = [...new Set(refused.map(headOf))];
  return [
    ...choices.filter(canBeTaken),
    ...heads.flatMap((label) => [
      { label, kind: vscode.QuickPickItemKind.Separator } as vscode.QuickPickItem & PickChoice<T>,
      // Of an item, VS Code draws only the description and the detail in grey.
      ...refused
        .filter((choice) => headOf(choice) === label)
        .map((choice) => ({
          ...choice,
          label: '$(circle-slash)',
          description: choice.label,
          detail: choice.refused,
        })),
    ]),
  ];
}

const canBeTaken = ({ refused }: { readonly refused?: string }): boolean => refused === undefined;

/** Asks for at least one of several choices. @returns the values in the order of the choices @param active ticked at first */
export function pickMany<T>(
  place: Place,
  placeholder: string,
  choices: readonly PickChoice<T>[],
  active: readonly T[],
): Promise<readonly T[]> {
  const box = vscode.window.createQuickPick<vscode.QuickPickItem & PickChoice<T>>();
  const many = { canSelectMany: true, matchOnDescription: true, ignoreFocusOut: true };
  Object.assign(box, { ...numbered(place), placeholder, ...many });
  box.items = linesOf(choices);
  const wanted = box.items.filter((item) => canBeTaken(item) && active.includes(item.value));
  box.selectedItems = wanted.length > 0 || active.length === 0 ? wanted : box.items.filter(canBeTaken).slice(0, 1);
  return answerOf<readonly T[]>(box, place, [], (answer) => {
    box.onDidChangeSelection((ticked) => {
      if (!ticked.every(canBeTaken)) box.selectedItems = ticked.filter(canBeTaken);
    });
    box.onDidAccept(() => {
      const chosen = box.items.filter((item) => box.selectedItems.includes(item));
      if (chosen.length > 0) answer(chosen.map(({ value }) => value));
    });
  });
}

/** Without the total, a step number looks like a version. A single step needs none. */
function numbered({ title, step, totalSteps }: Place): Partial<Place> {
  return totalSteps === undefined || totalSteps === 1 ? { title } : { title, step, totalSteps };
}

export interface Question {
  readonly prompt: string;
  readonly value: string;
  readonly placeholder?: string;
  /** The error of an answer; undefined if it is valid. */
  readonly fault?: (text: string) => string | undefined;
  /** The effect of an answer, shown while the user types. */
  readonly meaning?: (text: string) => string | undefined;
  /** Shows the effect as a warning. */
  readonly warns?: boolean;
}

/** The text in the box when its button was pressed. */
export interface Pressed {
  readonly pressedAt: string;
}

/** Asks for a text. With a button, pressing it is an answer too. */
export function ask(place: Place, question: Question): Promise<string>;
export function ask(
  place: Place,
  question: Question & { readonly button: vscode.QuickInputButton },
): Promise<string | Pressed>;
export function ask(
  place: Place,
  { fault, meaning, warns, button, ...question }: Question & { readonly button?: vscode.QuickInputButton },
): Promise<string | Pressed> {
  const box = vscode.window.createInputBox();
  const prompt = withoutLinks(question.prompt);
  Object.assign(box, { ...numbered(place), ...question, prompt, ignoreFocusOut: true });
  const look = (): string | undefined => {
    const wrong = fault?.(box.value);
    const hint = wrong === undefined ? meaning?.(box.value) : undefined;
    const { Info, Warning } = vscode.InputBoxValidationSeverity;
    const severity = warns ? Warning : Info;
    const told = wrong ?? (hint === undefined ? undefined : { message: withoutLinks(hint), severity });
    box.validationMessage = typeof told === 'string' ? withoutLinks(told) : told;
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
  accept: (answer: (value: T) => void) => void,
): Promise<T> {
  box.buttons = [...(step > 1 ? [vscode.QuickInputButtons.Back] : []), ...more];
  return new Promise<T>((resolve, reject) => {
    accept(resolve);
    box.onDidTriggerButton((pressed) => pressed === vscode.QuickInputButtons.Back && reject(new WentBack()));
    box.onDidHide(() => reject(new CancelledError()));
    box.show();
  }).finally(() => box.dispose());
}
