/** Files with questions in the workspace. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { TASKS, type TaskName } from '../../engine/evaluate/tasks/catalogue';
import { dataFolder, taskGlob } from './task-places';

/** How many files are looked at. */
const MAX_FOUND = 200;

/** Files of own questions have this ending; the editor checks them by its schema. */
const OWN_QUESTIONS = '**/*.coppice-tasks.json';

/** Folders of the workspace that have a file of at least one of the paper's tasks, also as archives of data sets lay it out. */
export async function foldersOfTasks(): Promise<string[]> {
  const found = await vscode.workspace.findFiles(taskGlob(), '**/{node_modules,.*}/**', MAX_FOUND);
  return [...new Set(found.map(({ fsPath }) => dataFolder(fsPath)))].sort();
}

export async function ownQuestions(): Promise<string[]> {
  const found = await vscode.workspace.findFiles(OWN_QUESTIONS, '**/{node_modules,.*}/**', MAX_FOUND);
  return found.map(({ fsPath }) => fsPath).sort();
}

export const taskLabel = (name: TaskName): string => TASKS[name].title;

export const folderLabel = (folder: string): string => vscode.workspace.asRelativePath(folder) || basename(folder);
