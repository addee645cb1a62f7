/**
 * Asks the user before a tool writes or takes minutes, where the client can show a question. Other clients ask before
 * they call a tool, by themselves.
 */
import type { Server } from './core';
import type { Confirmation } from '../agents/tool';
import { throwIfCancelled } from '../engine/errors';

/** People read and think. After it, the answer is no. */
const PATIENCE_MS = 10 * 60_000;

/**
 * @returns whether the tool may run: the user agrees, or the client shows no questions. A question that nobody answers,
 *   or that the client cannot show after all, is a no.
 */
export async function agreed(server: Server, { title, message }: Confirmation, signal: AbortSignal): Promise<boolean> {
  if (!server.getClientCapabilities()?.elicitation?.form) return true;
  const question = { message: `${title}\n\n${message}`, requestedSchema: { type: 'object' as const, properties: {} } };
  try {
    const { action } = await server.elicitInput(question, { signal, timeout: PATIENCE_MS });
    return action === 'accept';
  } catch {
    throwIfCancelled(signal);
    return false;
  }
}
