/**
 * The rate of an FFN's products by its width, on the device at hand. All widths are open at a time and take turns, so
 * that other load and a drifting clock meet all of them.
 */
import { throwIfCancelled } from '../../errors';
import { spreadOf } from '../../median';
import { Graph, type Value } from '../../onnx/graph';
import { linear } from '../../onnx/ops/linear';
import { reduceSum } from '../../onnx/ops/reduce';
import { float32, openSession, type Provider, type Session } from '../../onnx/session';
import { type JobOptions, Work } from '../../progress';
import { multipleOf, ROUNDS, slowdownOf, type WidthRates, widthsAround } from './width-finding';

/** One text while it is written, and the rows of a prompt or of several texts. */
const TOKENS = [1, 128] as const;
/** Bytes of the weights of a run: beyond a cache where all widths take turns, and no more where an FFN is large. */
const RUN_BYTES = 24 * 2 ** 20;
const MAX_PAIR_BYTES = 64 * 2 ** 20;
const MAX_PAIRS = 16;

interface Where {
  readonly provider: Provider;
  readonly threads?: number;
}

/**
 * @param shape hidden size and the FFN widths of a model's blocks
 * @throws CancelledError
 */
export async function measureWidthRates(
  shape: { readonly hidden: number; readonly ffn: readonly number[] },
  where: Where,
  job: JobOptions = {},
): Promise<WidthRates> {
  const widths = widthsAround(shape.ffn);
  const hidden = Math.min(shape.hidden, Math.max(64, Math.floor(MAX_PAIR_BYTES / (8 * widths.at(-1)!))));
  const work = new Work(job, TOKENS.length * widths.length * (ROUNDS + 1), 'runs', 'products by width');
  const rates: number[][][] = []; // (tokens, widths, rounds)
  for (const tokens of TOKENS) rates.push(await ratesOf(widths, hidden, tokens, where, work, job.signal));
  const measured = widths.map((width, at) => ({
    width,
    multiple: multipleOf(width),
    own: shape.ffn.includes(width),
    rates: rates.map((of) => spreadOf(of[at])),
  }));
  return { hidden, tokens: TOKENS, widths: measured, slowdown: rates.map((of) => slowdownOf(widths, of)) };
}

interface Pairs {
  readonly session: Session;
  /** Operations of a run. */
  readonly flops: number;
  /** Operations a second of each round. */
  readonly perSecond: number[];
}

async function ratesOf(
  widths: readonly number[],
  hidden: number,
  tokens: number,
  where: Where,
  work: Work,
  signal: AbortSignal | undefined,
): Promise<number[][]> {
  const open: Pairs[] = [];
  const feeds = { x: float32(new Float32Array(tokens * hidden).fill(1), [tokens, hidden]) };
  try {
    for (const width of widths) open.push(await openPairs(width, hidden, tokens, where));
    for (let run = 0; run <= ROUNDS; run++) {
      for (const { session, flops, perSecond } of open) {
        throwIfCancelled(signal);
        const start = performance.now();
        await session.run(feeds);
        const seconds = (performance.now() - start) / 1000;
        if (run > 0) perSecond.push(flops / seconds);
        work.advance(1);
      }
    }
  } finally {
    for (const { session } of open) await session.close();
  }
  return open.map(({ perSecond }) => perSecond);
}

/** The products of an FFN, to its width and back, one FFN after another: (tokens, hidden) → (tokens, 1). */
async function openPairs(width: number, hidden: number, tokens: number, where: Where): Promise<Pairs> {
  const pairs = Math.min(MAX_PAIRS, Math.max(1, Math.floor(RUN_BYTES / (8 * width * hidden))));
  const g = new Graph();
  let x: Value = g.input('x', 'float32', [tokens, hidden]);
  for (let pair = 0; pair < pairs; pair++) {
    const up = g.floats(new Float32Array(width * hidden).fill(1 / hidden), [width, hidden]);
    const down = g.floats(new Float32Array(hidden * width).fill(1 / width), [hidden, width]);
    x = linear(g, linear(g, x, up), down);
  }
  g.output('sums', reduceSum(g, x, [1]));
  const session = await openSession(g.serialize(), { ...where, prepack: true });
  return { session, flops: pairs * 4 * tokens * hidden * width, perSecond: [] };
}
