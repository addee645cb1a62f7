/**
 * The walk of a healing: the dense and the healed stream pass through the model side by side, one module open at a time,
 * and each correction is fitted on the stream as healed so far (healing.md §2).
 */
import type { Forward, OpenInputs, OpenStep, TokenRows } from '../model/forward';
import { weightOf } from '../checkpoint/weight-key';
import { expertsIn, healedSizes } from '../checkpoint/kinds/parts';
import type { Model } from '../model/model';
import type { Chunk } from '../model/states';
import type { Step } from '../model/view';
import { Graph } from '../onnx/graph';
import { add, mul, scale, sub } from '../onnx/ops/elementwise';
import { lessProduct, linear } from '../onnx/ops/linear';
import { reduceSum } from '../onnx/ops/reduce';
import { float32, floats, type Session } from '../onnx/session';
import { siteLinears } from './corrections';
import { notFinite } from './failure';
import { GramSums } from './gram';
import { NormSite } from './norm-site';
import { PieceSums } from './pieces';
import type { Collector } from './site-sums';
import { type Site, stepOf, stepsBetween } from './sites';
import type { Streams } from './streams';

/** X of a fit: the input of the site's Linear, or what its module adds to the stream. */
export type Regressor = 'input' | 'output';

/** Of a run. */
export interface ChannelSums {
  readonly sums: readonly number[];
  readonly tokens: number;
}

/** Mean |x| of each channel over all runs. */
export function channelMeans(runs: readonly ChannelSums[]): number[] {
  const tokens = runs.reduce((sum, run) => sum + run.tokens, 0);
  return runs[0].sums.map((_, i) => runs.reduce((sum, { sums }) => sum + sums[i], 0) / tokens);
}

export class Walk {
  constructor(
    private readonly model: Model,
    private readonly forward: Forward,
    /** Gives the dense stream. */
    private readonly target: Model,
    private readonly denseForward: Forward,
    private readonly streams: Streams,
    /** Called after every run, with the block applications of its rows. */
    private readonly advance: (amount: number) => void,
  ) {}

  /**
   * Takes a stream through modules of the model, or of the target.
   * @param from read here
   * @param to written here
   */
  async pass(
    [from, to]: readonly ['dense' | 'healed', 'dense' | 'healed' | 'target'],
    [first, end]: readonly [number, number],
  ): Promise<void> {
    const forward = from === 'dense' ? this.denseForward : this.forward;
    let source: 'dense' | 'healed' | 'target' = from;
    for (const step of stepsBetween(first, end)) {
      const open: OpenStep = await forward.open(step, true);
      try {
        for (const some of this.together(step)) {
          const after = await open.runAll(await this.streams.state(source, some), ({ rows }) =>
            this.advance(rows * (step.attention && step.ffn ? 1 : 1 / 2)),
          );
          for (const [i, p] of some.entries()) await this.streams.write(to, p, after[i]);
        }
      } finally {
        await open.close();
      }
      source = to;
    }
    if (source === from && from !== to) await this.streams.copy(from, to);
  }

  /** Runs that pass a step in one call: several where it has experts, so that each group of these is opened once for all of them. */
  private together({ block, ffn }: Step): readonly number[][] {
    const runs = [...this.streams.runs.keys()];
    const hasExperts = ffn && expertsIn(this.model.architecture.layers[block]) !== undefined;
    return hasExperts ? this.streams.grouped(runs, 2) : runs.map((p) => [p]);
  }

  /**
   * Takes the healed stream through a site as it is: writes the stream after it to "plain" and X aside, and collects the
   * products of X with itself and with R = target − stream; undefined where the correction is known.
   * @returns Σ R² of each fitted run
   * @throws UserError if a number is not finite
   */
  async observe(site: Site, regressor: Regressor, collector: Collector | undefined): Promise<number[]> {
    const { hidden } = this.model.architecture;
    const errors: number[] = [];
    const sums = collector && (await GramSums.open(this.model, this.widthOf(site, regressor), hidden));
    const pieces = sums && this.piecesFor(sums, collector);
    const module = await this.openInputs(site, true);
    try {
      for (const [p, run] of this.streams.runs.entries()) {
        const before = await this.streams.read('healed', p);
        const after = await module.run(before);
        const output = after.output!;
        const x = regressor === 'input' ? this.sideBySide(site, after.inputs) : this.difference(output, before);
        if (regressor === 'output') for (const input of after.inputs) input.release();
        if (run.use !== 'none') {
          const target = await this.streams.read('target', p);
          const squares = squaredDistance(target, output);
          if (!Number.isFinite(squares)) throw notFinite(site);
          errors.push(squares);
          await pieces?.add(p, { x: x.data, wanted: target.tensor, found: output.tensor }, squares);
        }
        await this.streams.writeInput(p, x);
        await this.streams.write('plain', p, output);
        this.advance(run.rows);
      }
    } finally {
      await module.close();
      await sums?.close();
    }
    return errors;
  }

