/** Files with questions in the workspace. */
import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { TASKS, TASK_NAMES, type TaskName } from '../engine/evaluate/tasks/catalogue';
import { availableTasks } from '../engine/evaluate/tasks/available';
import { UserError } from '../engine/errors';

/** How many files are looked at. */
const MAX_FOUND = 200;

/** Files of own questions have this ending; the editor checks them by its schema. */
const OWN_QUESTIONS = '**/*.coppice-tasks.json';

/** Folders of the workspace that have a file of at least one of the paper's tasks. */
export async function foldersOfTasks(): Promise<string[]> {
  const names = TASK_NAMES.flatMap((name) => TASKS[name].files.map((file) => file.replace(/\.\w+$/, '')));
  const glob = `**/{${names.join(',')}}.{jsonl,json,ndjson,txt}`;
  const found = await vscode.workspace.findFiles(glob, '**/{node_modules,.*}/**', MAX_FOUND);
  return [...new Set(found.map(({ fsPath }) => dirname(fsPath)))].sort();
}

export async function ownQuestions(): Promise<string[]> {
  const found = await vscode.workspace.findFiles(OWN_QUESTIONS, '**/{node_modules,.*}/**', MAX_FOUND);
  return found.map(({ fsPath }) => fsPath).sort();
}

/** @returns an empty list for a folder without any */
export async function tasksIn(folder: string): Promise<TaskName[]> {
  try {
    return await availableTasks(folder);
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}

export const taskLabel = (name: TaskName): string => TASKS[name].title;

export const folderLabel = (folder: string): string => vscode.workspace.asRelativePath(folder) || basename(folder);
