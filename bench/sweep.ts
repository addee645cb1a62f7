/**
 * Sweep: seconds to score every block by perplexity, against removing each in turn in PyTorch, and against bare products.
 *
 *   npm run bench -- sweep [CHECKPOINT ROWS.json] [--rounds 3] [--threads N] [--no-torch]
 *
 * The subject is SmolLM2-135M with 10 rows of 128 tokens unless named. Coppice computes in float32, from opening the
 * checkpoint to the last score; PyTorch (peers/sweep_torch.py) has its model loaded already, and computes in float32 and in bfloat16.
 * All take turns, so that a change in the machine's mood meets all of them; the medians of the rounds are compared.
 *
 * Operations are counted from the shapes: the Linears of each block application that the sweep cannot do without,
 * N(N+1)/2 for each row, and the head for each target of each variant. Attention, norms and softmax take time but are
 * not counted. The time that onnxruntime's own Gemm would take for the counted ones, measured right before and after each
 * sweep, against the time of the sweep is the share of the matrix-multiply rate.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Architecture } from '../src/engine/checkpoint/architecture';
import { openCheckpoint, requireArchitecture } from '../src/engine/checkpoint/open';
import { elements } from '../src/engine/checkpoint/parameters';
import { blockWeights, outerWeights } from '../src/engine/checkpoint/weight-names';
import { scorePerplexity } from '../src/engine/importance/criteria/ppl';
import { Forward } from '../src/engine/model/forward';
import { HEAD_PIECE } from '../src/engine/model/piece';
import { type Model, openModel } from '../src/engine/model/model';
import { isSkipped, torchSweep, type TorchSweep } from './peers/peer';
import { printMachine } from './support/machine';
import { median } from '../src/engine/median';
import { percent, printFacts, timed, times } from './support/numbers';
import { Products } from './support/products';
import { checkpointOr, rowsFileOr } from './support/subject';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string' },
    torch: { type: 'boolean', default: true },
  },
});
const folder = checkpointOr(positionals[0]);
const rowsFile = rowsFileOr(positionals[1]);
const threads = values.threads === undefined ? undefined : Number(values.threads);
const { rows } = JSON.parse(readFileSync(rowsFile, 'utf8')) as { rows: number[][] };
const architecture = requireArchitecture(await openCheckpoint(folder));

/** Operations that the sweep is made of. */
const flops = countFlops(architecture, rows.length, rows[0].length);

function countFlops(a: Architecture, rowCount: number, length: number): { blocks: number; head: number } {
  const { q, k, v, o, gate, up, down } = blockWeights(a, 0);
  const perToken = [q, k, v, o, gate, up, down].reduce((sum, { shape }) => sum + 2 * elements(shape), 0);
  const applications = (a.layers.length * (a.layers.length + 1)) / 2;
  return {
    blocks: rowCount * length * applications * perToken,
    head: rowCount * (length - 1) * (a.layers.length + 1) * 2 * elements(outerWeights(a).head.shape),
  };
}

async function withModel<T>(use: (model: Model) => Promise<T> | T): Promise<T> {
  const model = await openModel(await openCheckpoint(folder), { device: 'cpu', threads });
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

/** The sweep as `coppice score` does it, from the files to the mean losses. */
const coppice = (): Promise<number[]> =>
  withModel(async (model) => (await scorePerplexity(model, rows, { seed: 1234 })).blocks.map((b) => b.meanNll));

type TorchResult = TorchSweep['results'][number];

/** PyTorch's results by dtype. The batch sizes are chosen in the first round and kept: `known`. */
function torch(dtype: 'float32' | 'bfloat16', known: TorchResult | undefined): TorchResult | string {
  const options = ['--dtype', dtype];
  if (known) options.push('--batch', String(known.batch));
  if (values.threads !== undefined) options.push('--threads', values.threads);
  const outcome = torchSweep(folder, rowsFile, ...options);
  return isSkipped(outcome) ? outcome.skipped : outcome.results[0];
}

const rowsPerRun = await withModel((model) => new Forward(model, rows[0].length).rowsPerChunk);
const tokens = Math.min(rows.length, rowsPerRun) * rows[0].length;
const block = await Products.block(architecture, tokens, threads);
const piece = await Products.headPiece(architecture, Math.min(HEAD_PIECE, architecture.vocabulary), tokens, threads);
/** Seconds that bare products would take for the operations of the sweep, and their rates now. */
async function bareProducts(): Promise<{ seconds: number; blocks: number; head: number }> {
  const [blocks, head] = [await block.rate(), await piece.rate()];
  return { blocks, head, seconds: flops.blocks / blocks + flops.head / head };
}

printMachine();
const total = flops.blocks + flops.head;
const tera = (count: number): string => (count / 1e12).toFixed(2);
console.log(
  `${architecture.layers.length} blocks, ${rows.length} rows of ${rows[0].length} tokens; ` +
    `${tera(total)} TFLOP, of which ${tera(flops.head)} in the head\n`,
);
const gflops = (rate: number): string => `${(rate / 1e9).toFixed(0)} GFLOP/s`;
const sweeps: number[] = [];
const shares: number[] = [];
const bare: { blocks: number; head: number }[] = [];
const peers: Record<'float32' | 'bfloat16', TorchResult[]> = { float32: [], bfloat16: [] };
let skipped = values.torch ? undefined : '--no-torch';
let losses: number[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  const before = await bareProducts();
  const { seconds, result } = await timed(coppice);
  const after = await bareProducts();
  losses = result;
  sweeps.push(seconds);
  bare.push(before, after);
  shares.push((before.seconds + after.seconds) / 2 / seconds);
  const told = [`Coppice ${seconds.toFixed(1)} s (${percent(shares.at(-1)!)} of Gemm)`];
  for (const dtype of ['float32', 'bfloat16'] as const) {
    if (skipped !== undefined) break;
    const outcome = torch(dtype, peers[dtype].at(0));
    if (typeof outcome === 'string') {
      skipped = outcome;
      break;
    }
    peers[dtype].push(outcome);
    told.push(`PyTorch ${dtype} ${outcome.seconds.toFixed(1)} s`);
  }
  console.log(`round ${round + 1}: ${told.join(', ')}`);
}
await block.close();
await piece.close();

const seconds = median(sweeps);
console.log('');
printFacts([
  ['Coppice, float32', `${seconds.toFixed(1)} s, ${gflops(total / seconds)}, head included`],
  [
    'onnxruntime Gemm',
    `${gflops(median(bare.map((b) => b.blocks)))} in the block's products, ${gflops(median(bare.map((b) => b.head)))} in the head's`,
  ],
  ['share of Gemm', `${percent(median(shares))} (goal: 85 %)`],
]);
if (skipped !== undefined) console.log(`PyTorch skipped: ${skipped}`);
else {
  const goals = { float32: ' (goal: 3 ×)', bfloat16: '' };
  for (const dtype of ['float32', 'bfloat16'] as const) {
    const peer = median(peers[dtype].map((result) => result.seconds));
    const quiet = Math.min(...peers[dtype].map((result) => result.undisturbedSeconds));
    const apart = Math.max(...peers[dtype][0].blocks.map((loss, i) => Math.abs(loss - losses[i])));
    console.log(
      `PyTorch ${dtype}: ${peer.toFixed(1)} s (${quiet.toFixed(1)} s undisturbed, batch ${peers[dtype][0].batch}); ` +
        `Coppice is ${times(peer / seconds)} as fast${goals[dtype]}; mean losses differ by ${apart.toExponential(0)} at most`,
    );
  }
}
