/** The command line as it is installed, run as users run it: bundled, each call a fresh process, its peak memory noted. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { PEAK_BYTES } from './peak';

const root = resolve(import.meta.dirname, '../..');

/** Bundles the product into `dist`. */
export function buildProduct(): void {
  execFileSync(process.execPath, [join(root, 'esbuild.mjs')], { cwd: root });
}

export interface BuiltRun {
  /** What the command printed with `--json`. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly peakBytes: number;
  readonly seconds: number;
}

/** Last words of the measured process, on its stderr. */
const TELL_PEAK = `process.on('exit', () => process.stderr.write('peak ' + ${PEAK_BYTES} + '\\n'))`;

/** Runs `coppice …args --json --quiet`. @throws Error with what the command said when it failed */
export function runBuilt(...args: readonly string[]): BuiltRun {
  const hook = `data:text/javascript,${encodeURIComponent(TELL_PEAK)}`;
  const program = join(root, 'dist/cli.cjs');
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', hook, program, ...args, '--json', '--quiet'],
    { encoding: 'utf8', maxBuffer: 64 * 2 ** 20 },
  );
  const seconds = (performance.now() - start) / 1000;
  const peak = /^peak (\d+)$/m.exec(stderr)?.[1];
  if (status !== 0 || peak === undefined) throw new Error(`coppice ${args[0]} ended with ${status}: ${stderr}`);
  return { json: JSON.parse(stdout) as Record<string, unknown>, peakBytes: Number(peak), seconds };
}
