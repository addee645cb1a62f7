/**
 * Tries an execution provider in a separate process, because a driver may print anything, hang, or crash its process.
 *
 * The timed product is a chain E·Eᵀ·Eᵀ·… of an n × n matrix E whose entries are all u / n. The result is therefore
 * known: every entry is uᵏ / n. The only feed is one number, so no transfer is timed. u = 1 + 2⁻¹² reveals a device
 * that computes in half precision or TF32, because u rounds to 1 there.
 */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { Graph, type Value } from './graph';
import { linear } from './ops/linear';
import { reduceSum } from './ops/reduce';
import { cast, lastRow } from './ops/shapes';
import { systemReason } from '../system-failure';
import { onnxruntimeFile, type Provider } from './session';
import { usualThreads } from './threads';

export interface Trial {
  readonly provider: Provider;
  /** Speed of a float32 matrix product, in GFLOP/s. */
  readonly gflops?: number;
  /** Why it cannot be used. */
  readonly error?: string;
}

/** Products in one run. */
const CHAIN = 4;
/** Sizes n of the n × n matrices, tried until a run takes long enough to be timed. */
const SIZES = [256, 512, 1024, 2048];
const LONG_ENOUGH_MS = 15;
/**
 * Time limit for a GPU to load, compile its programs and answer, for `auto` to consider it. A real GPU needs a fraction
 * of it; one that is emulated in software needs several times as much.
 */
const PATIENCE_MS = 3000;
/** The limit for a device that was asked for by name, even on a busy machine. */
const GREAT_PATIENCE_MS = 60_000;
const DEVIATION = 2 ** -12;

/** Maximum number of shown characters of a driver's output. */
const MAX_ERROR = 300;

/** Times a product on `provider`. */
export function timeProvider(provider: Provider, threads?: number): Promise<Trial> {
  return tryProvider({
    provider,
    sizes: SIZES,
    threads: threads ?? usualThreads(),
    patience: provider === 'cpu' ? GREAT_PATIENCE_MS : PATIENCE_MS,
  });
}

/** Only opens a session on `provider`. The provider works when the result has no `error`. */
export function findProvider(provider: Provider): Promise<Trial> {
  return tryProvider({ provider, sizes: [], patience: GREAT_PATIENCE_MS });
}

/** Feeds "v" = u / n (1) and "shape" (2); fetch "sum" (1): Σ of the product's last row, u^(CHAIN + 1). */
function chainGraph(): Uint8Array {
  const g = new Graph();
  const v = g.input('v', 'float32', [1]);
  const shape = g.input('shape', 'int64', [2]);
  const matrix = g.op('Expand', [v, shape], { type: 'float32', shape: ['n', 'n'] });
  let product: Value = matrix;
  for (let i = 0; i < CHAIN; i++) product = linear(g, product, matrix);
  g.output('sum', reduceSum(g, lastRow(g, product), [1]));
  return g.serialize().bytes;
}

/**
 * The program of the process. It prints one line of JSON for every size, with the rate in GFLOP/s. CommonJS, for `node
 * -e`.
 */
const PROGRAM = `
const [file, provider, graph, settings] = process.argv.slice(1);
const { sizes, threads, chain, deviation, longEnough } = JSON.parse(settings);
const say = (line) => require('node:fs').writeSync(1, JSON.stringify(line) + '\\n');
async function main() {
  const ort = require(file);
  ort.env.logLevel = 'fatal';
  const options = { executionProviders: [provider], logSeverityLevel: 4 };
  if (threads) options.intraOpNumThreads = threads;
  const session = await ort.InferenceSession.create(Buffer.from(graph, 'base64'), options);
  say({ opened: true });
  for (const n of sizes) {
    const u = 1 + deviation;
    const feeds = {
      v: new ort.Tensor('float32', [u / n], [1]),
      shape: new ort.Tensor('int64', [BigInt(n), BigInt(n)], [2]),
    };
    const { sum } = await session.run(feeds);
    const exact = u ** (chain + 1);
    if (!(Math.abs(sum.data[0] / exact - 1) < deviation / 4)) throw new Error('its products are not exact in float32');
    let best = Infinity;
    for (let i = 0; i < 2; i++) {
      const start = performance.now();
      await session.run(feeds);
      best = Math.min(best, performance.now() - start);
    }
    say({ gflops: (chain * 2 * n ** 3) / best / 1e6 });
    if (best >= longEnough) break;
  }
}
main().then(() => process.exit(0), (error) => { say({ error: String(error.message ?? error) }); process.exit(0); });
`;

/** Half precision on a device. */
export interface HalfTrial {
  /** The largest relative error of a product of known numbers; undefined if it was not computed. */
  readonly deviation?: number;
  /** Why it cannot be used. */
  readonly error?: string;
}

/** Rows of both factors, and numbers that are summed for each element. */
const HALF_ROWS = 64;
const HALF_SUMMED = 1024;
/**
 * The largest error of such a product. Its 1 024 terms are all positive and have at most 11 bits, so that only the sum
 * and the result are rounded: by up to 2⁻¹¹ = 0.05 % where the device sums in float32, by about 1 % where it sums in
 * float16.
 */
const HALF_DEVIATION = 0.04;

/** Computes a known product in half precision on `provider`. It is exact enough when the result has no `error`. */
export async function tryHalf(provider: Provider): Promise<HalfTrial> {
  const settings = { rows: HALF_ROWS, summed: HALF_SUMMED };
  const program = { provider, graph: halfGraph(), settings, patience: GREAT_PATIENCE_MS };
  const { lines, error } = await runProgram(HALF_PROGRAM, program);
  const deviation = lines.find((line) => line.deviation !== undefined)?.deviation;
  if (deviation === undefined) return { error };
  if (deviation <= HALF_DEVIATION) return { deviation };
  return { deviation, error: `a known product is off by ${(100 * deviation).toPrecision(2)} %` };
}

