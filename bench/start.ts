/**
 * How long a short command of `coppice` takes, in the build that is installed: compiled from its source, and from what was compiled before, beside
 * an empty run of Node.
 *
 *   npm run bench -- start [--runs 15]
 *
 * The three take turns. The first also keeps what it compiled. The median of each is printed, in milliseconds on the clock and of the processor (with what the system did).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../src/engine/median';
import { printMachine } from './support/machine';
import { noteRatio } from './support/ratios';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '15' } } });
const root = resolve(import.meta.dirname, '..');
const cache = mkdtempSync(join(tmpdir(), 'coppice-bench-start-'));
/** Inside the project, where what is not bundled is found. */
const built = join(root, 'dist/bench-start');
process.on('exit', () => [cache, built].forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** Tells the time of the processor when the process ends. */
const TELL = `process.on('exit', () => { const { user, system } = process.cpuUsage(); process.stderr.write('cpu ' + (user + system)); })`;

interface Taken {
  readonly wall: number;
  readonly cpu: number;
}

function take(args: readonly string[]): Taken {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ['--require', tell, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, COPPICE_CACHE: cache },
  });
  const wall = performance.now() - start;
  const cpu = /cpu (\d+)$/.exec(stderr)?.[1];
  if (status !== 0 || cpu === undefined) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  return { wall, cpu: Number(cpu) / 1000 };
}

printMachine();
// As scripts/npm-package.ts builds it.
const programs = ['cli', 'commands', 'tokenizer', '--production', `--outdir=${built}`];
execFileSync(process.execPath, [join(root, 'esbuild.mjs'), ...programs], { cwd: root });
const tell = join(cache, 'tell.cjs');
writeFileSync(tell, TELL);
const program = join(built, 'cli.cjs');
const empty = join(cache, 'empty.cjs');
writeFileSync(empty, '');
const forget = (): void => rmSync(join(cache, 'compiled'), { recursive: true, force: true });

console.log('| | compiled, ms | kept, ms | ratio | Node alone, ms |\n| --- | --- | --- | --- | --- |');
for (const command of [['--help'], ['inspect', join(root, 'media/sample')]]) {
  const runs: Record<'compiled' | 'kept' | 'empty', Taken[]> = { compiled: [], kept: [], empty: [] };
  for (let i = 0; i < Number(values.runs); i++) {
    forget();
    runs.compiled.push(take([program, ...command]));
    runs.kept.push(take([program, ...command]));
    runs.empty.push(take([empty]));
  }
  for (const clock of ['wall', 'cpu'] as const) {
    const [compiled, kept, alone] = [runs.compiled, runs.kept, runs.empty].map((each) =>
      median(each.map((t) => t[clock])),
    );
    const name = `${command[0]}, ${clock === 'wall' ? 'on the clock' : 'of the processor'}`;
    if (clock === 'cpu') noteRatio(`${command[0]}: processor, kept, against compiled each time`, kept / compiled);
    console.log(
      `| ${name} | ${compiled.toFixed(0)} | ${kept.toFixed(0)} | ${(kept / compiled).toFixed(2)} | ${alone.toFixed(0)} |`,
    );
  }
}
