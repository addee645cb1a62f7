/**
 * `node --import tsx scripts/docs/measured/keep.ts FOLDER NAME`: keeps the records of a run of docs/results/quality.coppice.json
 * below docs/results/raw/NAME, from which the tables of the documents are made.
 * @see tables.ts
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { describeMachine } from '../../../bench/support/machine';
import { isObject } from '../../../src/format/json';

const root = resolve(import.meta.dirname, '../../..');
const recipe = join(root, 'docs/results/quality.coppice.json');

interface State {
  readonly steps: readonly { readonly name: string; readonly record: string; readonly seconds: number }[];
}

/** Where files lay on this machine says nothing to readers: their names stay. */
function withoutPlaces(value: unknown): unknown {
  if (typeof value === 'string') return /^(\.{1,2})?\/(?!\/)/.test(value) ? basename(value) : value;
  if (Array.isArray(value)) return value.map(withoutPlaces);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (key === 'place' ? [] : [[key, withoutPlaces(each)] as const])),
  );
}

async function write(file: string, value: unknown): Promise<void> {
  const text = await format(JSON.stringify(value), { ...(await resolveConfig(file)), filepath: file });
  writeFileSync(file, text);
}

const [folder, name] = process.argv.slice(2);
if (name === undefined) {
  console.error('usage: keep.ts FOLDER NAME, the folder of a run and the name of its model');
  process.exit(2);
}
const out = join(root, 'docs/results/raw', name);
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const { steps } = JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')) as State;
for (const { name: step, record } of steps) {
  const kept = JSON.parse(readFileSync(resolve(dirname(recipe), record), 'utf8')) as unknown;
  await write(join(out, `${step}.json`), withoutPlaces(kept));
}
await write(join(out, 'run.json'), {
  machine: describeMachine(),
  commit: execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim(),
  seconds: Object.fromEntries(steps.map((step) => [step.name, step.seconds])),
});
