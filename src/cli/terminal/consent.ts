/** Asks for a typed yes at a terminal. Without one, the command ends and says how to agree beforehand. */
import { createInterface } from 'node:readline/promises';
import { CancelledError } from '../../engine/errors';
import type { UsageError } from '../failure';
import { isCancellation } from '../signals';

/** What a question is asked in. */
interface Asking {
  /** Whether the output is for a program. */
  readonly json: boolean;
  readonly signal?: AbortSignal;
}

/**
 * @param question without its end: "Fetch 2 files?"
 * @param refusal the error without a terminal
 * @throws UsageError; CancelledError
 */
export async function agrees(question: string, refusal: UsageError, { json, signal }: Asking): Promise<boolean> {
  if (json || !process.stdin.isTTY || !process.stdout.isTTY) throw refusal;
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  ask.on('SIGINT', () => process.kill(process.pid, 'SIGINT')); // as without a question: signals.ts ends the command
  try {
    const answer = await ask.question(`${question} Type yes: `, { signal });
    return answer.trim().toLowerCase() === 'yes';
  } catch (error) {
    if (signal?.aborted) throw new CancelledError();
    if (isCancellation(error)) return false; // Ctrl-D: no answer
    throw error;
  } finally {
    ask.close();
  }
}
