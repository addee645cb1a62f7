/** The tools of agents in the protocol's form: their list, and a call of one. */
import {
  type CallToolRequest,
  type CallToolResult,
  ErrorCode,
  type ListToolsResult,
  McpError,
  type Tool,
} from '@modelcontextprotocol/sdk/types.js';
import type { AgentContext, AgentTool, Confirmation, Effect } from '../agents/tool';
import { UserError } from '../engine/errors';
import { errorAnswer, textAnswer } from './answers';

/** What a call needs besides its input. */
export interface CallSurroundings {
  /** Asked for each call: the roots may change. @throws UserError if no folder is open */
  context(): Promise<AgentContext>;
  /** Whether the user agrees, where the client can ask. */
  agreed(question: Confirmation): Promise<boolean>;
  /** Receives an error that nobody can act on. */
  bug(error: unknown): void;
}

export const listed = (tools: readonly AgentTool[]): ListToolsResult => ({ tools: tools.map(described) });

const described = (tool: AgentTool): Tool => ({
  name: tool.name,
  title: tool.title(),
  description: tool.description,
  inputSchema: tool.input as Tool['inputSchema'],
  annotations: { title: tool.title(), ...HINTS[tool.effect] },
});

/** Nothing is replaced but what the same recipe wrote, and nothing goes to the network. A run that computes adds a record. */
const NO_HARM = { destructiveHint: false, openWorldHint: false };
const HINTS: Readonly<Record<Effect, Tool['annotations']>> = {
  reads: { readOnlyHint: true, idempotentHint: true, ...NO_HARM },
  computes: { readOnlyHint: false, idempotentHint: false, ...NO_HARM },
  writes: { readOnlyHint: false, idempotentHint: false, ...NO_HARM },
};

/**
 * Runs a tool. What the model can put right is an answer, so that it reads it.
 * @throws McpError for a tool that does not exist
 */
export async function called(
  tools: readonly AgentTool[],
  { name, arguments: input = {} }: CallToolRequest['params'],
  surroundings: CallSurroundings,
): Promise<CallToolResult> {
  const tool = tools.find((each) => each.name === name);
  if (!tool) throw new McpError(ErrorCode.InvalidParams, `there is no tool ${name}`);
  try {
    const context = await surroundings.context();
    const question = await tool.confirmation?.(input, context);
    if (question && !(await surroundings.agreed(question))) throw declined(tool);
    return textAnswer(await tool.run(input, context));
  } catch (error) {
    return errorAnswer(error, (bug) => surroundings.bug(bug));
  }
}

const declined = (tool: AgentTool): UserError =>
  new UserError(`"${tool.title()}" did not run`, 'the user did not agree', 'Ask the user what to do instead.');
