/**
 * How fast onnxruntime multiplies matrices, nothing else: the products of a block, chained as the block chains them,
 * and the product of a piece of the head; in float32 or in 8-bit integers. Same shapes, same tokens a run, same operator and same prepacking as in the engine,
 * but no norm, no attention, no activation, and all memory set aside before. What the engine could reach at best.
 */
import type { Architecture } from '../../src/engine/checkpoint/architecture';
import { elements } from '../../src/engine/checkpoint/parameters';
import { blockWeights, listOf } from '../../src/engine/checkpoint/weight-names';
import { Graph, type Value } from '../../src/engine/onnx/graph';
import { linear } from '../../src/engine/onnx/ops/linear';
import { unscaledProduct } from '../../src/engine/onnx/ops/quantized';
import { type Feeds, float32, openSession, type Session, type Tensor, uint8 } from '../../src/engine/onnx/session';
import { Random } from '../../src/engine/random';
import { median } from '../../src/engine/median';
import { timed } from './numbers';

/** Bytes of a quantized input: any will do, the time does not depend on them. */
const SOME_BYTE = 131;

/** Runs of which the median counts. */
const RUNS = 15;

/** One session of bare products. */
export class Products {
  private constructor(
    private readonly session: Session,
    private readonly feeds: Feeds,
    private readonly fetches: Readonly<Record<string, Tensor>>,
    /** Operations (a multiplication and an addition are two) of one run. */
    readonly flops: number,
  ) {}

  /** The seven products of a block, over `tokens` tokens. */
  static block(a: Architecture, tokens: number, threads?: number): Promise<Products> {
    const { q, k, v, o, gate, up, down } = blockWeights(a, 0);
    return Products.open(tokens, a.hidden, threads, (x, product) => {
      const results = [product(x, k!.shape), product(x, v!.shape)];
      const h = product(product(x, q!.shape), o!.shape);
      return [...results, product(h, up!.shape), product(product(h, gate!.shape), down!.shape)];
    });
  }

  /** The logits of `words` words of the vocabulary, over `tokens` tokens. */
  static headPiece(a: Architecture, words: number, tokens: number, threads?: number): Promise<Products> {
    return Products.open(tokens, a.hidden, threads, (x, product) => [product(x, [words, a.hidden])]);
  }

  private static async open(
    tokens: number,
    width: number,
    threads: number | undefined,
    build: (x: Value, product: (x: Value, shape: readonly number[]) => Value) => Value[],
  ): Promise<Products> {
    const random = new Random(1);
    const noise = (count: number): Float32Array =>
      Float32Array.from({ length: count }, () => (random.uniform() - 0.5) / Math.sqrt(width));
    const g = new Graph();
    const x = g.input('x', 'float32', [tokens, width]);
    let flops = 0;
    const results = build(x, (input, shape) => {
      flops += 2 * tokens * elements(shape);
      return linear(g, input, g.floats(noise(elements(shape)), shape));
    });
    results.forEach((value, i) => g.output(`y${i}`, value));
    const fetches = results.map((value, i) => {
      const shape = value.shape as readonly number[]; // every extent is known here
      return [`y${i}`, float32(new Float32Array(elements(shape)), shape)] as const;
    });
    const session = await openSession(g.serialize(), { provider: 'cpu', threads, prepack: true });
    const feeds = { x: float32(noise(tokens * width), [tokens, width]) };
    return new Products(session, feeds, Object.fromEntries(fetches), flops);
  }

  /** The same products of a block in 8-bit integers: inputs are rounded already, and results are floats without a token's scale. */
  static async integerBlock(a: Architecture, tokens: number, threads?: number): Promise<Products> {
    const shapes = listOf(blockWeights(a, 0)).map(({ shape }) => shape);
    return Products.openIntegers(
      tokens,
      threads,
      shapes.filter((shape) => shape.length === 2),
    );
  }

  /** And of a piece of the head. */
  static integerHeadPiece(a: Architecture, words: number, tokens: number, threads?: number): Promise<Products> {
    return Products.openIntegers(tokens, threads, [[words, a.hidden]]);
  }

  private static async openIntegers(
    tokens: number,
    threads: number | undefined,
    shapes: readonly (readonly number[])[],
  ): Promise<Products> {
    const g = new Graph();
    const feeds: Record<string, Tensor> = {};
    const inputs = new Map<number, Value>();
    const inputOf = (width: number): Value => {
      const known = inputs.get(width);
      if (known) return known;
      feeds[`x${width}`] = uint8(new Uint8Array(tokens * width).fill(SOME_BYTE), [tokens, width]);
      const value = g.input(`x${width}`, 'uint8', [tokens, width]);
      inputs.set(width, value);
      return value;
    };
    const fetches: Record<string, Tensor> = {};
    let flops = 0;
    for (const [i, [outputs, width]] of shapes.entries()) {
      flops += 2 * tokens * outputs * width;
      const weight = {
        values: g.bytes(
          'int8',
          Int8Array.from({ length: outputs * width }, (_, at) => (at % 255) - 127),
          [width, outputs],
        ),
        scales: g.floats(new Float32Array(outputs).fill(1e-3), [outputs]),
      };
      g.output(`y${i}`, unscaledProduct(g, inputOf(width), weight));
      fetches[`y${i}`] = float32(new Float32Array(tokens * outputs), [tokens, outputs]);
    }
    const session = await openSession(g.serialize(), { provider: 'cpu', threads, prepack: true });
    return new Products(session, feeds, fetches, flops);
  }

  /** Operations a second: median of some runs. */
  async rate(): Promise<number> {
    const seconds: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      seconds.push((await timed(() => this.session.run(this.feeds, this.fetches))).seconds);
    }
    return this.flops / median(seconds);
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
