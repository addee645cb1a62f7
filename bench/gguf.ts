/**
 * GGUF: what quantized blocks cost, read and written, and a score from a GGUF file beside one from safetensors.
 *
 *   npm run bench -- gguf [--model FILE.gguf [--beside CHECKPOINT]] [--rounds 5] [--ggml libggml-base.so]
 *
 * CHECKPOINT is the same model as safetensors; unless it is named it is written into a temporary folder, with weights in float32.
 * Without FILE only blocks and products are measured. Medians of the rounds, which take turns. The products are MatMulNBits on one thread: with zero points that are integers, and with ones in float32, which
 * Q4_1 would need to be exact. With ggml's library (@node-llama-cpp/linux-x64 has one) and Python it quantizes the same numbers, on one
 * thread, each type right after Coppice.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openCheckpoint } from '../src/engine/checkpoint/open';
import type { Checkpoint } from '../src/engine/checkpoint/types';
import { BLOCK_TYPES } from '../src/engine/formats/dtype';
import { dequantize } from '../src/engine/formats/gguf/dequantize';
import { quantizeK } from '../src/engine/formats/gguf/k-quants/quantize';
import { isKQuant, isQuantized, quantize } from '../src/engine/formats/gguf/quantize';
import { TENSOR_TYPES_BY_NAME } from '../src/engine/formats/gguf/types';
import { scoreBlocks } from '../src/engine/importance/criteria/ppl';
import { openModel } from '../src/engine/model/model';
import { Graph, type Value } from '../src/engine/onnx/graph';
import { float32, openSession } from '../src/engine/onnx/session';
import { Random } from '../src/engine/random';
import { buildProduct, runBuilt } from './support/built';
import { printMachine } from './support/machine';
import { printFacts, timed, times } from './support/numbers';
import { randomRows } from './support/rows';
import { MODEL_OPTION, modelOr } from './support/subject';
import { noteRatio } from './support/ratios';

const { values } = parseArgs({
  options: {
    ...MODEL_OPTION,
    beside: { type: 'string' },
    ggml: { type: 'string' },
    rounds: { type: 'string', default: '5' },
  },
});
const rounds = Number(values.rounds);
const NUMBERS = 2 ** 22;
const random = new Random(20);

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1];

async function medianOf(work: () => unknown): Promise<number> {
  const seconds: number[] = [];
  for (let i = 0; i <= rounds; i++) seconds.push((await timed(() => Promise.resolve(work()))).seconds);
  return median(seconds.slice(1)); // the first one warms up
}

const nanoseconds = (seconds: number): string => `${((1e9 * seconds) / NUMBERS).toFixed(2)} ns a number`;

/** Numbers that are neither all alike nor extreme, and the importance of the columns of their rows. */
const numbers = Float32Array.from({ length: NUMBERS }, () => random.uniform() - 0.5);
const importance = Float32Array.from({ length: 1024 }, () => Math.exp(4 * random.uniform()));

async function blocks(): Promise<void> {
  console.log('\nblocks, one thread of TypeScript');
  const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-'));
  const [file, columns] = ['numbers.f32', 'importance.f32'].map((name) => join(folder, name));
  writeFileSync(file, new Uint8Array(numbers.buffer));
  writeFileSync(columns, new Uint8Array(importance.buffer));
  const facts: [string, string][] = [];
  for (const type of BLOCK_TYPES) {
    const { blockElements, blockBytes } = TENSOR_TYPES_BY_NAME.get(type)!;
    const bytes = Uint8Array.from({ length: (NUMBERS / blockElements) * blockBytes }, () => random.uniform() * 64);
    const into = new Float32Array(NUMBERS);
    const read = nanoseconds(await medianOf(() => dequantize(bytes, type, into)));
    facts.push([type, `read ${read}`]);
    if (!isQuantized(type)) continue;
    const theirs = ggmlSeconds(type, file, columns);
    const alike = await medianOf(() => quantize(numbers, type, bytes));
    const scalar = isKQuant(type) ? await medianOf(() => quantizeK(numbers, type, bytes, { lanes: null })) : undefined;
    if (scalar !== undefined) noteRatio(`seconds to write ${type}, against without vectors`, alike / scalar);
    const inTurn = scalar === undefined ? '' : `, without vectors ${nanoseconds(scalar)}`;
    facts.push(['', `written ${nanoseconds(alike)}${inTurn}${besideGgml(alike, theirs?.alike)}`]);
    if (type === 'Q8_0') continue; // it has no search
    const weighed = await medianOf(() => quantize(numbers, type, bytes, importance));
    facts.push(['', `by importance ${nanoseconds(weighed)}${besideGgml(weighed, theirs?.weighed)}`]);
  }
  rmSync(folder, { recursive: true });
  printFacts(facts);
}

interface GgmlSeconds {
  readonly alike: number;
  readonly weighed: number;
}

