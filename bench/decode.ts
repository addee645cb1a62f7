/**
 * Decode: tokens a second of cached decoding in float32, int8 and int4, beside llama.cpp, and how much of the memory's read bandwidth
 * that uses.
 *
 *   npm run bench -- decode [--model PATH] [--rounds 5] [--tokens 64] [--prompt 16] [--threads 1,2]
 *     [--precision float32,int8,int4] [--gguf FILE]
 *
 * All models are open at the same time and take turns. One token reads every weight of the blocks and the head once, in
 * the bytes of the precision; that many bytes × tokens/s is the rate. The bandwidth is what onnxruntime reaches in summing up
 * 1 GB with the same threads, in each round. Choosing the most likely token, the cache and all calls from JavaScript
 * count as decoding. llama.cpp takes part if npm can install node-llama-cpp into a temporary folder, or
 * COPPICE_LLAMA_CPP names a folder that has it; its file is the model itself if that is a GGUF file, else the one of --gguf, else
 * SmolLM2's Q4_1 of the reference material.
 */
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { openCheckpoint, requireArchitecture } from '../src/engine/checkpoint/open';
import { elements } from '../src/engine/checkpoint/parameters';
import { outerWeights } from '../src/engine/checkpoint/weight-names';
import { timedRun } from '../src/engine/evaluate/grid/timed-run';
import { median } from '../src/engine/median';
import { Decoder } from '../src/engine/model/decoder';
import { type Model, openModel } from '../src/engine/model/model';
import { fullView } from '../src/engine/model/view';
import { Graph } from '../src/engine/onnx/graph';
import { reduceSum } from '../src/engine/onnx/ops/reduce';
import { float32, floats, openSession } from '../src/engine/onnx/session';
import type { Precision } from '../src/engine/precision';
import { needOffsets } from '../src/engine/weights/blocks/offsets';
import { bytesOfWeights } from '../src/engine/weights/bytes';
import { llamaCppFolder, ownGguf, startLlamaCpp } from './peers/llama-cpp';
import { isSkipped } from './peers/peer';
import { printMachine } from './support/machine';
import { percent, timed, times } from './support/numbers';
import { MODEL_OPTION, modelOr } from './support/subject';
import { noteRatio } from './support/ratios';

/** 1 GB in rows, which threads share among themselves. */
const ROWS = 1000;
const ROW = 250_000;

const { values } = parseArgs({
  options: {
    ...MODEL_OPTION,
    rounds: { type: 'string', default: '5' },
    tokens: { type: 'string', default: '64' },
    prompt: { type: 'string', default: '16' },
    threads: { type: 'string', default: availableParallelism() === 1 ? '1' : `1,${availableParallelism()}` },
    precision: { type: 'string', default: 'float32,int8,int4' },
    gguf: { type: 'string' },
  },
});
const tokens = Number(values.tokens);
const promptTokens = Number(values.prompt);
const threadCounts = values.threads.split(',').map(Number);

/** What takes turns: a model with some threads. */
interface Subject {
  readonly name: string;
  readonly threads: number;
  /** Bytes of weights that a token reads. */
  readonly bytes: number;
  /** Tokens a second. */
  readonly run: () => Promise<number>;
  readonly close: () => Promise<void> | void;
  readonly speeds: number[];
}

/** All but the embedding, of which a token reads one row. A tied one is the head too. */
async function bytesRead({ architecture, weights }: Model, precision: Precision): Promise<number> {
  const { embed } = outerWeights(architecture);
  const isCounted = precision === 'float32' && !architecture.tied;
  const hasOffsets = precision === 'int4' && (await needOffsets(weights));
  return bytesOfWeights(architecture, precision, hasOffsets) - (isCounted ? 4 * elements(embed.shape) : 0);
}

/** Bytes a second, with the most of some sums: whatever disturbs one only makes it slower. */
async function reading(
  threads: number,
): Promise<{ readonly run: () => Promise<number>; readonly close: () => Promise<void> }> {
  const g = new Graph();
  g.output('sums', reduceSum(g, g.input('x', 'float32', [ROWS, ROW]), [1]));
  const session = await openSession(g.serialize(), { provider: 'cpu', threads });
  const run = async (): Promise<number> => {
    let least = Infinity;
    for (let i = 0; i < 3; i++) {
      const { seconds, result } = await timed(() => session.run({ x: ones }));
      if (!floats(result.sums).every((sum) => sum === ROW)) throw new Error('the sums are wrong');
      least = Math.min(least, seconds);
    }
    return (4 * ROWS * ROW) / least;
  };
  return { run, close: () => session.close() };
}

