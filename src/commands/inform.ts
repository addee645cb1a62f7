/** Tells a result that has no other place, with one action. */
import * as vscode from 'vscode';
import type { CommonArguments } from './command';

/** Nothing is shown to a caller who handles errors himself: he has the result. */
export function inform(
  { throws }: CommonArguments,
  text: string,
  action?: { readonly label: string; readonly run: () => void },
): void {
  if (throws) return;
  void vscode.window.showInformationMessage(text, ...(action ? [action.label] : [])).then((chosen) => {
    if (action && chosen === action.label) action.run();
  });
}