  /**
   * The same for the input of the site's only Linear, without a look at what it adds: XᵀR₀ with R₀ = target − stream before the
   * module − r bias, where r is the factor of what it adds. So the Linear is applied once, when its new weight is known.
   */
  async sum(site: Site, collector: Collector | undefined): Promise<void> {
    const { weights, architecture } = this.model;
    const { hidden } = architecture;
    const [{ bias, width, factor }] = siteLinears(architecture, site);
    const sums =
      collector &&
      (await GramSums.open(this.model, width, hidden, (g, x, r) => {
        const own = weightOf(architecture, bias) && scale(g, weights.bind(g, bias), factor);
        return { x, r: own ? sub(g, r, own) : r };
      }));
    const pieces = sums && this.piecesFor(sums, collector);
    const module = await this.openInputs(site, false);
    try {
      for (const [p, run] of this.streams.runs.entries()) {
        const before = await this.streams.read('healed', p);
        const [x] = (await module.run(before)).inputs;
        if (run.use !== 'none' && pieces) {
          const { tensor: wanted } = await this.streams.read('target', p);
          await pieces.add(p, { x: x.data, wanted, found: before.tensor });
        }
        await this.streams.writeInput(p, x);
        this.advance(run.rows);
      }
    } finally {
      await module.close();
      await sums?.close();
    }
  }

  /**
   * Applies the site's only Linear with its new weight: "healed" is then the stream after the site.
   * @param weight (hidden, width of X); the stored one when undefined
   * @returns Σ (target − stream)² of each fitted run
   * @throws UserError if a number is not finite
   */
  async apply(site: Site, weight: Float32Array | undefined): Promise<number[]> {
    const { weights, architecture } = this.model;
    const { hidden } = architecture;
    const [{ weight: key, bias, width, factor }] = siteLinears(architecture, site);
    const g = new Graph();
    const x = g.input('x', 'float32', ['tokens', width]);
    const before = g.input('before', 'float32', ['tokens', hidden]);
    const matrix = weight ? g.floats(weight, [hidden, width]) : weights.bind(g, key);
    const sum = factor === 1 ? linear(g, x, matrix, before) : add(g, before, scale(g, linear(g, x, matrix), factor));
    const y = weightOf(architecture, bias) ? add(g, sum, scale(g, weights.bind(g, bias), factor)) : sum;
    const rest = sub(g, g.input('target', 'float32', ['tokens', hidden]), y);
    g.output('y', y);
    g.output('squares', reduceSum(g, mul(g, rest, rest), [1]));
    const session = await this.model.openSession(g.serialize(), { prepack: true });
    const errors: number[] = [];
    try {
      for (const [p, { rows, use }] of this.streams.runs.entries()) {
        const healed = this.forward.pool.take(rows);
        const input = float32(await this.streams.readInput(p, width), [rows * this.forward.length, width]);
        const { tensor: target } = await this.streams.read('target', p);
        const feeds = { x: input, before: (await this.streams.read('healed', p)).tensor, target };
        const { squares } = await session.run(feeds, { y: healed.tensor, squares: null });
        if (use !== 'none') errors.push(floats(squares).reduce((sum, square) => sum + square, 0));
        await this.streams.write('healed', p, healed);
        this.advance(0);
      }
    } finally {
      await session.close();
    }
    if (!errors.every(Number.isFinite)) throw notFinite(site);
    return errors;
  }

  /**
   * Adds a share of X D to the stream in "plain" and writes it to "healed".
   * @param negative −share · D, (width of X, hidden); undefined for none
   */
  async correct(site: Site, regressor: Regressor, negative: Float32Array | undefined): Promise<void> {
    const width = this.widthOf(site, regressor);
    const session = negative && (await this.openCorrection(negative, width));
    try {
      for (const [p, { rows }] of this.streams.runs.entries()) {
        const plain = await this.streams.read('plain', p);
        const healed = this.forward.pool.take(rows);
        if (session) {
          const x = float32(await this.streams.readInput(p, width), [rows * this.forward.length, width]);
          await session.run({ x, plain: plain.tensor }, { y: healed.tensor });
        } else {
          healed.data.set(plain.data);
        }
        await this.streams.write('healed', p, healed);
        this.advance(0);
      }
    } finally {
      await session?.close();
    }
  }

