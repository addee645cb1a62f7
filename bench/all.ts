/**
 * All benchmarks, one after another, and one table of their ratios with machine and commit.
 *
 *   npm run bench -- all [--quick] [--only start,open] [--model PATH] [--state FILE] [--out FILE]
 *
 * `--quick` runs those that take minutes together. What misses a model, a file or a program is skipped and named. A benchmark that
 * fails does not end the others; then the exit code is 1. With `--state FILE` what is done is kept there, and a run with the same file
 * goes on with the others, and with those that failed. Peers (PyTorch, llama.cpp) are compared with where they are installed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hasShared } from '../test/support/shared';
import { type Ratio, RATIOS_FILE } from './support/ratios';
import { type Entry, SUITE } from './support/suite';
import { type Ended, type Head, headNow, tableOf } from './support/suite-table';

interface State {
  readonly head: Head;
  readonly ended: Readonly<Record<string, Ended>>;
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    model: { type: 'string' },
    state: { type: 'string' },
    out: { type: 'string' },
  },
});

const named = values.only?.split(',');
const unknown = named?.find((name) => SUITE.every((entry) => entry.name !== name));
if (unknown !== undefined) throw new Error(`there is no benchmark ${unknown} among ${namesOf(SUITE)}`);
const entries = SUITE.filter(({ name, quick }) => named?.includes(name) ?? (!values.quick || quick !== undefined));

const head = headNow();
const before = values.state !== undefined && existsSync(values.state) ? stateIn(values.state) : undefined;
if (before && (before.head.commit !== head.commit || before.head.machine !== head.machine)) {
  throw new Error(`${values.state} is of ${before.head.commit} on ${before.head.machine}: name another file`);
}
const ended = new Map<string, Ended>(Object.entries(before?.ended ?? {}).filter(([, { state }]) => state === 'done'));

for (const [place, entry] of entries.entries()) {
  if (ended.has(entry.name)) continue;
  console.error(`\n── ${entry.name} (${place + 1} of ${entries.length})`);
  const end = run(entry);
  if (end.state !== 'done') console.error(`${entry.name} ${end.state}: ${end.why}`);
  ended.set(entry.name, end);
  keep();
}

const all = entries.map(({ name }) => ended.get(name)!);
const table = tableOf(before?.head ?? head, all);
console.log(`\n${table}`);
if (values.out !== undefined) writeFileSync(values.out, `${table}\n`);
if (all.some(({ state }) => state === 'failed')) process.exitCode = 1;

/** Runs one in a process of its own; what it prints goes to stderr, so that stdout has the table alone. */
function run({ name, model, ownModel, args = [], quick = [], missing }: Entry): Ended {
  const skipped = (why: string): Ended => ({ name, state: 'skipped', why, seconds: 0, ratios: [] });
  if (missing !== undefined) return skipped(`it needs ${missing}`);
  if (model && values.model === undefined && !hasShared) return skipped('it needs a model: --model PATH');
  const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-all-'));
  const file = join(folder, 'ratios.jsonl');
  const subject = values.model !== undefined && (model || ownModel) ? ['--model', values.model] : [];
  const program = ['--import', 'tsx', join(import.meta.dirname, `${name}.ts`)];
  const start = performance.now();
  try {
    const { status, signal } = spawnSync(process.execPath, [...program, ...(values.quick ? quick : args), ...subject], {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, [RATIOS_FILE]: file },
    });
    const seconds = (performance.now() - start) / 1000;
    if (signal === 'SIGINT') process.exit(130);
    const ratios = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(ratioOf) : [];
    if (status === 0) return { name, state: 'done', seconds, ratios };
    return { name, state: 'failed', why: `it ended with ${signal ?? status}`, seconds, ratios };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function keep(): void {
  if (values.state === undefined) return;
  const part = `${values.state}.part`;
  writeFileSync(part, `${JSON.stringify({ head: before?.head ?? head, ended: Object.fromEntries(ended) })}\n`);
  renameSync(part, values.state); // a run that is ended now leaves a whole file
}

function stateIn(file: string): State {
  return JSON.parse(readFileSync(file, 'utf8')) as State;
}

function ratioOf(line: string): Ratio {
  return JSON.parse(line) as Ratio;
}

function namesOf(of: readonly Entry[]): string {
  return of.map(({ name }) => name).join(', ');
}
