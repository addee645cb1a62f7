/**
 * The steps of the walkthrough that a user has done. A step is complete when its work is done, also from the panel: VS Code's events
 * of commands come when a command begins, and only for those that its own menus start.
 */
import * as vscode from 'vscode';

/** A step of the tour is done. @param key for the conditions of the manifest */
export const did = (key: `coppice.did.${string}`): Thenable<unknown> =>
  vscode.commands.executeCommand('setContext', key, true);
