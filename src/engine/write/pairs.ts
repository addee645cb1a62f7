/** Where both models of a written pair are, as the folder itself says. */
import { join } from 'node:path';
import type { Runtime } from '../draft/runtimes';
import { UserError } from '../errors';
import { namesIn } from '../files/names';

/** A pair in the form that its program takes. Paths are those of the folder that was given, with a name behind it. */
export type PairPlaces =
  | { readonly program: 'genai'; readonly folder: string }
  | { readonly program: 'transformers' | 'llama.cpp'; readonly target: string; readonly draft: string }
  | {
      readonly program: 'node-llama-cpp';
      readonly target: string;
      readonly draft: string;
      /** The program beside them that speculates. */
      readonly script: string;
    };

const GENAI_CONFIG = 'genai_config.json';
const SCRIPT = 'speculate.mjs';

/** @throws UserError where the folder has gone, or has no pair for the program */
export async function pairAt(folder: string, program: Runtime): Promise<PairPlaces> {
  const names = await namesIn(folder);
  if (program === 'genai') {
    if (names.includes(GENAI_CONFIG)) return { program, folder };
    throw noPair(folder, GENAI_CONFIG);
  }
  const models =
    program === 'transformers' ? await modelFolders(folder, names) : names.filter((name) => /\.gguf$/i.test(name));
  const draft = models.find((name) => /^draft\b/i.test(name)) ?? models.find((name) => /draft/i.test(name));
  const target = models.find((name) => name !== draft);
  if (draft === undefined || target === undefined || models.length !== 2) throw noPair(folder, 'a model and its draft');
  const both = { target: join(folder, target), draft: join(folder, draft) };
  if (program !== 'node-llama-cpp') return { program, ...both };
  if (names.includes(SCRIPT)) return { program, ...both, script: join(folder, SCRIPT) };
  throw noPair(folder, SCRIPT);
}

async function modelFolders(folder: string, names: readonly string[]): Promise<string[]> {
  const inside = await Promise.all(names.map((name) => namesIn(join(folder, name))));
  return names.filter((_, i) => inside[i].includes('config.json'));
}

const noPair = (folder: string, what: string): UserError =>
  new UserError(`${folder} is not the pair any more`, `it lacks ${what}`, 'Write the pair again.');
