/**
 * What the device can do at most: its rate in bare products and in reading memory, measured in this process with the
 * same threads. Both are beside the speeds of a model, and both are measured again at the end: a change tells of other
 * load or a throttled clock.
 */
import { median } from '../../median';
import { Graph, type Value } from '../../onnx/graph';
import { linear } from '../../onnx/ops/linear';
import { reduceSum } from '../../onnx/ops/reduce';
import { lastRow } from '../../onnx/ops/shapes';
import { float32, type Feeds, keepsTensors, openSession, type Provider, type Session } from '../../onnx/session';
import type { DeviceRates } from './work';

/** Size n of the n × n matrices: long enough rows for the best kernels, a tenth of a second on a small machine. */
const SIZE = 1536;
/** Products in one run, so that copies on the way out hardly count. */
const CHAIN = 2;
/** Runs of which the median counts, after one that warms up. */
const RUNS = 5;

/** Numbers that are read, in rows that threads share: many times a processor's cache, and what a GPU may bind. */
const ROW = 65_536;
const ROWS_ON_HOST = 1024;
const ROWS_ON_DEVICE = 384;

interface Where {
  readonly provider: Provider;
  readonly threads?: number;
}

export async function measureRates(where: Where): Promise<DeviceRates> {
  return { flopsPerSecond: await productRate(where), bytesPerSecond: await readRate(where) };
}

/** The rate of products with a constant, as a Linear has it, in operations a second. */
async function productRate(where: Where): Promise<number> {
  const n = SIZE;
  const g = new Graph();
  const weight = g.floats(new Float32Array(n * n).fill(1 / n), [n, n]);
  let x: Value = g.op('Expand', [g.input('v', 'float32', [1]), g.ints(n, n)], { type: 'float32', shape: [n, n] });
  for (let i = 0; i < CHAIN; i++) x = linear(g, x, weight);
  g.output('sum', reduceSum(g, lastRow(g, x), [1]));
  const seconds = await medianSeconds(g, { v: float32(Float32Array.of(1), [1]) }, where);
  return (CHAIN * 2 * n ** 3) / seconds;
}

/** Bytes a second of a sum over more memory than a cache holds; undefined where data cannot stay on the device. */
async function readRate(where: Where): Promise<number | undefined> {
  const { provider } = where;
  if (provider !== 'cpu' && !keepsTensors(provider)) return undefined;
  const rows = provider === 'cpu' ? ROWS_ON_HOST : ROWS_ON_DEVICE;
  const bytes = 4 * rows * ROW;
  const g = new Graph();
  g.output('sums', reduceSum(g, g.input('x', 'float32', [rows, ROW]), [1]));
  if (provider === 'cpu') {
    return bytes / (await medianSeconds(g, { x: float32(new Float32Array(rows * ROW).fill(1), [rows, ROW]) }, where));
  }
  const fill = new Graph();
  const one = fill.input('v', 'float32', [1]);
  fill.output('x', fill.op('Expand', [one, fill.ints(rows, ROW)], { type: 'float32', shape: [rows, ROW] }));
  const session = await openSession(fill.serialize(), { ...where, onDevice: ['x'] });
  try {
    const { x } = await session.run({ v: float32(Float32Array.of(1), [1]) });
    return bytes / (await medianSeconds(g, { x }, where));
  } finally {
    await session.close();
  }
}

async function medianSeconds(g: Graph, feeds: Feeds, where: Where): Promise<number> {
  const session = await openSession(g.serialize(), { ...where, prepack: true });
  try {
    await session.run(feeds);
    const seconds: number[] = [];
    for (let run = 0; run < RUNS; run++) seconds.push(await secondsOf(session, feeds));
    return median(seconds);
  } finally {
    await session.close();
  }
}

async function secondsOf(session: Session, feeds: Feeds): Promise<number> {
  const start = performance.now();
  await session.run(feeds);
  return (performance.now() - start) / 1000;
}
