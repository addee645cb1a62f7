/** What a call of a tool answers: a text, or an error that tells the model what to do. */
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { failureText } from '../agents/naming';
import { CancelledError, UserError } from '../engine/errors';
import { systemFailure } from '../engine/system-failure';

export const textAnswer = (text: string): CallToolResult => ({ content: [{ type: 'text', text }] });

/** @param bug receives an error that nobody can act on */
export function errorAnswer(error: unknown, bug: (error: unknown) => void): CallToolResult {
  const known = systemFailure(error) ?? error;
  if (!(known instanceof UserError) && !(known instanceof CancelledError)) bug(error);
  return { ...textAnswer(failureText(known)), isError: true };
}
