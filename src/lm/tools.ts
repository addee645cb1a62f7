/** The tools of agents as VS Code's chat calls them, with one desk for their jobs. */
import { AGENT_TOOLS } from '../agents';
import { RunnerDesk } from '../agents/job-desk';
import type { Coppice } from '../host/coppice';
import { EditorTool } from './editor-tool';
import { sidecarRunner } from './runner';

/** By name, as the manifest has them. */
export function editorTools(coppice: Coppice): ReadonlyMap<string, EditorTool> {
  const desk = new RunnerDesk(sidecarRunner(coppice));
  return new Map(AGENT_TOOLS.map((tool) => [tool.name, new EditorTool(tool, coppice, desk)]));
}
