/** Files with questions in the workspace, and how much there is to answer in them. */
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { TASKS, TASK_NAMES, type TaskName } from '../engine/evaluate/tasks/catalogue';
import { availableTasks } from '../engine/evaluate/tasks/available';
import { findTask } from '../engine/evaluate/tasks/find';
import { UserError } from '../engine/errors';

/** How many files are looked at. */
const MAX_FOUND = 200;

/** Files of own questions have this ending; the editor checks them by its schema. */
const OWN_QUESTIONS = '**/*.coppice-tasks.json';

/** Bytes of text for each token; what is around the texts in JSON counts as text. */
const BYTES_A_TOKEN = 5;

export interface Questions {
  readonly items: number;
  /** Tokens that a model reads for them, roughly. */
  readonly tokens: number;
}

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

/** Questions of a task's file: a record a line. */
export async function questionsOfTask(name: TaskName, folder: string): Promise<Questions> {
  const { file } = await findTask(name, folder);
  const content = await readFile(file);
  const items = content
    .toString('latin1')
    .split('\n')
    .filter((line) => line.trim() !== '').length;
  return { items: Math.max(1, items), tokens: content.length / BYTES_A_TOKEN };
}

/** Questions of the user's own file; as many as its list has. */
export async function questionsOfFile(file: string): Promise<Questions> {
  const content = await readFile(file, 'utf8');
  const items = content.match(/"(answer|expected)"\s*:/g)?.length ?? 1;
  return { items, tokens: content.length / BYTES_A_TOKEN };
}

export const taskLabel = (name: TaskName): string => TASKS[name].title;

export const folderLabel = (folder: string): string => vscode.workspace.asRelativePath(folder) || basename(folder);
