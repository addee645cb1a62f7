/**
 * Sweep: seconds to score every block by perplexity, exactly and behind a screen in int8, against removing each in turn in PyTorch.
 *
 *   npm run bench -- sweep [--model PATH] [--rows ROWS.json] [--rounds 3] [--exact 6] [--threads N] [--no-torch]
 *   npm run bench -- sweep --like-7b BLOCKS [--of 32]
 *
 * The subject is SmolLM2-135M-Instruct with 10 rows of 128 tokens unless named; `--like-7b` makes one with random numbers in the shapes of
 * LLaMA-7B, of a few blocks, sweeps all of them and half of them, and extrapolates to the blocks of the whole model: opening
 * takes a time for each weight, computing one for each counted operation, and two sweeps tell both. Coppice computes in float32,
 * behind a screen (`auto`: a third of the blocks exact; with `--exact`, that many, also in a race; not with `--like-7b`), and in int8 alone, each
 * from opening the checkpoint to the last score;
 * PyTorch (peers/sweep_torch.py) has its model loaded already, and computes in float32 and in bfloat16. All take turns, so that a
 * change in the machine's mood meets all of them; the medians of the rounds are compared.
 *
 * Operations are counted from the shapes: the Linears of each block application that the sweep cannot do without,
 * N(N+1)/2 for each row, and the head for each target of each variant. Attention, norms and softmax take time but are
 * not counted. The time that onnxruntime's own product (Gemm; MatMulIntegerToFloat) would take for the counted ones, measured right
 * before and after each sweep, against the time of the sweep is the share of the matrix-multiply rate.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Architecture, linearNames } from '../src/engine/checkpoint/architecture';
import { openCheckpoint, requireArchitecture } from '../src/engine/checkpoint/open';
import { elements } from '../src/engine/checkpoint/parameters';
import { blockWeights, outerWeights } from '../src/engine/checkpoint/weight-names';
import { scoreBlocks } from '../src/engine/importance/criteria/ppl';
import { DEFAULT_CONFIDENCE } from '../src/engine/importance/race';
import { median } from '../src/engine/median';
import { Forward } from '../src/engine/model/forward';
import { viewWithout } from '../src/engine/model/view';
import { type Model, openModel } from '../src/engine/model/model';
import { HEAD_PIECE } from '../src/engine/model/piece';
import { Random } from '../src/engine/random';
import { inSpreadRowInt8 } from '../src/engine/weights/row-int8';
import { isSkipped, torchSweep, type TorchSweep } from './peers/peer';
import { printMachine } from './support/machine';
import { percent, printFacts, timed, times } from './support/numbers';
import { Products } from './support/products';
import { MODEL_OPTION, modelOr, rowsFileOr } from './support/subject';
import { fillWithRandom, LLAMA_7B, writeSyntheticCheckpoint } from './support/synthetic';
import { noteRatio } from './support/ratios';

const { values } = parseArgs({
  allowNegative: true,
  options: {
    ...MODEL_OPTION,
    rows: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    exact: { type: 'string', default: '6' },
    threads: { type: 'string' },
    torch: { type: 'boolean', default: true },
    'like-7b': { type: 'string' },
    of: { type: 'string', default: '32' },
  },
});

const ROWS = 10;
const LENGTH = 128;

const made = values['like-7b'] === undefined ? undefined : makeLike7b(Number(values['like-7b']));
const folder = made?.folder ?? modelOr(values.model);
const rowsFile = made?.rowsFile ?? (await rowsFileOr(values.rows, values.model));
const threads = values.threads === undefined ? undefined : Number(values.threads);
const { rows } = JSON.parse(readFileSync(rowsFile, 'utf8')) as { rows: number[][] };
const architecture = requireArchitecture(await openCheckpoint(folder));

/** A checkpoint of some blocks in the shapes of LLaMA-7B, and rows for it. */
function makeLike7b(blocks: number): { readonly folder: string; readonly rowsFile: string } {
  const random = new Random(1);
  const path = mkdtempSync(join(tmpdir(), 'coppice-bench-7b-'));
  process.on('exit', () => rmSync(path, { recursive: true, force: true }));
  writeSyntheticCheckpoint(path, { ...LLAMA_7B, num_hidden_layers: blocks });
  fillWithRandom(path);
  const ids = Array.from({ length: ROWS }, () =>
    Array.from({ length: LENGTH }, () => random.below(LLAMA_7B.vocab_size)),
  );
  const file = join(path, 'rows.json');
  writeFileSync(file, JSON.stringify({ rows: ids }));
  return { folder: path, rowsFile: file };
}

