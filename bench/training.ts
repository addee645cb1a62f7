/**
 * Training: tokens a second of a step of LoRA retraining, against PyTorch with PEFT and against bare products; and its memory.
 *
 *   npm run bench -- training [PART…] [--model PATH] [--rows 64] [--length 128] [--rounds 3] [--threads N] [--no-torch]
 *
 * Parts, both unless named. `speed`: the subject, SmolLM2-135M-Instruct unless named, loses six blocks in its middle and gets the
 * paper's adapters (rank 8, dropout 0.05, all seven Linears). One step is forward, backward, clipping and AdamW over 64
 * rows of 128 random tokens with one mean; each side cuts it into the micro-batches that it is fastest with. Coppice
 * computes in float32, and with frozen products in int8 (`--precision int8`); PEFT (peers/train_peft.py) in float32 and in bfloat16. All take turns, so that a change in the
 * machine's mood meets all of them; medians of the rounds are compared.
 *
 * Operations are counted from the shapes, as few as it can be done with: the Linears forward and backward to their
 * inputs, the adapters forward and backward to inputs and weights, the head likewise. Attention, norms and whatever is
 * computed twice are not counted. The time that onnxruntime's own Gemm would take for the counted ones against the time
 * of the step is the share of the matrix-multiply rate.
 *
 * `memory`: highest resident memory of a step of the built command line in a fresh process: the subject over 8 rows of
 * 128 tokens, in float32 and in int8, and 32 blocks of LLaMA-7B's shapes, in BF16 and a file that is one hole, over a short row.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openCheckpoint, requireArchitecture } from '../src/engine/checkpoint/open';
import { isSkipped, torchTraining, type TorchTraining } from './peers/peer';
import { buildProduct, runBuilt } from './support/built';
import { printMachine } from './support/machine';
import { median } from '../src/engine/median';
import { megabytes, percent, printFacts, timed, times } from './support/numbers';
import { randomRows, randomRowsFile } from './support/rows';
import { MODEL_OPTION, modelOr } from './support/subject';
import { LLAMA_7B, writeSyntheticCheckpoint } from './support/synthetic';
import { GemmTime, LoraStep } from './support/lora-step';
import { noteRatio } from './support/ratios';

const GOALS = { float32: 1.6, gemm: 0.7, large: 6e9 };
const REMOVED = 6;
/** Tokens of a micro-batch that Coppice may choose. */
const CUTS = [256, 512, 1024];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    ...MODEL_OPTION,
    rows: { type: 'string', default: '64' },
    length: { type: 'string', default: '128' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string' },
    torch: { type: 'boolean', default: true },
  },
});
const threads = values.threads === undefined ? undefined : Number(values.threads);
const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-'));
const parts = { speed, memory };
try {
  printMachine();
  for (const [name, part] of Object.entries(parts)) {
    if (positionals.length === 0 || positionals.includes(name)) await part();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

type TorchResult = TorchTraining['results'][number];

async function speed(): Promise<void> {
  const checkpoint = modelOr(values.model);
  const { layers, vocabulary } = requireArchitecture(await openCheckpoint(checkpoint));
  const blocks = layers.length;
  const removed = Array.from({ length: REMOVED }, (_, i) => Math.floor((blocks - REMOVED) / 2) + i);
  const [count, length] = [Number(values.rows), Number(values.length)];
  const rows = randomRows(count, length, vocabulary);
  const rowsFile = randomRowsFile(folder, count, length, vocabulary);

  const step = await LoraStep.open(checkpoint, removed, rows, threads);
  const integers = await LoraStep.open(checkpoint, removed, rows, threads, 'int8');
  const cut = await step.fastestCut(CUTS);
  const integerCut = await integers.fastestCut(CUTS);
  const gemm = await GemmTime.open(step, cut, threads);
  console.log(
    `${blocks - REMOVED} blocks, ${count} rows of ${length} tokens; ${(step.flops / 1e12).toFixed(2)} TFLOP a step\n`,
  );

  const ours: number[] = [];
  const oursInIntegers: number[] = [];
  const shares: number[] = [];
  const peers: Record<'float32' | 'bfloat16', TorchResult[]> = { float32: [], bfloat16: [] };
  let skipped = values.torch ? undefined : '--no-torch';
  for (let round = 0; round < Number(values.rounds); round++) {
    const before = await gemm.seconds();
    const { seconds } = await timed(() => step.run());
    const after = await gemm.seconds();
    ours.push(seconds);
    shares.push((before + after) / 2 / seconds);
    const inIntegers = (await timed(() => integers.run())).seconds;
    oursInIntegers.push(inIntegers);
    const told = [
      `Coppice ${rate(step.tokens, seconds)} (${percent(shares.at(-1)!)} of Gemm)`,
      `int8 ${rate(step.tokens, inIntegers)}`,
    ];
    for (const dtype of ['float32', 'bfloat16'] as const) {
      if (skipped !== undefined) break;
      const micro = peers[dtype].at(0)?.micro;
      const options = ['--remove', ...removed.map(String), '--dtype', dtype];
      if (micro !== undefined) options.push('--micro', String(micro));
      if (values.threads !== undefined) options.push('--threads', values.threads);
      const outcome = torchTraining(checkpoint, rowsFile, ...options);
      if (isSkipped(outcome)) skipped = outcome.skipped;
      else {
        peers[dtype].push(outcome.results[0]);
        told.push(`PEFT ${dtype} ${rate(step.tokens, outcome.results[0].seconds)}`);
      }
    }
    console.log(`round ${round + 1}: ${told.join(', ')}`);
  }
  await gemm.close();
  await step.close();
  await integers.close();

  const seconds = median(ours);
  noteRatio('rate of a step, against bare products of its size', median(shares), { precision: 'float32' });
  noteRatio('speed of a step in int8, against float32', seconds / median(oursInIntegers), { precision: 'int8' });
  const gflops = `${(step.flops / seconds / 1e9).toFixed(0)} GFLOP/s`;
  console.log('');
  printFacts([
    ['Coppice, float32', `${rate(step.tokens, seconds)} (${seconds.toFixed(1)} s, ${gflops}, ${cut} tokens a run)`],
    [
      'Coppice, int8',
      `${rate(step.tokens, median(oursInIntegers))} (${times(seconds / median(oursInIntegers))} as fast, ${integerCut} tokens a run)`,
    ],
    ['share of Gemm', `${percent(median(shares))} (goal: ${percent(GOALS.gemm)})`],
  ]);
  if (skipped !== undefined) console.log(`PEFT skipped: ${skipped}`);
  else {
    for (const dtype of ['float32', 'bfloat16'] as const) {
      const peer = median(peers[dtype].map((result) => result.seconds));
      const quiet = Math.min(...peers[dtype].map((result) => result.undisturbedSeconds));
      const goal = dtype === 'float32' ? ` (goal: ${times(GOALS.float32)})` : '';
      noteRatio(`speed of a step, against PEFT in ${dtype}`, peer / seconds, { precision: 'float32' });
      console.log(
        `PEFT ${dtype}: ${rate(step.tokens, peer)} (${rate(step.tokens, quiet)} undisturbed, ` +
          `${peers[dtype][0].micro} rows a micro-batch); Coppice is ${times(peer / seconds)} as fast${goal}, ` +
          `in int8 ${times(peer / median(oursInIntegers))}`,
      );
    }
    const apart = Math.abs(peers.float32[0].loss - step.firstLoss);
    console.log(`the losses of the first step differ by ${apart.toExponential(0)}, dropout being drawn differently`);
    const rounding = Math.abs(integers.firstLoss - step.firstLoss);
    console.log(`the loss of the first step in int8 differs from that in float32 by ${rounding.toExponential(0)}`);
  }
}

function memory(): void {
  buildProduct();
  const checkpoint = modelOr(values.model);
  measureStep('LoRA step', checkpoint, randomRows(8, 128, 32_000), '8 × 128 tokens');
  measureStep('in int8', checkpoint, randomRows(8, 128, 32_000), '8 × 128 tokens', ['--precision', 'int8']);
  const large = join(folder, '7b');
  mkdirSync(large);
  const bytes = writeSyntheticCheckpoint(large, LLAMA_7B);
  const what = `16 tokens, ${(bytes / 1e9).toFixed(1)} GB in BF16, goal: ${megabytes(GOALS.large)}`;
  measureStep('7B-shaped', large, randomRows(1, 16, 32_000), what);
}

/** One step of the paper's adapters over one batch. */
function measureStep(
  name: string,
  checkpoint: string,
  rows: readonly number[][],
  remark: string,
  more: readonly string[] = [],
): void {
  const data = join(folder, 'batches.json');
  writeFileSync(data, JSON.stringify({ batches: [{ ids: rows, labels: rows }] }));
  const out = join(folder, `adapter of ${name}`);
  const { peakBytes, seconds } = runBuilt(
    'retrain',
    checkpoint,
    '--data',
    data,
    '--steps',
    '1',
    '--warmup',
    '0',
    '--out',
    out,
    ...more,
  );
  console.log(`${name.padEnd(12)} peak ${megabytes(peakBytes)} in ${seconds.toFixed(1)} s (${remark})`);
}

function rate(tokens: number, seconds: number): string {
  return `${(tokens / seconds).toFixed(0)} tokens/s`;
}
