/**
 * Remembers the user's last choices, which Enter accepts the next time. A choice that replaces a setting applies only
 * while the setting stays the same: a changed setting applies to the next run.
 */
import { isObject } from '../../format/json';
import type { Coppice } from '../coppice';

type Answer = string | number;

/** A stored answer that replaces a setting. */
interface Under {
  readonly value: unknown;
  readonly under: unknown;
}

const key = (command: string, name: string): string => `choice.${command}.${name}`;

/**
 * Returns the remembered answer if it has the type of the fallback, otherwise the fallback.
 * @param under value of the setting that the answer replaces
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

/** @param under values of the settings that answers replace, by name */
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
  if (!isObject(stored) || !('value' in stored) || !('under' in stored)) return undefined;
  return stored.under === under ? stored.value : undefined;
}
