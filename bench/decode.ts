/**
 * Decode: how much of the memory's read bandwidth cached decoding uses.
 *
 *   npm run bench -- decode [CHECKPOINT] [--rounds 5] [--tokens 64] [--threads N]
 *
 * One token reads every weight of the blocks and the head once, as float32, whatever the file holds; that many bytes × tokens/s
 * of `generate` is the rate. The bandwidth is what onnxruntime reaches in summing up 1 GB with the same threads, right before and
 * right after each text. Sampling, the cache and all calls from JavaScript count as decoding.
 */
import { parseArgs } from 'node:util';
import { openCheckpoint, requireArchitecture } from '../src/engine/checkpoint/open';
import { elements, parametersOf } from '../src/engine/checkpoint/parameters';
import { outerWeights } from '../src/engine/checkpoint/weight-names';
import { generate } from '../src/engine/evaluate/generate';
import { Graph } from '../src/engine/onnx/graph';
import { reduceSum } from '../src/engine/onnx/ops/reduce';
import { float32, floats, openSession } from '../src/engine/onnx/session';
import { openModel } from '../src/engine/model/model';
import { printMachine } from './support/machine';
import { median } from '../src/engine/median';
import { percent, printFacts, timed } from './support/numbers';
import { checkpointOr } from './support/subject';

/** 1 GB in rows, which threads share among themselves. */
const ROWS = 1000;
const ROW = 250_000;
const SUMS = 5;
const PROMPT = 16;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    tokens: { type: 'string', default: '64' },
    threads: { type: 'string' },
  },
});
const threads = values.threads === undefined ? undefined : Number(values.threads);
const checkpoint = await openCheckpoint(checkpointOr(positionals[0]));
const architecture = requireArchitecture(checkpoint);

const g = new Graph();
g.output('sums', reduceSum(g, g.input('x', 'float32', [ROWS, ROW]), [1]));
const reader = await openSession(g.serialize(), { provider: 'cpu', threads });
const ones = float32(new Float32Array(ROWS * ROW).fill(1), [ROWS, ROW]);

/** Bytes a second: the fastest of some sums, for whatever disturbs one only makes it slower. */
async function bandwidth(): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < SUMS; i++) {
    const { seconds, result } = await timed(() => reader.run({ x: ones }));
    if (!floats(result.sums).every((sum) => sum === ROW)) throw new Error('the sums are wrong');
    least = Math.min(least, seconds);
  }
  return (4 * ROWS * ROW) / least;
}

/** Parameters that every token reads: all but the embedding, of which it reads one row. A tied one is the head too. */
const { embed } = outerWeights(architecture);
const held = 4 * (parametersOf(architecture) - (architecture.tied ? 0 : elements(embed.shape)));
const prompt = Array.from({ length: PROMPT }, (_, i) => (i * 7919) % architecture.vocabulary);
const gigabytes = (rate: number): string => `${(rate / 1e9).toFixed(1)} GB/s`;

printMachine();
const model = await openModel(checkpoint, { device: 'cpu', threads });
const speeds: number[] = [];
const readings: number[] = [];
const shares: number[] = [];
try {
  for (let round = 0; round < Number(values.rounds); round++) {
    const before = await bandwidth();
    const options = { maxNewTokens: Number(values.tokens), greedy: true, ignoreEos: true };
    const { decodeTokensPerSecond } = await generate(model, prompt, options);
    const after = await bandwidth();
    speeds.push(decodeTokensPerSecond);
    readings.push(before, after);
    shares.push((held * decodeTokensPerSecond) / ((before + after) / 2));
    console.log(
      `round ${round + 1}: ${decodeTokensPerSecond.toFixed(1)} tokens/s, ${gigabytes(held * decodeTokensPerSecond)}; ` +
        `memory ${gigabytes(before)} before, ${gigabytes(after)} after`,
    );
  }
} finally {
  await model.close();
  await reader.close();
}

console.log('');
printFacts([
  ['weights read', `${(held / 1e6).toFixed(0)} MB a token`],
  ['decode', `${median(speeds).toFixed(1)} tokens/s, ${gigabytes(held * median(speeds))}`],
  ['memory', `${gigabytes(median(readings))} in a sum over 1 GB`],
  ['share of memory', `${percent(median(shares))} (goal: 80 %)`],
]);
