/**
 * What the user chose last time, which is what Enter takes this time. A choice that stands in for a setting counts only
 * as long as the setting is what it was: whoever changes that means the next run too.
 */
import type { Coppice } from './coppice';

type Answer = string | number;

/** As it is stored where a setting is behind it. */
interface Under {
  readonly value: unknown;
  readonly under: unknown;
}

const key = (command: string, name: string): string => `choice.${command}.${name}`;

/**
 * The remembered answer when it has the type of the fallback, else that.
 * @param under value of the setting that the answer stands in for
 */
export function recall<T extends Answer>(
  { context }: RememberingHost,
  command: string,
  name: string,
  fallback: T,
  under?: Answer,
): T {
  const stored = context.globalState.get<unknown>(key(command, name));
  const value = under === undefined ? stored : valueUnder(stored, under);
  return typeof value === typeof fallback ? (value as T) : fallback;
}

/** @param under values of the settings behind answers, by their names */
export async function remember(
  { context }: RememberingHost,
  command: string,
  answers: Readonly<Record<string, Answer | undefined>>,
  under: Readonly<Record<string, Answer>> = {},
): Promise<void> {
  for (const [name, value] of Object.entries(answers)) {
    if (value === undefined) continue;
    const stored: Answer | Under = name in under ? { value, under: under[name] } : value;
    await context.globalState.update(key(command, name), stored);
  }
}

/** The parts of `Coppice` that this needs. */
interface RememberingHost {
  readonly context: { readonly globalState: Pick<Coppice['context']['globalState'], 'get' | 'update'> };
}

function valueUnder(stored: unknown, under: Answer): unknown {
  if (typeof stored !== 'object' || stored === null || !('value' in stored) || !('under' in stored)) return undefined;
  return stored.under === under ? stored.value : undefined;
}
