/**
 * Families: seconds to score blocks in the shapes of models that people ship, against removing each in turn in PyTorch.
 *
 *   npm run bench -- families [NAME…] [--blocks 4] [--rounds 3] [--threads N] [--no-torch]
 *
 * Each subject has the shapes, the vocabulary and the settings of a known model, a few blocks and random numbers: its scores mean
 * nothing, its time does. Coppice (float32, from opening the files to the last score) and PyTorch (peers/sweep_torch.py, its model
 * loaded already, float32 and bfloat16) take turns; medians of the rounds are compared. The mean losses of the models without a
 * block are compared too, as both compute the same.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openCheckpoint } from '../src/engine/checkpoint/open';
import { scoreBlocks } from '../src/engine/importance/criteria/ppl';
import { median } from '../src/engine/median';
import { openModel } from '../src/engine/model/model';
import { Random } from '../src/engine/random';
import { isSkipped, torchSweep } from './peers/peer';
import { printMachine } from './support/machine';
import { timed, times } from './support/numbers';
import { SHIPPED } from './support/shipped';
import { fillWithRandom, writeSyntheticCheckpoint } from './support/synthetic';
import { noteRatio } from './support/ratios';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    blocks: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string' },
    torch: { type: 'boolean', default: true },
  },
});
const ROWS = 4;
const LENGTH = 128;
const blocks = Number(values.blocks);
const threads = values.threads === undefined ? undefined : Number(values.threads);
const names = positionals.length > 0 ? positionals : Object.keys(SHIPPED);
const unknown = names.find((name) => !(name in SHIPPED));
if (unknown !== undefined) throw new Error(`${unknown} is none of ${Object.keys(SHIPPED).join(', ')}`);

/** A checkpoint of some blocks with random numbers, and rows for it. */
function makeSubject(name: string, folder: string): string {
  const config = SHIPPED[name];
  writeSyntheticCheckpoint(folder, { ...config, num_hidden_layers: blocks });
  fillWithRandom(folder);
  const random = new Random(1);
  const rows = Array.from({ length: ROWS }, () =>
    Array.from({ length: LENGTH }, () => random.below(Number(config.vocab_size))),
  );
  const file = join(folder, 'rows.json');
  writeFileSync(file, JSON.stringify({ rows }));
  return file;
}

async function coppice(folder: string, rows: number[][]): Promise<{ seconds: number; losses: number[] }> {
  const { seconds, result } = await timed(async () => {
    const model = await openModel(await openCheckpoint(folder), { device: 'cpu', threads });
    try {
      return await scoreBlocks(model, rows, { seed: 1 });
    } finally {
      await model.close();
    }
  });
  return { seconds, losses: result.blocks.map(({ meanNll }) => meanNll) };
}

async function measure(name: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-families-'));
  try {
    const file = makeSubject(name, folder);
    const { rows } = JSON.parse(readFileSync(file, 'utf8')) as { rows: number[][] };
    const own: number[] = [];
    let losses: readonly number[] = [];
    const peers = new Map<string, { seconds: number[]; apart: number }>();
    let skipped = values.torch ? undefined : '--no-torch';
    for (let round = 0; round < Number(values.rounds); round++) {
      const found = await coppice(folder, rows);
      own.push(found.seconds);
      losses = found.losses;
      for (const dtype of ['float32', 'bfloat16']) {
        if (skipped !== undefined) break;
        const outcome = torchSweep(folder, file, '--dtype', dtype, ...(threads ? ['--threads', String(threads)] : []));
        if (isSkipped(outcome)) {
          skipped = outcome.skipped;
          break;
        }
        const [{ seconds, blocks: theirs }] = outcome.results;
        const apart = Math.max(...theirs.map((loss, block) => Math.abs(loss - losses[block])));
        const known = peers.get(dtype) ?? { seconds: [], apart };
        known.seconds.push(seconds);
        peers.set(dtype, known);
      }
    }
    const mine = median(own);
    const against = [...peers].map(([dtype, { seconds, apart }]) => {
      const theirs = median(seconds);
      noteRatio(`speed of a score in the shapes of ${name}, against PyTorch in ${dtype}`, theirs / mine);
      return `PyTorch ${dtype} ${theirs.toFixed(1)} s (${times(theirs / mine)}; losses apart by ${apart.toExponential(0)} at most)`;
    });
    const compared = skipped === undefined ? against.join(', ') : `PyTorch skipped: ${skipped}`;
    console.log(`${name}: ${mine.toFixed(1)} s, ${compared}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

printMachine();
console.log(`${blocks} blocks, ${ROWS} rows of ${LENGTH} tokens, medians of ${values.rounds} rounds\n`);
for (const name of names) await measure(name);
