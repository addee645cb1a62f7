/**
 * Seconds and peak memory of opening a checkpoint of 1 000 shards that declare 100 GB, in a fresh process. The shards
 * are sparse files: headers as real ones, no tensor data on the disk. Goal: below 1 s and 100 MB.
 */
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printMachine } from './support/machine';
import { PEAK_BYTES } from './support/peak';
import { writeSyntheticCheckpoint } from './support/synthetic';
import { noteRatio } from './support/ratios';

const SHARDS = 1000;
const RUNS = 5;

/** 50 billion BF16 parameters in 1 000 and some tensors: the proportions of a 70B model, more and narrower blocks. */
const CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 6144,
  intermediate_size: 16384,
  num_hidden_layers: 125,
  num_attention_heads: 48,
  num_key_value_heads: 8,
  vocab_size: 128256,
};

/** What the measured process does, compiled as the product is: the compiler of TypeScript must not count. */
const MEASURED = `
import { openCheckpoint } from './src/engine/checkpoint/open';
import { peakRssBytes } from './src/engine/memory';
const start = performance.now();
const { tensors } = await openCheckpoint(process.argv[2]);
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ tensors: tensors.size, seconds, peakBytes: peakRssBytes() }));
`;

interface Opened {
  readonly tensors: number;
  readonly seconds: number;
  readonly peakBytes: number;
}

const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-'));
try {
  const declared = writeSyntheticCheckpoint(folder, CONFIG, SHARDS);
  const program = join(folder, 'measured.mjs');
  await build({
    stdin: { contents: MEASURED, resolveDir: join(import.meta.dirname, '..'), loader: 'ts' },
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  const runs = Array.from({ length: RUNS }, () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [program, folder], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as Opened;
  });
  const seconds = runs.map((run) => run.seconds).sort((a, b) => a - b);
  const peak = Math.max(...runs.map((run) => run.peakBytes));
  noteRatio('seconds to open 100 GB in 1,000 shards, against the goal of 1 s', seconds[seconds.length >> 1]);
  printMachine();
  console.log(`${SHARDS} shards, ${runs[0].tensors} tensors, ${(declared / 1e9).toFixed(1)} GB declared`);
  console.log(`open: ${seconds.map((s) => s.toFixed(3)).join(', ')} s; goal < 1 s`);
  console.log(`peak RSS: ${(peak / 1e6).toFixed(0)} MB of which an empty Node takes ${emptyNode()} MB; goal < 100 MB`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Peak memory, in MB, of a process that does nothing: what Node costs by itself. */
function emptyNode(): string {
  const { stdout } = spawnSync(process.execPath, ['-e', `console.log(${PEAK_BYTES})`], {
    encoding: 'utf8',
  });
  return (Number(stdout) / 1e6).toFixed(0);
}
