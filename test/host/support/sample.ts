/** The sample model in a tidy workspace, with a small calibration, for tests of questions. */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { clearWorkspace, coppice, EXTENSION_ID, forgetAnswers, inWorkspace, resetSettings } from './coppice';
import { Window } from './window';

export interface Staged {
  readonly window: Window;
  /** The folder of the sample model, "stories". */
  readonly checkpoint: string;
}

/** The beginning of a text of the sample, which is as good as the whole where its numbers do not matter. */
export const firstLines = (file: string, lines: number): string =>
  readFileSync(file, 'utf8').split('\n').slice(0, lines).join('\n');

export async function stageSample(): Promise<Staged> {
  const window = await Window.connect();
  await resetSettings();
  await clearWorkspace();
  await window.tidy();
  await forgetAnswers();
  const checkpoint = inWorkspace('stories');
  const sample = join(vscode.extensions.getExtension(EXTENSION_ID)!.extensionPath, 'media/sample');
  cpSync(sample, checkpoint, { recursive: true });
  await (await coppice()).library.rescan();
  const settings = vscode.workspace.getConfiguration('coppice');
  await settings.update('calibration.samples', 2, vscode.ConfigurationTarget.Workspace);
  await settings.update('calibration.length', 32, vscode.ConfigurationTarget.Workspace);
  return { window, checkpoint };
}

/** Takes everything back, and shows the view again. */
export async function unstage({ window }: Staged): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  await resetSettings();
  await forgetAnswers();
  await window.tidy();
  await clearWorkspace();
  await vscode.commands.executeCommand('workbench.view.extension.coppice');
  await window.disconnect();
}
