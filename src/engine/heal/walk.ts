/**
 * The walk of a healing: the dense and the healed stream pass through the model side by side, one module open at a time,
 * and each correction is fitted on the stream as healed so far (healing.md §2).
 */
import type { Forward, OpenModule, OpenStep, TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import type { Chunk } from '../model/states';
import { Graph } from '../onnx/graph';
import { lessProduct } from '../onnx/ops/linear';
import { float32, type Session } from '../onnx/session';
import { notFinite } from './failure';
import { emptyEquations, GramSums, type NormalEquations } from './gram';
import { type Site, stepsBetween } from './sites';
import type { Matrix } from './solve';
import type { Streams } from './streams';

/** What a site adds to the stream, before its correction. */
export interface Observation {
  /** XᵀX and XᵀR of the fitted rows, without those that choose the ridge. */
  readonly fitted: NormalEquations;
  /** The same of the rows that choose; undefined if none does. */
  readonly chosen?: NormalEquations;
  /** Σ R² of all fitted rows, and of those that choose. */
  readonly error: number;
  readonly chosenError: number;
}

/** X of a fit: the input of the site's Linear, or what its module adds to the stream. */
export type Regressor = 'input' | 'output';

export class Walk {
  private spare = new Float32Array(0);

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
        for (const [p, { rows }] of this.streams.parts.entries()) {
          const next = await open.run(await this.streams.read(source, p));
          await this.streams.write(to, p, next);
          this.advance(rows * (step.attention && step.ffn ? 1 : 1 / 2));
        }
      } finally {
        await open.close();
      }
      source = to;
    }
    if (source === from && from !== to) await this.streams.copy(from, to);
  }

  /**
   * Takes the healed stream through a site as it is: writes the stream after it to "plain" and X aside, and sums the
   * products of X with itself and with R = target − stream.
   * @throws UserError if a number is not finite
   */
  async observe(site: Site, regressor: Regressor): Promise<Observation> {
    const { hidden } = this.model.architecture;
    const width = this.widthOf(site, regressor);
    const fitted = emptyEquations(width, hidden);
    const chooses = this.streams.parts.some(({ use }) => use === 'choose');
    const chosen = chooses ? emptyEquations(width, hidden) : undefined;
    let [error, chosenError] = [0, 0];
    const sums = await GramSums.open(this.model, width, hidden);
    const module = await this.open(site);
    try {
      for (const [p, { rows, use }] of this.streams.parts.entries()) {
        const before = await this.streams.read('healed', p);
        const { input, output } = await module.run(before);
        const x = regressor === 'input' ? input : this.difference(output, before);
        if (regressor === 'output') input.release();
        if (use !== 'none') {
          const { residual, squares } = this.residual(await this.streams.read('target', p), output);
          if (!Number.isFinite(squares)) throw notFinite(site);
          error += squares;
          if (use === 'choose') chosenError += squares;
          await sums.add((use === 'choose' ? chosen : undefined) ?? fitted, x.data, residual);
        }
        await this.streams.writeInput(p, x);
        await this.streams.write('plain', p, output);
        this.advance(rows);
      }
    } finally {
      await module.close();
      await sums.close();
    }
    return { fitted, chosen, error, chosenError };
  }

  /**
   * Adds share · X · delta to the stream in "plain" and writes it to "healed".
   * @param correction delta: (width of X, hidden); undefined for none
   */
  async correct(
    site: Site,
    regressor: Regressor,
    correction: { readonly delta: Matrix; readonly share: number } | undefined,
  ): Promise<void> {
    const width = this.widthOf(site, regressor);
    const session = correction && (await this.openCorrection(correction));
    try {
      for (const [p, { rows }] of this.streams.parts.entries()) {
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

  /** The target of the site is the dense stream at its end. Afterwards the dense stream continues there. */
  async aim(site: Site): Promise<void> {
    await this.pass(['dense', 'target'], [site.module, site.next]);
  }

  /** The dense stream goes on from the target. */
  moveOn(): void {
    this.streams.swap('dense', 'target');
  }

  /** Mean |x| of each channel of the dense stream, over the fitted rows. */
  async channelMeans(): Promise<Float64Array> {
    const { hidden } = this.target.architecture;
    const sums = new Float64Array(hidden);
    let tokens = 0;
    for (const [p, { rows, use }] of this.streams.parts.entries()) {
      if (use === 'none') continue;
      const { data } = await this.streams.read('dense', p);
      for (let at = 0; at < data.length; at += hidden) {
        for (let i = 0; i < hidden; i++) sums[i] += Math.abs(data[at + i]);
      }
      tokens += rows * this.forward.length;
    }
    return sums.map((sum) => sum / tokens);
  }

  /** Starts a stream before block 0. @param rows in the order of the parts */
  async embed(stream: 'dense' | 'healed', rows: TokenRows): Promise<void> {
    const forward = stream === 'dense' ? this.denseForward : this.forward;
    for (const [p, { first, rows: count }] of this.streams.parts.entries()) {
      const [chunk] = await forward.embed(rows.slice(first, first + count));
      await this.streams.write(stream, p, chunk);
    }
  }

  private widthOf({ block, tensor }: Site, regressor: Regressor): number {
    const { layers, hidden } = this.model.architecture;
    if (regressor === 'output') return hidden;
    const { heads, headDim, ffn } = layers[block];
    return tensor === 'o_proj' ? heads * headDim : ffn;
  }

  private open(site: Site): Promise<OpenModule> {
    const attention = site.tensor === 'o_proj';
    const pool = this.streams.inputPool(this.widthOf(site, 'input'));
    return this.forward.openModule({ block: site.block, attention, ffn: !attention }, pool);
  }

  private async openCorrection({
    delta: { data, rows, columns },
    share,
  }: {
    readonly delta: Matrix;
    readonly share: number;
  }): Promise<Session> {
    const g = new Graph();
    const x = g.input('x', 'float32', ['tokens', rows]);
    const plain = g.input('plain', 'float32', ['tokens', columns]);
    const values = new Float32Array(data.length);
    for (let i = 0; i < values.length; i++) values[i] = -share * data[i];
    const negative = g.floats(values, [rows, columns]);
    g.output('y', lessProduct(g, plain, x, negative));
    return this.model.openSession(g.serialize(), { prepack: true });
  }

  /** What a module added to the stream. */
  private difference(after: Chunk, before: Chunk): Chunk {
    const chunk = this.streams.inputPool(this.model.architecture.hidden).take(after.rows);
    const { data } = chunk;
    for (let i = 0; i < data.length; i++) data[i] = after.data[i] - before.data[i];
    return chunk;
  }

  /** target − stream, until the next call, and the sum of its squares in float64. */
  private residual(target: Chunk, stream: Chunk): { readonly residual: Float32Array; readonly squares: number } {
    const [wanted, found] = [target.data, stream.data];
    if (this.spare.length < wanted.length) this.spare = new Float32Array(wanted.length);
    const residual = this.spare.subarray(0, wanted.length);
    let squares = 0;
    for (let i = 0; i < residual.length; i++) {
      const difference = wanted[i] - found[i];
      residual[i] = difference;
      squares += difference * difference;
    }
    return { residual, squares };
  }
}