  /** The site, where a norm is behind its Linear. */
  behindNorm(site: Site): NormSite {
    const { model, forward, streams, advance } = this;
    return new NormSite({ model, forward, streams, advance }, site, this.widthOf(site, 'input'));
  }

  /** The target of the site is the dense stream at its end. Afterwards the dense stream continues there. */
  async aim(site: Site): Promise<void> {
    await this.pass(['dense', 'target'], [site.module, site.next]);
  }

  /** The dense stream goes on from the target. */
  moveOn(): void {
    this.streams.swap('dense', 'target');
  }

  /** Σ |x| of each channel of the dense stream over each fitted run, and its tokens. */
  async channelSums(): Promise<ChannelSums[]> {
    const { hidden } = this.target.architecture;
    const found: ChannelSums[] = [];
    for (const [p, { rows, use }] of this.streams.runs.entries()) {
      if (use === 'none') continue;
      const sums = new Float64Array(hidden);
      const { data } = await this.streams.read('dense', p);
      for (let at = 0; at < data.length; at += hidden) {
        for (let i = 0; i < hidden; i++) sums[i] += Math.abs(data[at + i]);
      }
      found.push({ sums: [...sums], tokens: rows * this.forward.length });
    }
    return found;
  }

  /** Starts a stream before block 0. @param rows in the order of the runs */
  async embed(stream: 'dense' | 'healed', rows: TokenRows): Promise<void> {
    const forward = stream === 'dense' ? this.denseForward : this.forward;
    for (const [p, { first, rows: count }] of this.streams.runs.entries()) {
      const [chunk] = await forward.embed(rows.slice(first, first + count));
      await this.streams.write(stream, p, chunk);
    }
  }

  /** Width of X. */
  widthOf({ block, tensor }: Site, regressor: Regressor): number {
    const { layers, hidden } = this.model.architecture;
    if (regressor === 'output') return hidden;
    const { mixer, ffn } = healedSizes(layers[block]);
    return tensor === 'o_proj' ? mixer : ffn;
  }

  private openInputs(site: Site, withOutput: boolean): Promise<OpenInputs> {
    const pools = siteLinears(this.model.architecture, site).map(({ width }) => this.streams.inputPool(width));
    return this.forward.openInputs(stepOf(site), pools, withOutput);
  }

  private piecesFor(sums: GramSums, collector: Collector): PieceSums {
    return new PieceSums(sums, this.streams.runs, this.forward.length, collector);
  }

  /** X: the inputs of the site's Linears, those after the first times what their factor is of the first one's. (tokens, width of X) */
  private sideBySide(site: Site, inputs: readonly Chunk[]): Chunk {
    if (inputs.length === 1) return inputs[0];
    const linears = siteLinears(this.model.architecture, site);
    const width = this.widthOf(site, 'input');
    const x = this.streams.inputPool(width).take(inputs[0].rows);
    let from = 0;
    for (const [i, { width: own, factor }] of linears.entries()) {
      const { data } = inputs[i];
      const times = factor / linears[0].factor;
      for (let token = 0; token * own < data.length; token++) {
        for (let j = 0; j < own; j++) x.data[token * width + from + j] = times * data[token * own + j];
      }
      inputs[i].release();
      from += own;
    }
    return x;
  }

  private async openCorrection(negative: Float32Array, rows: number): Promise<Session> {
    const columns = this.model.architecture.hidden;
    const g = new Graph();
    const x = g.input('x', 'float32', ['tokens', rows]);
    const plain = g.input('plain', 'float32', ['tokens', columns]);
    g.output('y', lessProduct(g, plain, x, g.floats(negative, [rows, columns])));
    return this.model.openSession(g.serialize(), { prepack: true });
  }

  /** What a module added to the stream. */
  private difference(after: Chunk, before: Chunk): Chunk {
    const chunk = this.streams.inputPool(this.model.architecture.hidden).take(after.rows);
    const { data } = chunk;
    for (let i = 0; i < data.length; i++) data[i] = after.data[i] - before.data[i];
    return chunk;
  }
}

/** Σ (target − stream)², in float64. */
function squaredDistance({ data: target }: Chunk, { data: stream }: Chunk): number {
  let squares = 0;
  for (let i = 0; i < target.length; i++) {
    const difference = target[i] - stream[i];
    squares += difference * difference;
  }
  return squares;
}
