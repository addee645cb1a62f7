/** Tells a result that has no other place, or that the user may have missed, with what can be done next. */
import * as vscode from 'vscode';
import type { CommonArguments } from './command';

/** A button of a notification. */
export interface NextStep {
  readonly label: string;
  readonly run: () => unknown;
}

/** Nothing is shown to a caller who handles errors himself: he has the result. */
export function inform({ throws }: CommonArguments, text: string, ...next: readonly NextStep[]): void {
  if (throws) return;
  // Not awaited: the command is over, whether or not a button is clicked.
  void vscode.window.showInformationMessage(text, ...next.map(({ label }) => label)).then((chosen) => {
    next.find(({ label }) => label === chosen)?.run();
  });
}

/** A step that runs a command with arguments. */
export const nextCommand = (label: string, command: `coppice.${string}`, args: object): NextStep => ({
  label,
  run: () => vscode.commands.executeCommand(command, args),
});
