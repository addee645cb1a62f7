/** Notifies the user of a result, with buttons for the next steps. */
import * as vscode from 'vscode';
import { toast } from './toast';
import type { CommonArguments } from './command';

/** A button of a notification. */
export interface NextStep {
  readonly label: string;
  readonly run: () => unknown;
}

/** Shows nothing to a caller that handles errors itself: it has the result. */
export function inform({ throws }: CommonArguments, text: string, ...next: readonly NextStep[]): void {
  if (throws) return;
  // Not awaited: the command ends without waiting for a click.
  void toast.info(text, ...next.map(({ label }) => label)).then((chosen) => {
    next.find(({ label }) => label === chosen)?.run();
  });
}

/** A button that runs a command with arguments. */
export const nextCommand = (label: string, command: `coppice.${string}`, args: object): NextStep => ({
  label,
  run: () => vscode.commands.executeCommand(command, args),
});

/** What decides whether a model that was written ships. */
export const compareStep = (checkpoint: string): NextStep =>
  nextCommand(vscode.l10n.t('Compare with the Original'), 'coppice.compareWithOriginal', { checkpoint });
