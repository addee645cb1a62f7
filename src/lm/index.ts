/**
 * Coppice's tools in the chat of VS Code: those of src/agents, with jobs in the sidecar, the folders of the workspace as
 * roots, and VS Code's own questions before anything is written. They are loaded when the first of them is used.
 */
import * as vscode from 'vscode';
import { contributionsOf } from '../host/contributions';
import type { Coppice } from '../host/coppice';

type Tools = ReadonlyMap<string, vscode.LanguageModelTool<object>>;

/** Registers the tools. None where VS Code has no language models. */
export function registerAgentTools(coppice: Coppice): vscode.Disposable[] {
  // Editors built from VS Code may leave the chat out.
  const lm = vscode.lm as Partial<typeof vscode.lm> | undefined;
  if (typeof lm?.registerTool !== 'function') return [];
  let loading: Promise<Tools> | undefined;
  const tools = (): Promise<Tools> => (loading ??= import('./tools').then(({ editorTools }) => editorTools(coppice)));
  return contributionsOf(coppice.context).languageModelTools.map(({ name }) =>
    vscode.lm.registerTool<object>(name, {
      prepareInvocation: async (options, token) => (await tools()).get(name)!.prepareInvocation!(options, token),
      invoke: async (options, token) => (await tools()).get(name)!.invoke(options, token),
    }),
  );
}
