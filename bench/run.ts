/**
 * `npm run bench` lists the benchmarks; `npm run bench -- NAME [ARGUMENT…]` runs one.
 *
 * A benchmark is a script `bench/NAME.ts` whose first comment says, in its first sentence, what it measures. Each runs in a
 * process of its own, so that one's memory is not the other's. Everything below bench/ in a folder is a helper.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

const folder = import.meta.dirname;
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
  .map((file) => basename(file, '.ts'))
  .sort();

/** The first sentence of the file's first comment. */
function description(name: string): string {
  const source = readFileSync(join(folder, `${name}.ts`), 'utf8');
  const comment = /\/\*\*(.*?)\*\//s.exec(source)?.[1] ?? '';
  const text = comment.replace(/\s*\n\s*\*\s?/g, ' ').trim();
  return text.split(/(?<=\.)\s/)[0];
}

const [name, ...args] = process.argv.slice(2);
if (name !== undefined && names.includes(name)) {
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', join(folder, `${name}.ts`), ...args], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
} else {
  const known = name === undefined || name === '--help';
  const print = known ? console.log : console.error;
  if (!known) print(`There is no benchmark ${name}.`);
  print('usage: npm run bench -- NAME [ARGUMENT…]\n');
  const width = Math.max(...names.map((each) => each.length), 0);
  for (const each of names) print(`  ${each.padEnd(width)}  ${description(each)}`);
  process.exitCode = known ? 0 : 2;
}
