/** What the user chose last time, which is what Enter takes this time. */
import type { Coppice } from '../coppice';

const key = (command: string, name: string): string => `choice.${command}.${name}`;

/** The remembered answer when it has the type of the fallback, else that. */
export function recall<T extends string | number>({ context }: Coppice, command: string, name: string, fallback: T): T {
  const value = context.globalState.get<unknown>(key(command, name));
  return typeof value === typeof fallback ? (value as T) : fallback;
}

export async function remember(
  { context }: Coppice,
  command: string,
  answers: Readonly<Record<string, string | number | undefined>>,
): Promise<void> {
  for (const [name, value] of Object.entries(answers)) {
    if (value !== undefined) await context.globalState.update(key(command, name), value);
  }
}
