/**
 * A site with a norm behind its Linear (Gemma 2 and 3, OLMo 2): the module adds r g ⊙ z / rms(z) with z = W x + b to the stream,
 * which is linear in W only while the scale of each token is held (healing.md §7). So the streams pass three times: for the
 * sums that give W, for those that give g, and to the stream after both.
 */
import { weightOf } from '../checkpoint/weight-key';
import type { Forward } from '../model/forward';
import type { Model } from '../model/model';
import type { Chunk } from '../model/states';
import { Graph, type Value } from '../onnx/graph';
import { add, mul, scale, sub } from '../onnx/ops/elementwise';
import { linear } from '../onnx/ops/linear';
import { inverseRms } from '../onnx/ops/norm';
import { reduceSum } from '../onnx/ops/reduce';
import { float32, floats, type Tensor } from '../onnx/session';
import { gainsOf, siteLinears } from './corrections';
import { notFinite } from './failure';
import { type GramForm, GramSums } from './gram';
import { PieceSums } from './pieces';
import type { Collector } from './site-sums';
import { type Site, stepOf } from './sites';
import type { Streams } from './streams';
import { tokenCounts } from './token-counts';

/** Of a run: with u = ω r z / rms(z), Σ u R ω and Σ u² of each channel. */
export interface GainSums {
  readonly linear: readonly number[];
  readonly quadratic: readonly number[];
}

/** What a walk is made of. */
export interface Walking {
  readonly model: Model;
  readonly forward: Forward;
  readonly streams: Streams;
  /** Called after every run, with the block applications of its rows. */
  readonly advance: (amount: number) => void;
}

export class NormSite {
  constructor(
    private readonly walking: Walking,
    readonly site: Site,
    /** Width of the Linear's input. */
    private readonly width: number,
  ) {}

  /** What the norm multiplies each channel by. */
  gains(): Promise<Float64Array> {
    return gainsOf(this.walking.model.weights, this.site);
  }

  /**
   * Sums for W: X is the Linear's input and R what the stream misses, both weighted, X over the scale of its token. Keeps the inputs.
   * @param collector undefined where the new weight is known: then errors are measured all the same
   * @returns Σ R² of each fitted run
   * @throws UserError if a number is not finite
   */
  async observe(collector: Collector | undefined): Promise<number[]> {
    const { model, forward, streams, advance } = this.walking;
    const { hidden } = model.architecture;
    const errors: number[] = [];
    const gains = Float32Array.from(await this.gains(), (gain) => gain * model.architecture.style.residualScale);
    const form: GramForm = (g, x, r) => {
      const counts = g.input('counts', 'float32', ['tokens', 1]);
      const z = this.linear(g, x);
      const inverse = inverseRms(g, z, model.architecture.rmsNormEps);
      const found = mul(g, mul(g, z, inverse), g.floats(gains, [hidden]));
      return { x: mul(g, x, mul(g, counts, inverse)), r: mul(g, counts, sub(g, r, found)) };
    };
    const sums = await GramSums.open(model, this.width, hidden, form, collector ? 'both' : 'none');
    const pieces = new PieceSums(sums, streams.runs, forward.length, collector, (squares) => {
      if (!Number.isFinite(squares)) throw notFinite(this.site);
      errors.push(squares);
    });
    const module = await forward.openInputs(stepOf(this.site), [streams.inputPool(this.width)], false);
    try {
      for (const [p, run] of streams.runs.entries()) {
        const before = await streams.read('healed', p);
        const [x] = (await module.run(before)).inputs;
        if (run.use !== 'none') {
          const target = await streams.read('target', p);
          const more = { counts: this.counts(target) };
          await pieces.add(p, { x: x.data, wanted: target.tensor, found: before.tensor, more });
        }
        await streams.writeInput(p, x);
        advance(run.rows);
      }
    } finally {
      await module.close();
      await sums.close();
    }
    return errors;
  }

