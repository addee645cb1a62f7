/**
 * Write: how fast a pruned checkpoint is written, against `cp` and `sync` of the same bytes.
 *
 *   npm run bench -- write [FOLDER]     FOLDER: where to measure (needs 5 GB); a temporary folder otherwise
 *
 * The source is a made-up Llama of about 1.2 GB in BF16; four of its blocks go. Both sides read from the page cache, write to the
 * same disk and end when the disk has it all. They take turns, so that a change in the disk's mood meets both. Coppice's
 * time includes its plan, all flushes, opening the result again and the rename.
 */
import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from '../src/engine/checkpoint/open';
import { readConfigArchitecture, isUnsupported } from '../src/engine/checkpoint/config';
import { elements } from '../src/engine/checkpoint/parameters';
import { allWeights } from '../src/engine/checkpoint/weight-names';
import { writePruned } from '../src/engine/write/write-pruned';
import { printMachine } from './support/machine';
import { noteRatio } from './support/ratios';

const ROUNDS = 7;
/** A file system that clones files would make `cp` write nothing. */
const NO_CLONE = process.platform === 'linux' ? ['--reflink=never'] : [];
const REMOVED = [4, 7, 10, 13];
const CONFIG = {
  model_type: 'llama',
  architectures: ['LlamaForCausalLM'],
  hidden_act: 'silu',
  hidden_size: 2048,
  intermediate_size: 5632,
  num_hidden_layers: 16,
  num_attention_heads: 32,
  num_key_value_heads: 4,
  vocab_size: 32000,
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: true,
};

/** Writes the source with random bytes: a sparse file would be read faster than any disk. */
function makeSource(folder: string): void {
  const architecture = readConfigArchitecture(CONFIG);
  if (isUnsupported(architecture)) throw new Error(architecture.why);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(CONFIG));
  let end = 0;
  const entries = [...allWeights(architecture)].map(({ name, shape }) => {
    const start = end;
    end += 2 * elements(shape);
    return [name, { dtype: 'BF16', shape, data_offsets: [start, end] }] as const;
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = openSync(join(folder, 'model.safetensors'), 'w');
  writeSync(file, Buffer.concat([length, header]));
  const noise = randomFillSync(Buffer.alloc(8 * 1024 * 1024));
  for (let written = 0; written < end; written += noise.length) {
    writeSync(file, noise, 0, Math.min(noise.length, end - written));
  }
  closeSync(file);
}

/** Seconds that `work` takes. */
async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

const root = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'coppice-bench-'));
try {
  printMachine();
  const [source, pruned, copied] = ['source', 'pruned', 'copied'].map((name) => join(root, name));
  mkdirSync(source);
  makeSource(source);
  const checkpoint = await openCheckpoint(source);
  const write = (): Promise<unknown> => writePruned(checkpoint, REMOVED, pruned);
  const copy = (): void => {
    mkdirSync(copied);
    const to = join(copied, 'model.safetensors');
    execFileSync('cp', [...NO_CLONE, join(pruned, 'model.safetensors'), to]);
    execFileSync('sync', [to]);
  };
  await write(); // also brings the source into the page cache
  copy();
  const { size } = statSync(join(pruned, 'model.safetensors'));
  const rounds: { write: number; copy: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rmSync(copied, { recursive: true });
    execFileSync('sync');
    const copySeconds = await timed(copy);
    rmSync(pruned, { recursive: true });
    execFileSync('sync');
    rounds.push({ write: await timed(write), copy: copySeconds });
  }
  const rate = (seconds: number): string => `${seconds.toFixed(2)} s, ${(size / 1e6 / seconds).toFixed(0)} MB/s`;
  // Other work on the machine only ever adds time: the fastest round of each side says most.
  const writeSeconds = Math.min(...rounds.map((round) => round.write));
  const copySeconds = Math.min(...rounds.map((round) => round.copy));
  console.log(`bytes      ${(size / 1e9).toFixed(2)} GB, the fastest of ${ROUNDS} rounds each`);
  console.log(`cp + sync  ${rate(copySeconds)}`);
  console.log(`prune      ${rate(writeSeconds)}`);
  noteRatio('rate of writing a pruned checkpoint, against cp and sync', copySeconds / writeSeconds);
  console.log(`ratio      ${((100 * copySeconds) / writeSeconds).toFixed(0)} % of the rate of cp + sync (goal: 80 %)`);
} finally {
  rmSync(root, { recursive: true, force: true });
}