/** Feeds "x" (rows, summed) and "w" (rows, summed), float32; fetch "y", x wᵀ in half precision, (rows, rows) float32. */
function halfGraph(): Uint8Array {
  const g = new Graph();
  const [x, w] = ['x', 'w'].map((name) => cast(g, g.input(name, 'float32', ['rows', HALF_SUMMED]), 'float16'));
  g.output('y', cast(g, linear(g, x, w), 'float32'));
  return g.serialize().bytes;
}

/** It prints the largest relative error. Factors are multiples of 2⁻¹¹ from 0.5 to 1, which float16 has exactly. */
const HALF_PROGRAM = `
const [file, provider, graph, settings] = process.argv.slice(1);
const { rows, summed } = JSON.parse(settings);
const say = (line) => require('node:fs').writeSync(1, JSON.stringify(line) + '\\n');
let state = 1;
const factors = () => Float32Array.from({ length: rows * summed }, () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return 0.5 + (state >>> 22) / 2048;
});
async function main() {
  const ort = require(file);
  ort.env.logLevel = 'fatal';
  const options = { executionProviders: [provider], logSeverityLevel: 4 };
  const session = await ort.InferenceSession.create(Buffer.from(graph, 'base64'), options);
  const [x, w] = [factors(), factors()];
  const tensor = (data) => new ort.Tensor('float32', data, [rows, summed]);
  const { y } = await session.run({ x: tensor(x), w: tensor(w) });
  let deviation = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < rows; j++) {
      let exact = 0;
      for (let k = 0; k < summed; k++) exact += x[i * summed + k] * w[j * summed + k];
      const off = Math.abs(y.data[i * rows + j] / exact - 1);
      if (!(off <= deviation)) deviation = Number.isNaN(off) ? Infinity : off;
    }
  }
  say(Number.isFinite(deviation) ? { deviation } : { error: 'its products are not finite' });
}
main().then(() => process.exit(0), (error) => { say({ error: String(error.message ?? error) }); process.exit(0); });
`;

interface Line {
  readonly opened?: boolean;
  readonly gflops?: number;
  readonly deviation?: number;
  readonly error?: string;
}

interface Attempt {
  readonly provider: Provider;
  readonly sizes: readonly number[];
  readonly threads?: number;
  /** In milliseconds. */
  readonly patience: number;
}

async function tryProvider({ provider, sizes, threads, patience }: Attempt): Promise<Trial> {
  const settings = { sizes, threads, chain: CHAIN, deviation: DEVIATION, longEnough: LONG_ENOUGH_MS };
  const { lines, error } = await runProgram(PROGRAM, { provider, graph: chainGraph(), settings, patience });
  const rates = lines.flatMap(({ gflops }) => gflops ?? []);
  const opened = lines.some((line) => line.opened);
  const said = lines.find((line) => line.error !== undefined);
  if (said === undefined && rates.length > 0) return { provider, gflops: Math.max(...rates) };
  if (said === undefined && opened && sizes.length === 0) return { provider };
  return { provider, error };
}

interface Program {
  readonly provider: Provider;
  readonly graph: Uint8Array;
  readonly settings: object;
  /** In milliseconds. */
  readonly patience: number;
}

/** What a program printed until its process ended, and, if that was not all, why. */
function runProgram(
  program: string,
  { provider, graph, settings, patience }: Program,
): Promise<{ readonly lines: readonly Line[]; readonly error: string }> {
  const child = spawn(
    process.execPath,
    ['-e', program, onnxruntimeFile(), provider, Buffer.from(graph).toString('base64'), JSON.stringify(settings)],
    // In an editor, `process.execPath` is Electron. This variable makes it behave as Node.
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '' } },
  );
  return new Promise((resolve) => {
    let said = '';
    let complained = '';
    let end: string | undefined;
    const timer = setTimeout(() => {
      end = `it did not answer within ${patience / 1000} s`;
      child.kill('SIGKILL');
    }, patience);
    // When the system has no more file descriptors, there are no pipes and no close event.
    const { stdout, stderr } = child as { readonly stdout?: Readable; readonly stderr?: Readable };
    stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
    stderr?.setEncoding('utf8').on('data', (text: string) => (complained += text));
    child.on('error', (error) => {
      clearTimeout(timer);
      const why = systemReason(error)?.why ?? error.message;
      resolve({ lines: [{ error: why }], error: why });
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const lines = said.split('\n').flatMap(readLine);
      const error = lines.find((line) => line.error !== undefined)?.error;
      const died = `the process that tried it ended with ${signal ?? code}`;
      resolve({ lines, error: end ?? reason(error ?? died, complained) });
    });
  });
}

/** A line that the program printed. Drivers may print other lines. */
function readLine(text: string): Line[] {
  try {
    return [JSON.parse(text) as Line];
  } catch {
    return [];
  }
}

/** The error without the file names of onnxruntime's sources, and what the driver printed about it. */
function reason(error: string, complained: string): string {
  const told = error.replace(/^\/onnxruntime_src\S+ .* was false\.\s*/, '');
  const warning = /^Warning: (.*)$/m.exec(complained)?.[1];
  return (warning === undefined ? told : `${told} (${warning})`).replace(/\s+/g, ' ').trim().slice(0, MAX_ERROR);
}
