/**
 * Memory: the highest resident memory of scoring SmolLM2-135M-Instruct, of scoring it with many samples, and of a 7B-shaped model.
 *
 *   npm run bench -- memory [PART…] [--model PATH] [--rows ROWS.json]
 *
 * Parts, all unless named: `score` scores the model by perplexity as it comes, 10 rows of 128 tokens; `samples`
 * does it with 10 and with 200 rows under the same `--memory`; `large` takes one window of 128 tokens through 32 blocks
 * of LLaMA-7B's shapes, in BF16, in a file that is one hole; `text` generates from the same model in int4. Every figure is of a fresh process of the built command line and
 * holds all of it: Node, the weights mapped from the file, onnxruntime, hidden states.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openCheckpoint, requireArchitecture } from '../src/engine/checkpoint/open';
import { Random } from '../src/engine/random';
import { buildProduct, runBuilt } from './support/built';
import { printMachine } from './support/machine';
import { megabytes, times } from './support/numbers';
import { MODEL_OPTION, modelOr, rowsFileOr } from './support/subject';
import { LLAMA_7B, writeSyntheticCheckpoint } from './support/synthetic';
import { noteRatio } from './support/ratios';

const MB = 1e6;
const GOALS = { score: 350 * MB, large: 3000 * MB, text: 6000 * MB };

/**
 * Few enough for the hidden states of even 10 short rows not to fit at once: 31 variants × 10 × 32 tokens × 576 numbers
 * are 23 MB for SmolLM2. Short rows keep 200 of them within minutes.
 */
const BUDGET = '12MB';
const SHORT = 32;
const SAMPLES = [10, 200];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { ...MODEL_OPTION, rows: { type: 'string' } },
});

const parts = { score, samples, large, text };
const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-'));
try {
  printMachine();
  buildProduct();
  for (const [name, part] of Object.entries(parts)) {
    if (positionals.length === 0 || positionals.includes(name)) await part();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function score(): Promise<void> {
  const model = modelOr(values.model);
  const rows = await rowsFileOr(values.rows, values.model);
  const { peakBytes, seconds } = runBuilt('score', model, '--calibration', rows);
  print('score', peakBytes, seconds, values.model === undefined ? `goal: ${megabytes(GOALS.score)}` : 'no goal');
}

async function samples(): Promise<void> {
  const checkpoint = modelOr(values.model);
  const { vocabulary } = requireArchitecture(await openCheckpoint(checkpoint));
  const random = new Random(1);
  const peaks = SAMPLES.map((count) => {
    const rows = Array.from({ length: count }, () => Array.from({ length: SHORT }, () => random.below(vocabulary)));
    const file = join(folder, `${count}.json`);
    writeFileSync(file, JSON.stringify({ rows }));
    const sampling = ['--samples', String(count), '--length', String(SHORT)];
    const measured = runBuilt('score', checkpoint, '--calibration', file, ...sampling, '--memory', BUDGET);
    print(`score, ${count} × ${SHORT}`, measured.peakBytes, measured.seconds, `--memory ${BUDGET}`);
    return measured.peakBytes;
  });
  noteRatio(`peak memory of a score of ${SAMPLES[1]} samples, against ${SAMPLES[0]}`, peaks[1] / peaks[0]);
  console.log(`${SAMPLES[1]} samples take ${times(peaks[1] / peaks[0])} the memory of ${SAMPLES[0]} (goal: 1.1 ×)`);
}

function large(): void {
  const bytes = writeSyntheticCheckpoint(folder, LLAMA_7B);
  const file = join(folder, 'text.txt');
  writeFileSync(file, 'x'.repeat(200));
  const { json, peakBytes, seconds } = runBuilt('eval', folder, '--text', file, '--limit', '1');
  // Zeros as weights make every word equally likely, so the pass can be seen to have gone through.
  if (Math.abs(Number(json.ppl) / LLAMA_7B.vocab_size - 1) > 1e-3) throw new Error(`perplexity ${String(json.ppl)}`);
  const what = `${(bytes / 1e9).toFixed(1)} GB in BF16`;
  print('7B-shaped, one window', peakBytes, seconds, `${what}, goal: ${megabytes(GOALS.large)}`);
}

function text(): void {
  const bytes = writeSyntheticCheckpoint(folder, LLAMA_7B);
  const sampling = ['--prompt', 'x', '--max-new-tokens', '4', '--greedy', '--ignore-eos'];
  const { peakBytes, seconds } = runBuilt('generate', folder, ...sampling, '--precision', 'int4');
  print(
    '7B-shaped, int4 text',
    peakBytes,
    seconds,
    `${(bytes / 1e9).toFixed(1)} GB in BF16, goal: ${megabytes(GOALS.text)}`,
  );
}

function print(name: string, peakBytes: number, seconds: number, remark: string): void {
  console.log(`${name.padEnd(21)}  peak ${megabytes(peakBytes)} in ${seconds.toFixed(1)} s (${remark})`);
}
