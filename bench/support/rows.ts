/** Rows of random tokens: for whatever does not depend on what is said. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/engine/random';

/** `count` rows of `length` tokens, the same every time. */
export function randomRows(count: number, length: number, vocabulary: number): number[][] {
  const random = new Random(1);
  return Array.from({ length: count }, () => Array.from({ length }, () => random.below(vocabulary)));
}

/** The same as a `{"rows": …}` file in `folder`. @returns its path */
export function randomRowsFile(folder: string, count: number, length: number, vocabulary: number): string {
  const file = join(folder, `${count}x${length}.json`);
  writeFileSync(file, JSON.stringify({ rows: randomRows(count, length, vocabulary) }));
  return file;
}
