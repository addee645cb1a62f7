/** Registers every command by its name alone; what commands do is loaded when the first of them runs. */
import type * as vscode from 'vscode';
import { type AnyCommand, register } from '../host/command';
import type { Coppice } from '../host/coppice';
import { contributionsOf, INSIDE } from '../host/contributions';

export function registerCommands(coppice: Coppice): vscode.Disposable[] {
  const listed = contributionsOf(coppice.context).commands.map(({ command }) => command);
  return [...listed, ...INSIDE].map((id) => register(coppice, id, () => commandOf(id)));
}

async function commandOf(id: string): Promise<AnyCommand> {
  const { COMMANDS } = await import('./index');
  const found = COMMANDS.find((command) => command.id === id);
  if (found === undefined) throw new Error(id); // a test compares the manifest with the list
  return found;
}
