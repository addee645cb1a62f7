/** Shows an error with the actions for it. Cancelling is not an error. */
import * as vscode from 'vscode';
import type { Coppice } from './coppice';
import { CancelledError, UserError } from '../engine/errors';
import { toast } from './toast';
import { type Changes, remedyOf } from './remedy';

/** @param again runs the command again with changes */
export function showFailure(
  { log, sidecar, library }: Coppice,
  error: unknown,
  again: (changes: Changes) => void,
): void {
  if (error instanceof CancelledError) return;
  const { text, actions } = remedyOf(error, sidecar.device?.provider);
  log.error(error instanceof Error && !(error instanceof UserError) ? (error.stack ?? error.message) : text);
  library.rescanSoon(); // what is not there any more may be why
  // Not awaited: the command ends without waiting for a click.
  void toast.error(text, ...actions.map(({ label }) => label)).then((chosen) => {
    const action = actions.find(({ label }) => label === chosen);
    if (action?.changes) again(action.changes);
    else if (action?.command) void vscode.commands.executeCommand(action.command);
    else if (action) log.show();
  });
}