/** ggml's own times for the same numbers; undefined without its library. */
function ggmlSeconds(type: string, file: string, columns: string): GgmlSeconds | undefined {
  if (values.ggml === undefined) return undefined;
  const { number } = TENSOR_TYPES_BY_NAME.get(type)!;
  const script = join(import.meta.dirname, 'peers/ggml_quantize.py');
  const found = execFileSync('python3', [script, values.ggml, file, columns, String(rounds), `${type}=${number}`], {
    encoding: 'utf8',
  });
  return (JSON.parse(found) as Record<string, GgmlSeconds>)[type];
}

const besideGgml = (seconds: number, theirs: number | undefined): string =>
  theirs === undefined ? '' : `, ggml ${nanoseconds(theirs)}: ${times(theirs / seconds)} as fast`;

const [WIDTH, OUT, BLOCK] = [1536, 6144, 32];

async function product(bits: 4 | 8, zeros: 'integers' | 'float32', level: 0 | 4): Promise<number> {
  const perRow = WIDTH / BLOCK;
  const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => random.uniform() * 256);
  const floats = (count: number): Float32Array => Float32Array.from({ length: count }, () => random.uniform() / 100);
  return run((g, x) => {
    const matrix = g.bytes('uint8', bytes((OUT * WIDTH * bits) / 8), [OUT, perRow, (BLOCK * bits) / 8]);
    const scales = g.floats(floats(OUT * perRow), [OUT * perRow]);
    const points =
      zeros === 'integers'
        ? g.bytes('uint8', bytes((OUT * perRow * bits) / 8), [(OUT * perRow * bits) / 8])
        : g.floats(floats(OUT * perRow), [OUT, perRow]);
    const attributes = { K: WIDTH, N: OUT, bits, block_size: BLOCK, accuracy_level: level };
    return g.contribOp(
      'MatMulNBits',
      [x, matrix, scales, points],
      { type: 'float32', shape: ['tokens', OUT] },
      attributes,
    );
  });
}

/** Seconds of one token through a product, on one thread. */
async function run(build: (g: Graph, x: Value) => Value): Promise<number> {
  const g = new Graph();
  g.output('y', build(g, g.input('x', 'float32', ['tokens', WIDTH])));
  const session = await openSession(g.serialize(), { provider: 'cpu', threads: 1, prepack: true });
  const feed = {
    x: float32(
      Float32Array.from({ length: WIDTH }, () => random.uniform()),
      [1, WIDTH],
    ),
  };
  const seconds = await medianOf(() => session.run(feed));
  await session.close();
  return seconds;
}

async function products(): Promise<void> {
  console.log(`\none token through ${WIDTH} x ${OUT}, one thread`);
  const weight = Float32Array.from({ length: WIDTH * OUT }, () => random.uniform() / 100);
  const plain = await run((g, x) =>
    g.op('Gemm', [x, g.floats(weight, [OUT, WIDTH])], { type: 'float32', shape: ['tokens', OUT] }, { transB: 1 }),
  );
  const facts: [string, string][] = [['float32', `${(1000 * plain).toFixed(2)} ms`]];
  for (const [bits, zeros, level] of [
    [4, 'integers', 4],
    [4, 'integers', 0],
    [4, 'float32', 0],
    [8, 'integers', 4],
    [8, 'integers', 0],
  ] as const) {
    const seconds = await product(bits, zeros, level);
    const inputs = level === 4 ? 'inputs in 8 bits' : 'inputs in float32';
    noteRatio(
      `seconds of a token through a product, zero points ${zeros}, ${inputs}, against float32`,
      seconds / plain,
      {
        precision: `int${bits}`,
      },
    );
    facts.push([`${bits} bits, zero points ${zeros}, ${inputs}`, `${(1000 * seconds).toFixed(2)} ms`]);
  }
  printFacts(facts);
}

async function sweep(files: readonly [gguf: string, other: string]): Promise<void> {
  console.log('\nscoring every block by perplexity, 4 x 128 tokens, float32');
  const checkpoints: Checkpoint[] = [];
  for (const file of files) checkpoints.push(await openCheckpoint(file));
  const rows = randomRows(4, 128, checkpoints[0].architecture!.vocabulary);
  const seconds: number[][] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const [i, checkpoint] of checkpoints.entries()) {
      const model = await openModel(checkpoint, { device: 'cpu' });
      seconds[i].push((await timed(() => scoreBlocks(model, rows, { seed: 1 }))).seconds);
      await model.close();
    }
  }
  const [gguf, other] = seconds.map(median);
  noteRatio('seconds of a score from a GGUF file, against safetensors', gguf / other);
  printFacts([
    ['GGUF', `${gguf.toFixed(1)} s`],
    ['safetensors', `${other.toFixed(1)} s`],
    ['GGUF takes', times(gguf / other)],
  ]);
}

printMachine();
await blocks();
await products();
if (values.model !== undefined) await sweepBoth(modelOr(values.model), values.beside);

async function sweepBoth(gguf: string, beside: string | undefined): Promise<void> {
  if (beside !== undefined) return sweep([gguf, beside]);
  const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-'));
  try {
    const widened = join(folder, 'widened');
    buildProduct();
    runBuilt('export', gguf, '--format', 'safetensors', '--no-verify', '--out', widened);
    await sweep([gguf, widened]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
