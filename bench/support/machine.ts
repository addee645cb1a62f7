/** The machine that a benchmark ran on, in one line; a number without it means little. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

const CPU_INFO = '/proc/cpuinfo';

/** "AMD EPYC 9B14, 2 of 96 threads, 16 GB; linux x64, Node 20.19.0, onnxruntime-node 1.30.0" */
export function describeMachine(): string {
  const processors = cpus();
  const threads = `${availableParallelism()} of ${processors.length} threads`;
  const memory = `${Math.round(totalmem() / 1e9)} GB`;
  const software = `Node ${process.versions.node}, onnxruntime-node ${packageVersion('onnxruntime-node')}`;
  return `${processors[0]?.model.trim() ?? 'unknown CPU'}, ${threads}, ${memory}; ${process.platform} ${process.arch}, ${software}`;
}

/** What the processor can compute with, of that which moves ratios: "avx2, avx512, vnni, amx". Empty where the system does not say. */
export function processorFeatures(): string {
  const known: readonly [name: string, flag: RegExp][] = [
    ['avx2', /\bavx2\b/],
    ['avx512', /\bavx512f\b/],
    ['vnni', /\bavx(512)?_vnni\b/],
    ['bf16', /\bavx512_bf16\b/],
    ['amx', /\bamx_tile\b/],
    ['neon', /\basimd\b/],
    ['dot product', /\basimddp\b/],
    ['i8mm', /\bi8mm\b/],
  ];
  const flags = existsSync(CPU_INFO)
    ? (/^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync(CPU_INFO, 'utf8'))?.[1] ?? '')
    : '';
  return known.flatMap(([name, flag]) => (flag.test(flags) ? [name] : [])).join(', ');
}

/** Prints the machine as a benchmark's first line. */
export function printMachine(): void {
  console.log(describeMachine());
}

/** The version of an installed package, read beside its entry point rather than by loading it. */
function packageVersion(name: string): string {
  const entry = createRequire(import.meta.url).resolve(name);
  for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
      if (manifest.name === name) return String(manifest.version);
    } catch {
      // no package.json here: the package's root is further up
    }
  }
  return 'of unknown version';
}
