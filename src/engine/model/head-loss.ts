/**
 * The head during training: token losses and their gradient with respect to the last hidden states, for some tokens at
 * a time. Positions without a target cost nothing.
 */
import type { Architecture } from '../checkpoint/architecture';
import { Graph, type Value } from '../onnx/graph';
import { gradients } from '../onnx/gradient';
import { linear } from '../onnx/ops/linear';
import { crossEntropy, divergence, frozenCrossEntropy } from '../onnx/ops/loss';
import { add, scale } from '../onnx/ops/elementwise';
import { float32, floats, int64, type Feeds, type Session } from '../onnx/session';
import type { WeightSource } from '../weights/source';
import { type Bind, bindFrom } from './binding';
import { finalNorm, finishLogits } from './logits';
import type { Model } from './model';
import { NO_TARGET } from './targets';

/** Bytes of logits at a time. The graph holds a few arrays of that size. */
const LOGITS_BYTES = 64 << 20;
const MAX_TOKENS = 1024;
/**
 * Words of a frozen head in one product. Rows of logits whose distance in memory is a multiple of a page compete for
 * the same few cache lines. Rows of a piece of this size, six pages and a line long, do not.
 */
export const HEAD_LOSS_PIECE = 6160;

export interface HeadLossOptions {
  /** The source of the weights; the model's source when undefined. */
  readonly bind?: (g: Graph) => Bind;
  /** Whether the head is trained, so that the gradients of its parameters are computed. */
  readonly trainable?: boolean;
  readonly teacher?: TeacherPart;
}

/** The teacher's part of the loss. */
export interface TeacherPart {
  /** Its share of the loss, 0 … 1. */
  readonly weight: number;
  /**
   * Set when its final norm and head differ from the student's. They are then fed as "teacherNorm" and "teacherHead".
   */
  readonly own?: Pick<Architecture, 'hidden' | 'rmsNormEps' | 'style'>;
}

