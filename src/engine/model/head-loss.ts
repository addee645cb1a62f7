/**
 * The head during training: token losses and their gradient with respect to the last hidden states, for some tokens at
 * a time. Positions without a target cost nothing.
 */
import type { Architecture } from '../checkpoint/architecture';
import { Graph } from '../onnx/graph';
import { float32, floats, int64, type Feeds, type Session, type Tensor } from '../onnx/session';
import { bindFrom } from './binding';
import { buildFrozenHeadLoss, buildHeadLoss, type HeadLossOptions } from './head-loss-graph';
import { headTokens } from './head-tokens';
import type { Model } from './model';
import { NO_TARGET } from './targets';
import type { Expected, TeacherStates } from './teaching';

export interface HeadGradients {
  /** Σ of the minimised loss over the tokens, in nats. */
  readonly loss: number;
  /** Σ of the tokens' cross-entropies; the same without a teacher. */
  readonly crossEntropy: number;
  /** ∂(scale · Σ)/∂x, (tokens, hidden); zero at positions without a target. */
  readonly dx: Float32Array;
  /** ∂(scale · Σ) by parameter: "finalNorm", "head"; empty unless trainable. */
  readonly gradients: Readonly<Record<string, Float32Array>>;
}

export class HeadLoss {
  private constructor(
    private readonly architecture: Architecture,
    private readonly session: Session,
    private readonly parameters: readonly string[],
    private readonly options: HeadLossOptions,
  ) {}

  static async open(model: Model, options: HeadLossOptions = {}): Promise<HeadLoss> {
    const g = new Graph();
    const { architecture, weights } = model;
    const { bind, trainable, measures, teacher } = options;
    const isFrozen = bind === undefined && !trainable && (!teacher || teacher.byExpectation);
    if (teacher?.byExpectation && !isFrozen) throw new Error('a trained head needs the distributions of its teacher');
    if (measures && isFrozen) throw new Error('a frozen head has one graph for its losses and their gradient');
    const parameters = isFrozen
      ? buildFrozenHeadLoss(g, architecture, weights, teacher)
      : buildHeadLoss(g, architecture, options, bind?.(g) ?? bindFrom(g, weights));
    const session = await model.openSession(g.serialize(), { prepack: true });
    return new HeadLoss(architecture, session, parameters, options);
  }

  /**
   * @param x the last hidden states, (tokens, hidden)
   * @param targets the next token of each position, or NO_TARGET
   * @param scale factor of every token loss: 1 / (targets of the whole batch)
   * @param more other feeds: parameters
   * @param teacher required if the loss has a teacher
   */
  async run(
    x: Float32Array,
    targets: ArrayLike<number>,
    scale: number,
    more: Feeds = {},
    teacher?: TeacherStates,
  ): Promise<HeadGradients> {
    const { hidden } = this.architecture;
    const dx = new Float32Array(x.length);
    const gradients: Record<string, Float32Array> = {};
    let loss = 0;
    let crossEntropy = 0;
    await this.inPieces(x, targets, { scale, more, teacher }, (result, some) => {
      for (const value of floats(result.losses)) loss += value;
      for (const value of floats(result.crossEntropies ?? result.losses)) crossEntropy += value;
      scatterRows(floats(result.dx), some, hidden, dx);
      for (const name of this.parameters) addTo(gradients, name, floats(result[`d:${name}`]));
    });
    return { loss, crossEntropy, dx, gradients };
  }

  /** Σ of the tokens' cross-entropies, in nats. The same arguments as those of `run`. */
  async measure(
    x: Float32Array,
    targets: ArrayLike<number>,
    more: Feeds = {},
    teacher?: TeacherStates,
  ): Promise<number> {
    let sum = 0;
    await this.inPieces(x, targets, { scale: 0, more, teacher }, ({ crossEntropies, losses }) => {
      for (const value of floats(crossEntropies ?? losses)) sum += value;
    });
    return sum;
  }

  /**
   * The head's own distributions, as they are taught by expectation. Only for a head whose teacher does that.
   * @param x last hidden states, (tokens, hidden)
   */
  async expected(x: Float32Array, targets: ArrayLike<number>): Promise<Expected> {
    const { hidden } = this.architecture;
    const [mean, entropy] = [new Float32Array(x.length), new Float32Array(targets.length)];
    await this.inPieces(x, targets, { scale: 0, more: {}, teacher: { feeds: {} } }, (result, some) => {
      scatterRows(floats(result.mean), some, hidden, mean);
      scatterRows(floats(result.entropy), some, 1, entropy);
    });
    return { mean, entropy };
  }

  /** Runs the session over the positions that have a target, some at a time. */
  private async inPieces(
    x: Float32Array,
    targets: ArrayLike<number>,
    { scale, more, teacher }: { readonly scale: number; readonly more: Feeds; readonly teacher?: TeacherStates },
    take: (result: Readonly<Record<string, Tensor>>, some: readonly number[]) => void,
  ): Promise<void> {
    const { hidden } = this.architecture;
    const wanted = Array.from({ length: targets.length }, (_, i) => i).filter((i) => targets[i] !== NO_TARGET);
    const { trainable, teacher: part } = this.options;
    const perRun = headTokens(this.architecture, trainable && !part);
    for (let at = 0; at < wanted.length; at += perRun) {
      const some = wanted.slice(at, at + perRun);
      const feeds: Record<string, Tensor> = {
        ...more,
        x: float32(gatherRows(x, some, hidden), [some.length, hidden]),
        target: int64(
          some.map((i) => targets[i]),
          [some.length],
        ),
        ...(!this.options.measures && { scale: float32(new Float32Array(some.length).fill(scale), [some.length]) }),
      };
      if (teacher) Object.assign(feeds, this.teacherFeeds(teacher, some));
      take(await this.session.run(feeds), some);
    }
  }

  private teacherFeeds({ states, expected, feeds }: TeacherStates, some: readonly number[]): Feeds {
    const count = some.length;
    const rowsOf = (x: Float32Array | undefined, width: number): Float32Array =>
      x ? gatherRows(x, some, width) : new Float32Array(count * width);
    const { hidden } = this.architecture;
    const part = this.options.teacher;
    if (part?.byExpectation) {
      const mean = float32(rowsOf(expected?.mean, hidden), [count, hidden]);
      return { taughtMean: mean, taughtEntropy: float32(rowsOf(expected?.entropy, 1), [count]) };
    }
    const width = part?.own?.hidden ?? hidden;
    return { ...feeds, teacher: float32(rowsOf(states, width), [count, width]) };
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

/** Some rows of x (tokens, width), one after another. */
export function gatherRows(x: Float32Array, rows: readonly number[], width: number): Float32Array {
  const some = new Float32Array(rows.length * width);
  rows.forEach((row, i) => some.set(x.subarray(row * width, (row + 1) * width), i * width));
  return some;
}

/** The reverse: rows (some, width) to their places in `into`. */
function scatterRows(rows: Float32Array, places: readonly number[], width: number, into: Float32Array): void {
  places.forEach((place, i) => into.set(rows.subarray(i * width, (i + 1) * width), place * width));
}

/** The first values are those of a run, which writes to new memory each time. */
function addTo(sums: Record<string, Float32Array>, name: string, values: Float32Array): void {
  const sum = sums[name];
  if (!sum) sums[name] = values;
  else for (let i = 0; i < sum.length; i++) sum[i] += values[i];
}