interface Flops {
  readonly blocks: number;
  readonly head: number;
}

/** Numbers in the Linears of a block. */
function elementsOfBlock(a: Architecture): number {
  const weights = blockWeights(a, 0);
  return linearNames(a).reduce((sum, name) => sum + elements(weights[name]!.shape), 0);
}

/**
 * Operations of a sweep over `candidates`, of which a variant each passes the blocks behind it and the head; and of the model.
 * @param count blocks of the model
 */
function countFlops(a: Architecture, count: number, candidates: readonly number[]): Flops {
  const applications = candidates.reduce((sum, block) => sum + count - 1 - block, count);
  const targets = rows.length * (rows[0].length - 1);
  return {
    blocks: rows.length * rows[0].length * applications * 2 * elementsOfBlock(a),
    head: targets * (candidates.length + 1) * 2 * elements(outerWeights(a).head.shape),
  };
}

const sum = ({ blocks, head }: Flops): number => blocks + head;
const allOf = (count: number): number[] => Array.from({ length: count }, (_, block) => block);
const all = countFlops(architecture, architecture.layers.length, allOf(architecture.layers.length));

async function withModel<T>(use: (model: Model) => Promise<T> | T): Promise<T> {
  const model = await openModel(await openCheckpoint(folder), { device: 'cpu', threads });
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

interface Outcome {
  readonly seconds: number;
  readonly losses: readonly number[];
  readonly order: readonly number[];
  /** Blocks that were computed in float32, and the margin of the others in nats. */
  readonly confirmed: readonly number[];
  readonly margin?: number;
}

/** A way to score: from the files to the scores, as `coppice score` does it. */
interface Way {
  readonly name: string;
  readonly arithmetic: 'float32' | 'int8' | 'screened';
  readonly exact?: number;
  /** Blocks that are out of the question are measured on fewer rows. */
  readonly race?: boolean;
  /** How many of the first blocks; all when undefined. */
  readonly blocks?: number;
}

const exact = Number(values.exact);
const half = architecture.layers.length >> 1;
/** A screen of random numbers says nothing about how much must be confirmed, so it is left out for them. */
const WAYS: readonly Way[] = made
  ? [
      { name: 'float32', arithmetic: 'float32' },
      { name: 'int8', arithmetic: 'int8' },
      { name: 'float32, half of the blocks', arithmetic: 'float32', blocks: half },
      { name: 'int8, half of the blocks', arithmetic: 'int8', blocks: half },
    ]
  : [
      { name: 'float32', arithmetic: 'float32' },
      { name: 'screened, a third exact', arithmetic: 'screened' },
      { name: `screened, ${exact} exact`, arithmetic: 'screened', exact },
      { name: `screened and raced, ${exact} exact`, arithmetic: 'screened', exact, race: true },
      { name: 'int8', arithmetic: 'int8' },
    ];

async function coppice({ arithmetic, exact: count, race: isRaced, blocks }: Way): Promise<Outcome> {
  const left = blocks === undefined ? [] : allOf(architecture.layers.length).slice(blocks);
  const view = viewWithout(
    architecture.layers.length,
    left.map((block) => ({ block })),
  );
  const race = isRaced ? { race: { confidence: DEFAULT_CONFIDENCE, exact: count } } : {};
  const { seconds, result } = await timed(() =>
    withModel(async (model) => {
      if (arithmetic === 'float32') return scoreBlocks(model, rows, { seed: 1234, view });
      const rounded = model.beside((await inSpreadRowInt8(model.weights, threads))!);
      try {
        return await (arithmetic === 'int8'
          ? scoreBlocks(rounded, rows, { seed: 1234, view })
          : scoreBlocks(model, rows, { seed: 1234, ...race, screening: { model: rounded, exact: count } }));
      } finally {
        await rounded.close();
      }
    }),
  );
  return {
    seconds,
    losses: result.blocks.map(({ meanNll }) => meanNll),
    order: result.order,
    confirmed: result.blocks.filter(({ precision }) => precision === 'float32').map(({ index }) => index),
    margin: result.screen?.margin,
  };
}

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
const words = Math.min(HEAD_PIECE, architecture.vocabulary);
const products = {
  float32: [
    await Products.block(architecture, tokens, threads),
    await Products.headPiece(architecture, words, tokens, threads),
  ],
  int8: [
    await Products.integerBlock(architecture, tokens, threads),
    await Products.integerHeadPiece(architecture, words, tokens, threads),
  ],
} as const;

/** Rates of bare products now, in operations a second. */
async function bareRates(precision: 'float32' | 'int8'): Promise<Flops> {
  const [block, head] = products[precision];
  return { blocks: await block.rate(), head: await head.rate() };
}

const secondsAt = (flops: Flops, rates: Flops): number => flops.blocks / rates.blocks + flops.head / rates.head;

printMachine();
const tera = (count: number): string => (count / 1e12).toFixed(2);
console.log(
  `${architecture.layers.length} blocks, ${rows.length} rows of ${rows[0].length} tokens; ` +
    `${tera(sum(all))} TFLOP, of which ${tera(all.head)} in the head\n`,
);
const gflops = (rate: number): string => `${(rate / 1e9).toFixed(0)} GFLOP/s`;
const outcomes = new Map<string, Outcome[]>(WAYS.map(({ name }) => [name, []]));
const shares: Record<'float32' | 'int8', number[]> = { float32: [], int8: [] };
const bare: Record<'float32' | 'int8', Flops[]> = { float32: [], int8: [] };
const peers: Record<'float32' | 'bfloat16', TorchResult[]> = { float32: [], bfloat16: [] };
let skipped = values.torch ? undefined : '--no-torch';
for (let round = 0; round < Number(values.rounds); round++) {
  const told: string[] = [];
  for (const way of WAYS) {
    const { arithmetic } = way;
    const before = arithmetic === 'screened' || way.blocks !== undefined ? undefined : await bareRates(arithmetic);
    const outcome = await coppice(way);
    outcomes.get(way.name)!.push(outcome);
    told.push(`${way.name} ${outcome.seconds.toFixed(1)} s`);
    if (arithmetic === 'screened' || !before) continue; // rates are measured around whole sweeps of one arithmetic
    const after = await bareRates(arithmetic);
    bare[arithmetic].push(before, after);
    shares[arithmetic].push((secondsAt(all, before) + secondsAt(all, after)) / 2 / outcome.seconds);
  }
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
for (const pair of Object.values(products)) for (const each of pair) await each.close();

const secondsOf = (name: string): number => median(outcomes.get(name)!.map(({ seconds }) => seconds));
const reference = outcomes.get('float32')!.at(-1)!;
const seconds = secondsOf('float32');
for (const precision of ['float32', 'int8'] as const) {
  noteRatio('rate of a sweep, against bare products of its size', median(shares[precision]), { precision });
}
for (const { name } of WAYS.filter((way) => way.name !== 'float32' && way.blocks === undefined)) {
  noteRatio('speed of a sweep, against float32', seconds / secondsOf(name), { precision: name });
}
console.log('');
printFacts([
  ['float32', `${seconds.toFixed(1)} s, ${gflops(sum(all) / seconds)}, head included`],
  ...(['float32', 'int8'] as const).map((precision): [string, string] => {
    const median2 = (part: keyof Flops): string => gflops(median(bare[precision].map((each) => each[part])));
    return [
      `bare ${precision}`,
      `${median2('blocks')} in the block's products, ${median2('head')} in the head's; ` +
        `the sweep runs at ${percent(median(shares[precision]))} of that`,
    ];
  }),
  ...WAYS.filter(({ name, blocks }) => name !== 'float32' && blocks === undefined).map(({ name }): [string, string] => {
    const { losses, order, confirmed, margin } = outcomes.get(name)!.at(-1)!;
    const apart = Math.max(...losses.map((loss, block) => Math.abs(loss - reference.losses[block])));
    const exactApart = Math.max(0, ...confirmed.map((block) => Math.abs(losses[block] - reference.losses[block])));
    const sorted = (blocks: readonly number[]): string =>
      blocks
        .slice(0, exact)
        .sort((a, b) => a - b)
        .join(' ');
    const same = sorted(order) === sorted(reference.order) ? 'the same' : 'not the same';
    return [
      name,
      `${secondsOf(name).toFixed(1)} s, ${times(seconds / secondsOf(name))} as fast as float32; ${same} first ${exact} blocks` +
        (confirmed.length > 0 ? `; ${confirmed.length} confirmed, off by ${exactApart.toExponential(0)} at most` : '') +
        `; others off by ${apart.toPrecision(2)} at most${margin === undefined ? '' : `, margin ${margin.toPrecision(2)}`}`,
    ];
  }),
]);
if (skipped !== undefined) console.log(`PyTorch skipped: ${skipped}`);
else {
  for (const dtype of ['float32', 'bfloat16'] as const) {
    const peer = median(peers[dtype].map((result) => result.seconds));
    const quiet = Math.min(...peers[dtype].map((result) => result.undisturbedSeconds));
    const apart = Math.max(...peers[dtype][0].blocks.map((loss, i) => Math.abs(loss - reference.losses[i])));
    const ratios = WAYS.filter(({ blocks }) => blocks === undefined).map(
      ({ name }) => `${name} ${times(peer / secondsOf(name))}`,
    );
    for (const { name } of WAYS.filter(({ blocks }) => blocks === undefined)) {
      noteRatio(`speed of a sweep, against PyTorch in ${dtype}`, peer / secondsOf(name), { precision: name });
    }
    console.log(
      `PyTorch ${dtype}: ${peer.toFixed(1)} s (${quiet.toFixed(1)} s undisturbed, batch ${peers[dtype][0].batch}); ` +
        `as fast as that: ${ratios.join(', ')}; mean losses differ by ${apart.toExponential(0)} at most`,
    );
  }
}
if (made) {
  const count = Number(values.of);
  const headElements = elements(outerWeights(architecture).head.shape);
  const weightsOf = (blocks: number): number => blocks * elementsOfBlock(architecture) + headElements;
  const halfOf = countFlops(architecture, half, allOf(half));
  /** Seconds to open a weight and for an operation, from the sweeps of all blocks and of half of them. */
  const costs = (arithmetic: 'float32' | 'int8'): { readonly weight: number; readonly flop: number } => {
    const [whole, part] = [secondsOf(arithmetic), secondsOf(`${arithmetic}, half of the blocks`)];
    const [weights, fewer] = [weightsOf(architecture.layers.length), weightsOf(half)];
    const flop = (whole * fewer - part * weights) / (sum(all) * fewer - sum(halfOf) * weights);
    return { weight: (whole - flop * sum(all)) / weights, flop };
  };
  const minutes = ({ weight, flop }: ReturnType<typeof costs>, candidates: readonly number[]): number =>
    (weight * weightsOf(count) + flop * sum(countFlops(architecture, count, candidates))) / 60;
  const [float32, int8] = [costs('float32'), costs('int8')];
  console.log('');
  for (const [name, cost] of Object.entries({ float32, int8 })) {
    const whole = minutes(cost, allOf(count)).toFixed(1);
    console.log(
      `${name}: ${(cost.weight * 1e9).toFixed(1)} ns to open a weight, ${gflops(1 / cost.flop)} then; ` +
        `extrapolated to ${count} blocks: ${whole} min`,
    );
  }
  // Random numbers do not tell which blocks are chosen.
  const sets = {
    'a third of the blocks, evenly spread,': allOf(count).filter((block) => block % 3 === 1),
    [`the last ${exact} blocks but two`]: allOf(count - 2).slice(-exact),
  };
  for (const [name, set] of Object.entries(sets)) {
    const confirming = minutes(float32, set);
    const together = confirming + minutes(int8, allOf(count));
    console.log(`${name} exact in ${confirming.toFixed(1)} min, with the screen ${together.toFixed(1)} min`);
  }
}
