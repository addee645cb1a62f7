/** Toys of the reference material with something changed. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shared } from './shared';
import { temporaryFolder } from './temporary';
import { writeTinyTokenizer } from './tiny-tokenizer';

/**
 * The folder of a copy of the toy `models/families2/NAME` with a tokenizer.
 * @param config keys to set in its config
 * @param set the folder of the toy
 */
export function familyToy(
  name: string,
  config: Readonly<Record<string, unknown>> = {},
  set: 'families2' | 'families3' = 'families2',
): string {
  const [folder, from] = [temporaryFolder(), shared('models', set, name)];
  for (const file of readdirSync(from)) writeFileSync(join(folder, file), readFileSync(join(from, file)));
  const own = JSON.parse(readFileSync(join(from, 'config.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...own, ...config }));
  writeTinyTokenizer(folder);
  return folder;
}

/** The toy's calibration rows. */
export const familyRows = (name: string): readonly (readonly number[])[] =>
  (JSON.parse(readFileSync(shared('models/families2', name, 'rows.json'), 'utf8')) as { rows: number[][] }).rows;