/** The teacher's states for some tokens. */
export interface TeacherStates {
  /** Its last hidden states, (tokens, its hidden); absent when only the cross-entropy is of interest. */
  readonly states?: Float32Array;
  /** Its own final norm and head, if any. */
  readonly feeds: Feeds;
  /** Its states where the hidden-state loss compares, (tokens, hidden), if there is such a loss. */
  readonly hidden?: Float32Array;
}

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
    private readonly teacher: TeacherPart | undefined,
  ) {}

  static async open(model: Model, options: HeadLossOptions = {}): Promise<HeadLoss> {
    const g = new Graph();
    const { architecture, weights } = model;
    const { bind, trainable, teacher } = options;
    const isFrozen = bind === undefined && !trainable && !teacher;
    const parameters = isFrozen
      ? buildFrozenHeadLoss(g, architecture, weights)
      : buildHeadLoss(g, architecture, options, bind?.(g) ?? bindFrom(g, weights));
    const session = await model.openSession(g.serialize(), { prepack: true });
    return new HeadLoss(architecture, session, parameters, teacher);
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
    const { hidden, vocabulary } = this.architecture;
    const wanted = Array.from({ length: targets.length }, (_, i) => i).filter((i) => targets[i] !== NO_TARGET);
    const perRun = Math.max(1, Math.min(MAX_TOKENS, Math.floor(LOGITS_BYTES / (4 * vocabulary))));
    const dx = new Float32Array(x.length);
    const gradients: Record<string, Float32Array> = {};
    let loss = 0;
    let crossEntropy = 0;
    for (let at = 0; at < wanted.length; at += perRun) {
      const some = wanted.slice(at, at + perRun);
      const feeds: Record<string, Feeds[string]> = {
        ...more,
        x: float32(gatherRows(x, some, hidden), [some.length, hidden]),
        target: int64(
          some.map((i) => targets[i]),
          [some.length],
        ),
        scale: float32(new Float32Array(some.length).fill(scale), [some.length]),
      };
      if (teacher) Object.assign(feeds, this.teacherFeeds(teacher, some));
      const result = await this.session.run(feeds);
      for (const value of floats(result.losses)) loss += value;
      for (const value of floats(result.crossEntropies ?? result.losses)) crossEntropy += value;
      const dSome = floats(result.dx);
      some.forEach((token, i) => dx.set(dSome.subarray(i * hidden, (i + 1) * hidden), token * hidden));
      for (const name of this.parameters) addTo(gradients, name, floats(result[`d:${name}`]));
    }
    return { loss, crossEntropy, dx, gradients };
  }

  private teacherFeeds({ states, feeds }: TeacherStates, some: readonly number[]): Feeds {
    const width = this.teacher?.own?.hidden ?? this.architecture.hidden;
    const rows = states ? gatherRows(states, some, width) : new Float32Array(some.length * width);
    return { ...feeds, teacher: float32(rows, [some.length, width]) };
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

/**
 * Builds the trained head. Feeds x (tokens, hidden), target (tokens), scale (tokens), and with a teacher its hidden
 * states "teacher". Fetches losses (tokens), with a teacher also crossEntropies (tokens), dx and the parameters'
 * gradients.
 */
function buildHeadLoss(
  g: Graph,
  a: Architecture,
  { trainable = false, teacher }: HeadLossOptions,
  bind: Bind,
): string[] {
  const x = g.input('x', 'float32', ['tokens', a.hidden]);
  const target = g.input('target', 'int64', ['tokens']);
  const seed = g.input('scale', 'float32', ['tokens']);
  const norm = bind('finalNorm');
  const matrix = bind('head');
  const z = finishLogits(g, linear(g, finalNorm(g, x, norm, a), matrix), a);
  const truth = crossEntropy(g, z, target);
  let losses = truth;
  if (teacher) {
    const taught = divergence(g, z, teacherLogits(g, a, teacher, norm, matrix));
    losses = add(g, scale(g, truth, 1 - teacher.weight), scale(g, taught, teacher.weight));
    g.output('crossEntropies', truth);
  }
  const parameters: Record<string, Value> = trainable ? { finalNorm: norm, head: matrix } : {};
  const [dx, ...found] = gradients(g, new Map([[losses, seed]]), [x, ...Object.values(parameters)]);
  g.output('losses', losses);
  g.output('dx', dx);
  const names = Object.keys(parameters);
  names.forEach((name, i) => g.output(`d:${name}`, found[i]));
  return names;
}

/** Builds a frozen head without a teacher, with the same feeds and fetches. */
function buildFrozenHeadLoss(g: Graph, a: Architecture, weights: WeightSource): string[] {
  const x = g.input('x', 'float32', ['tokens', a.hidden]);
  const target = g.input('target', 'int64', ['tokens']);
  const seed = g.input('scale', 'float32', ['tokens']);
  // The factor of the logits is that of the states here.
  const h = scale(g, finalNorm(g, x, weights.bind(g, 'finalNorm'), a), a.style.logitScale);
  const pieces: Value[] = [];
  for (let start = 0; start < a.vocabulary; start += HEAD_LOSS_PIECE) {
    pieces.push(weights.bind(g, 'head', { start, count: Math.min(HEAD_LOSS_PIECE, a.vocabulary - start) }));
  }
  const losses = frozenCrossEntropy(g, h, { pieces, truth: weights.bind(g, 'head', target), target }, a.style.logitCap);
  const [dx] = gradients(g, new Map([[losses, seed]]), [x]);
  g.output('losses', losses);
  g.output('dx', dx);
  return [];
}

/** The teacher's logits, through the student's norm and head unless the teacher has its own. (tokens, vocabulary) */
function teacherLogits(g: Graph, a: Architecture, { own }: TeacherPart, norm: Value, matrix: Value): Value {
  const { hidden } = own ?? a;
  const states = g.input('teacher', 'float32', ['tokens', hidden]);
  const logits = (weight: Value, head: Value): Value =>
    finishLogits(g, linear(g, finalNorm(g, states, weight, own ?? a), head), own ?? a);
  if (!own) return logits(norm, matrix);
  const ownNorm = g.input('teacherNorm', 'float32', [hidden]);
  return logits(ownNorm, g.input('teacherHead', 'float32', [a.vocabulary, hidden]));
}

/** Some rows of x (tokens, width), one after another. */
export function gatherRows(x: Float32Array, rows: readonly number[], width: number): Float32Array {
  const some = new Float32Array(rows.length * width);
  rows.forEach((row, i) => some.set(x.subarray(row * width, (row + 1) * width), i * width));
  return some;
}

function addTo(sums: Record<string, Float32Array>, name: string, values: Float32Array): void {
  const sum = sums[name];
  if (!sum) sums[name] = Float32Array.from(values);
  else for (let i = 0; i < sum.length; i++) sum[i] += values[i];
}