printMachine();
const ones = float32(new Float32Array(ROWS * ROW).fill(1), [ROWS, ROW]);
const checkpoint = await openCheckpoint(modelOr(values.model));
const architecture = requireArchitecture(checkpoint);
const prompt = Array.from({ length: promptTokens }, (_, i) => (i * 7919) % architecture.vocabulary);

const subjects: Subject[] = [];
for (const precision of values.precision.split(',') as Precision[]) {
  for (const threads of threadCounts) {
    const model = await openModel(checkpoint, { device: 'cpu', threads, precision });
    const decoder = await Decoder.open(model, fullView(architecture.layers.length), promptTokens + tokens + 1);
    subjects.push({
      name: `Coppice, ${precision}`,
      threads,
      bytes: await bytesRead(model, precision),
      run: async () => 1 / (await timedRun(model, decoder, { prompts: [prompt], newTokens: tokens + 1 })).laterSeconds!,
      close: async () => {
        await decoder.close();
        await model.close();
      },
      speeds: [],
    });
  }
}

const peer = await addLlamaCpp();
const readers = new Map(await Promise.all(threadCounts.map(async (n) => [n, await reading(n)] as const)));
const rates = new Map(threadCounts.map((threads) => [threads, [] as number[]]));
try {
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const [threads, reader] of readers) rates.get(threads)!.push(await reader.run());
    for (const subject of subjects) {
      const speed = await subject.run();
      if (round > 0) subject.speeds.push(speed); // the first one warms up
    }
  }
} finally {
  for (const subject of subjects) await subject.close();
  for (const reader of readers.values()) await reader.close();
  peer();
}

console.log('\n                      threads  MB a token  tokens/s  GB/s  of reading memory');
for (const { name, threads, bytes, speeds } of subjects) {
  const rate = bytes * median(speeds);
  const cells = [threads, (bytes / 1e6).toFixed(0), median(speeds).toFixed(1), (rate / 1e9).toFixed(1)];
  const [t, mb, speed, gb] = cells.map(String);
  noteRatio(
    `bytes a second of weights, against reading memory, ${name}, ${threads} threads`,
    rate / median(rates.get(threads)!),
  );
  const share = percent(rate / median(rates.get(threads)!));
  console.log(
    `${name.padEnd(20)}  ${t.padStart(7)}  ${mb.padStart(10)}  ${speed.padStart(8)}  ${gb.padStart(4)}  ${share}`,
  );
}
for (const [threads, all] of rates) {
  console.log(`memory, ${threads} threads: ${(median(all) / 1e9).toFixed(1)} GB/s in a sum over 1 GB`);
}
const best = (name: string): number =>
  Math.max(...subjects.filter((s) => s.name === name).map((s) => median(s.speeds)));
const [ours, theirs] = [best('Coppice, int4'), best('llama.cpp')];
if (ours > 0 && theirs > 0) {
  noteRatio('tokens a second, against llama.cpp', ours / theirs, { precision: 'int4' });
  console.log(`int4 against llama.cpp, each with its best threads: ${times(ours / theirs)}`);
}

/** @returns what removes its folder */
async function addLlamaCpp(): Promise<() => void> {
  const file = values.gguf ?? ownGguf(values.model);
  if (file === undefined) {
    console.log('llama.cpp: skipped, name a file with --gguf');
    return () => undefined;
  }
  const installed = llamaCppFolder();
  if (isSkipped(installed)) {
    console.log(`llama.cpp: skipped, ${installed.skipped}`);
    return () => undefined;
  }
  for (const threads of threadCounts) {
    const { run, close } = await startLlamaCpp(installed.folder, file, { threads, tokens, prompt });
    subjects.push({ name: 'llama.cpp', threads, bytes: statSync(file).size, run, close, speeds: [] });
  }
  return installed.remove;
}