  /**
   * Applies the Linear with its new weight: what the norm makes of it before it multiplies is kept as the stream "plain".
   * @param weight (hidden, width of X); the stored one when undefined
   * @returns sums for g, of each fitted run
   */
  async applyLinear(weight: Float32Array | undefined): Promise<GainSums[]> {
    const { model, forward, streams, advance } = this.walking;
    const { hidden, style, rmsNormEps } = model.architecture;
    const g = new Graph();
    const x = g.input('x', 'float32', ['tokens', this.width]);
    const [before, target] = ['before', 'target'].map((name) => g.input(name, 'float32', ['tokens', hidden]));
    const counts = g.input('counts', 'float32', ['tokens', 1]);
    const z = this.linear(g, x, weight);
    const unit = mul(g, z, inverseRms(g, z, rmsNormEps));
    const u = mul(g, counts, scale(g, unit, style.residualScale));
    g.output('unit', unit);
    g.output('linear', reduceSum(g, mul(g, u, mul(g, counts, sub(g, target, before))), [0]));
    g.output('quadratic', reduceSum(g, mul(g, u, u), [0]));
    const sums: GainSums[] = [];
    const session = await model.openSession(g.serialize(), { prepack: true });
    try {
      for (const [p, { rows, use }] of streams.runs.entries()) {
        const unit = forward.pool.take(rows);
        const input = float32(await streams.readInput(p, this.width), [rows * forward.length, this.width]);
        const target = await streams.read('target', p);
        const before = (await streams.read('healed', p)).tensor;
        const feeds = { x: input, before, target: target.tensor, counts: this.counts(target) };
        const found = await session.run(feeds, { unit: unit.tensor, linear: null, quadratic: null });
        if (use !== 'none') sums.push({ linear: [...floats(found.linear)], quadratic: [...floats(found.quadratic)] });
        await streams.write('plain', p, unit);
        advance(0);
      }
    } finally {
      await session.close();
    }
    return sums;
  }

  /**
   * Multiplies by new gains: "healed" is then the stream after the site.
   * @returns the error after it of each fitted run, weighted
   * @throws UserError if a number is not finite
   */
  async applyGains(gains: Float64Array): Promise<number[]> {
    const { model, forward, streams, advance } = this.walking;
    const { hidden, style } = model.architecture;
    const g = new Graph();
    const [unit, before, target] = ['unit', 'before', 'target'].map((name) =>
      g.input(name, 'float32', ['tokens', hidden]),
    );
    const factors = Float32Array.from(gains, (gain) => gain * style.residualScale);
    const y = add(g, before, mul(g, unit, g.floats(factors, [hidden])));
    const rest = mul(g, g.input('counts', 'float32', ['tokens', 1]), sub(g, target, y));
    g.output('y', y);
    g.output('squares', reduceSum(g, mul(g, rest, rest), [1]));
    const session = await model.openSession(g.serialize());
    const errors: number[] = [];
    try {
      for (const [p, { rows, use }] of streams.runs.entries()) {
        const healed = forward.pool.take(rows);
        const target = await streams.read('target', p);
        const [unit, before] = [await streams.read('plain', p), await streams.read('healed', p)];
        const feeds = { unit: unit.tensor, before: before.tensor, target: target.tensor, counts: this.counts(target) };
        const { squares } = await session.run(feeds, { y: healed.tensor, squares: null });
        if (use !== 'none') errors.push(floats(squares).reduce((sum, square) => sum + square, 0));
        await streams.write('healed', p, healed);
        advance(0);
      }
    } finally {
      await session.close();
    }
    if (!errors.every(Number.isFinite)) throw notFinite(this.site);
    return errors;
  }

  /** z = W x + b. (tokens, width) → (tokens, hidden) */
  private linear(g: Graph, x: Value, weight?: Float32Array): Value {
    const { weights, architecture } = this.walking.model;
    const [keys] = siteLinears(architecture, this.site);
    const matrix = weight ? g.floats(weight, [architecture.hidden, this.width]) : weights.bind(g, keys.weight);
    return linear(g, x, matrix, weightOf(architecture, keys.bias) && weights.bind(g, keys.bias));
  }

  /** ω of each token. */
  private counts({ data }: Chunk): Tensor {
    const { forward, model } = this.walking;
    return tokenCounts(data, forward.length, model.architecture);
  }
}

/** The sums of each channel over all runs. */
export function channelTotals(runs: readonly GainSums[]): { linear: Float64Array; quadratic: Float64Array } {
  const total = (name: keyof GainSums): Float64Array => {
    const sums = new Float64Array(runs[0][name].length);
    for (const run of runs) for (const [c, value] of run[name].entries()) sums[c] += value;
    return sums;
  };
  return { linear: total('linear'), quadratic: total('quadratic') };
}
