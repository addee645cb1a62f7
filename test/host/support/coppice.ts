/** The extension under test and its workspace, as host tests use them. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Coppice } from '../../../src/host/coppice';
import type { CoppiceApi } from '../../../src/extension';
import { settingsOf } from '../../../src/jobs/settings';
import { filePathOf, type Node } from '../../../src/state/nodes';
import { type TinyName, type TinyOptions, writeTinyCheckpoint } from '../../support/tiny-models';

export const EXTENSION_ID = 'coppice.coppice';

/** Activates the extension, as its view would. */
export async function coppice(): Promise<Coppice> {
  const extension = vscode.extensions.getExtension<CoppiceApi>(EXTENSION_ID);
  assert.ok(extension, `${EXTENSION_ID} is not there`);
  return (await extension.activate()).internal;
}

/** An absolute path in the workspace. */
export const inWorkspace = (...parts: string[]): string =>
  join(vscode.workspace.workspaceFolders![0].uri.fsPath, ...parts);

/** A toy model of 8 blocks in the workspace, with a tokenizer. @returns its folder */
export function writeModel(folder: string, name: TinyName = 'llama-gqa-tied', options: TinyOptions = {}): string {
  const path = inWorkspace(folder);
  mkdirSync(path, { recursive: true });
  writeTinyCheckpoint(path, name, { tokenizer: true, ...options, config: { num_hidden_layers: 8, ...options.config } });
  return path;
}

/** A text in the workspace that the toys can read. @returns its path */
export function writeText(name: string): string {
  const path = inWorkspace(name);
  const sentence = (n: number): string =>
    `The ${['old', 'red', 'small', 'wise'][n % 4]} oak number ${n} grew again after the winter, and the birds came back to sing.`;
  writeFileSync(path, Array.from({ length: 120 }, (_, n) => sentence(n)).join('\n'));
  return path;
}

/** Takes back what other tests have set. */
export async function resetSettings(): Promise<void> {
  const manifest = vscode.extensions.getExtension(EXTENSION_ID)!.packageJSON as Parameters<typeof settingsOf>[0];
  const settings = vscode.workspace.getConfiguration();
  for (const key of Object.keys(settingsOf(manifest))) {
    if (settings.inspect(key)?.workspaceValue === undefined) continue;
    await settings.update(key, undefined, vscode.ConfigurationTarget.Workspace);
  }
}

/** Forgets the answers to questions, which are the same for all tests in a window. */
export async function forgetAnswers(): Promise<void> {
  const { globalState } = (await coppice()).context;
  for (const key of globalState.keys()) if (key.startsWith('choice.')) await globalState.update(key, undefined);
}

/** Removes what a test has left in the workspace, and lets the extension see it. */
export async function clearWorkspace(): Promise<void> {
  const { library, plans, namedPlans, scores, records, hidden, goals } = await coppice();
  hidden.show();
  for (const { path } of library.entries()) {
    scores.forget(path);
    namedPlans.forgetAll(path);
    const checkpoint = library.peek(path);
    const blocks = checkpoint?.architecture?.layers.length;
    // The same toy in another test is the same checkpoint.
    if (blocks !== undefined) plans.set({ path, identity: checkpoint!.identity, blocks }, []);
    if (checkpoint) goals.set(checkpoint.identity, undefined);
  }
  for (const [name] of await vscode.workspace.fs.readDirectory(vscode.Uri.file(inWorkspace()))) {
    if (name !== '.vscode') rmSync(inWorkspace(name), { recursive: true, force: true });
  }
  for (const { path, origin } of library.entries()) {
    if (origin === 'opened') await library.close([path]);
    library.forget(path);
  }
  await library.rescan();
  await records.read();
}

/** The lines of the tree below `node`, as the view gets them. */
export async function lines(node?: Node): Promise<readonly { readonly node: Node; readonly item: vscode.TreeItem }[]> {
  const { tree } = await coppice();
  const nodes = await tree.getChildren(node);
  return Promise.all(nodes.map(async (each) => ({ node: each, item: await tree.getTreeItem(each) })));
}

/** The lines of the group "Inspection only"; none where there is no such group. */
export async function inspectionLines(): ReturnType<typeof lines> {
  const group = (await lines()).find(({ node }) => node.kind === 'inspection');
  return group ? lines(group.node) : [];
}

/** The lines of models, adapters and trainings, also of those below others. */
export async function fileLines(): Promise<Awaited<ReturnType<typeof lines>>> {
  const isFile = ({ node }: { readonly node: Node }): boolean =>
    ['checkpoint', 'adapter', 'export', 'training'].includes(node.kind);
  const found = [...(await lines()), ...(await inspectionLines())].filter(isFile);
  for (const { node } of found) found.push(...(await lines(node)).filter(isFile)); // grows while it is walked
  return found;
}

/** The line of a checkpoint. */
export async function checkpointLine(path: string): Promise<{ readonly node: Node; readonly item: vscode.TreeItem }> {
  const line = (await fileLines()).find(({ node }) => filePathOf(node) === path && 'entry' in node);
  assert.ok(line, `${path} is not in the tree`);
  return line;
}

/** Runs a command that throws what goes wrong. */
export async function run<T>(command: string, args: object = {}): Promise<T> {
  return vscode.commands.executeCommand<T>(`coppice.${command}`, { throws: true, ...args });
}
