/** The tools for agents. */
import type { AgentTool } from './tool';
import { inspect } from './tools/inspect';
import { score } from './tools/score';

export const AGENT_TOOLS: readonly AgentTool[] = [inspect, score];
