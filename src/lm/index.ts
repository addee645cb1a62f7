/**
 * Coppice's tools in the chat of VS Code: those of src/agents, with jobs in the sidecar, the folders of the workspace as
 * roots, and VS Code's own questions before anything is written.
 */
import * as vscode from 'vscode';
import { AGENT_TOOLS } from '../agents';
import { RunnerDesk } from '../agents/job-desk';
import type { Coppice } from '../host/coppice';
import { EditorTool } from './editor-tool';
import { sidecarRunner } from './runner';

/** Registers the tools. None where VS Code has no language models. */
export function registerAgentTools(coppice: Coppice): vscode.Disposable[] {
  // Editors built from VS Code may leave the chat out.
  const lm = vscode.lm as Partial<typeof vscode.lm> | undefined;
  if (typeof lm?.registerTool !== 'function') return [];
  const desk = new RunnerDesk(sidecarRunner(coppice));
  return AGENT_TOOLS.map((tool) => vscode.lm.registerTool(tool.name, new EditorTool(tool, coppice, desk)));
}
