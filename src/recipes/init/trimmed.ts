/** The step that trims a vocabulary, as a new recipe has it. */
import { resolve } from 'node:path';
import { vocabulary } from '../../jobs/definitions/vocabulary';
import { changePaths } from '../../jobs/option-paths';
import type { Json } from '../recipe';
import type { Entry } from './layout';
import { place } from './notes';
import type { Outline } from './steps';
import type { RecipeWish } from './wish';

/**
 * @param home the folder of the recipe @param out where the trimmed model goes
 * @returns undefined where the vocabulary stays
 */
export function trimmedStep(wish: RecipeWish, home: string, out: string): Outline['trimmed'] {
  const { trimmed } = wish;
  if (!trimmed) return undefined;
  const { texts, options = {} } = trimmed;
  return {
    texts: trimsByApplication(wish) ? undefined : texts.map((text) => place(home, text)),
    more: entriesOf(options, home),
    out,
  };
}

/** Options that are not what they are without being given. */
function entriesOf(options: Readonly<Record<string, unknown>>, home: string): Entry[] {
  return Object.entries(vocabulary.options).flatMap(([name, { kind, default: usual }]): Entry[] => {
    const value = options[name];
    if (value === undefined || value === usual) return [];
    return [{ name, value: changePaths(kind, value, (path) => place(home, path)) as Json }];
  });
}

/** Whether the texts of the vocabulary are the application's. */
const trimsByApplication = ({ trimmed, application }: RecipeWish): boolean =>
  application !== undefined && trimmed?.texts.length === 1 && resolve(trimmed.texts[0]) === resolve(application);
