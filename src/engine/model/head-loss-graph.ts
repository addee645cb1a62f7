/** The graphs of a head's loss and its gradient: one for a head that is trained or reads a teacher's states, one for a frozen one. */
import type { Architecture } from '../checkpoint/architecture';
import type { Graph, Value } from '../onnx/graph';
import { gradients } from '../onnx/gradient';
import { add, scale } from '../onnx/ops/elementwise';
import { frozenCrossEntropy, frozenDivergence } from '../onnx/ops/frozen-loss';
import { linear } from '../onnx/ops/linear';
import { crossEntropy, divergence } from '../onnx/ops/loss';
import type { WeightSource } from '../weights/source';
import type { Bind } from './binding';
import { finalNorm, finishLogits } from './logits';
import type { TeacherPart } from './teaching';

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
  /** Losses alone, without a gradient; only with `bind`. */
  readonly measures?: boolean;
  readonly teacher?: TeacherPart;
}

/**
 * Builds the trained head. Feeds x (tokens, hidden), target (tokens), scale (tokens), and with a teacher its hidden
 * states "teacher". Fetches losses (tokens), with a teacher also crossEntropies (tokens), dx and the parameters'
 * gradients. A head that only measures has no scale, and fetches losses.
 */
export function buildHeadLoss(
  g: Graph,
  a: Architecture,
  { trainable = false, measures = false, teacher }: HeadLossOptions,
  bind: Bind,
): string[] {
  const x = g.input('x', 'float32', ['tokens', a.hidden]);
  const target = g.input('target', 'int64', ['tokens']);
  const norm = bind('finalNorm');
  const matrix = bind('head');
  const z = finishLogits(g, linear(g, finalNorm(g, x, norm, a), matrix), a);
  const truth = crossEntropy(g, z, target);
  if (measures) {
    g.output('losses', truth);
    return [];
  }
  const seed = g.input('scale', 'float32', ['tokens']);
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

/**
 * Builds a frozen head, with the same feeds and fetches. A teacher is one by expectation, which is fed as "taughtMean" (tokens,
 * hidden) and "taughtEntropy" (tokens). Then the head's own are fetched too: "mean", "entropy".
 */
export function buildFrozenHeadLoss(g: Graph, a: Architecture, weights: WeightSource, teacher?: TeacherPart): string[] {
  const x = g.input('x', 'float32', ['tokens', a.hidden]);
  const target = g.input('target', 'int64', ['tokens']);
  const seed = g.input('scale', 'float32', ['tokens']);
  // The factor of the logits is that of the states here.
  const h = scale(g, finalNorm(g, x, weights.bind(g, 'finalNorm'), a), a.style.logitScale);
  const pieces: Value[] = [];
  for (let start = 0; start < a.vocabulary; start += HEAD_LOSS_PIECE) {
    pieces.push(weights.bind(g, 'head', { start, count: Math.min(HEAD_LOSS_PIECE, a.vocabulary - start) }));
  }
  const truth = weights.bind(g, 'head', target);
  let losses: Value;
  if (teacher) {
    const mean = g.input('taughtMean', 'float32', ['tokens', a.hidden]);
    const entropy = g.input('taughtEntropy', 'float32', ['tokens']);
    const found = frozenDivergence(g, h, { pieces, truth, weight: teacher.weight, mean, entropy });
    for (const name of ['crossEntropies', 'mean', 'entropy'] as const) g.output(name, found[name]);
    losses = found.losses;
  } else {
    losses = frozenCrossEntropy(g, h, { pieces, truth, target }, a.style.logitCap);
  }
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
