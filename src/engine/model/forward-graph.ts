/** The graphs of a forward pass without a past: a block (or one of its modules), and the head's token losses. */
import type { Architecture, LayerShape, LinearName } from '../checkpoint/architecture';
import { mixerKind } from '../checkpoint/kinds';
import { attentionIn, attentionOf, carriedBy, otherBlocks } from '../checkpoint/kinds/parts';
import type { Graph, Value } from '../onnx/graph';
import { fusedAttention, type FusedPast, plainAttention, type RotaryTable } from '../onnx/ops/attention';
import { mul, scale, sub } from '../onnx/ops/elementwise';
import { logSumExpLast, pickLast, sharedMass } from '../onnx/ops/loss';
import { maxLast, reduceSum } from '../onnx/ops/reduce';
import { reshape, takeColumns } from '../onnx/ops/shapes';
import { softmax } from '../onnx/ops/softmax';
import { applyLinears, type WeightSource } from '../weights/source';
import { type Binding, blockBinder } from './binding';
import { attentionShape, block } from './block';
import { flowFromStart, noFlow } from './flow';
import { finalNorm, finishLogits } from './logits';
import type { BlockStrategies } from './parts';
import type { Piece } from './piece';
import { projectLayer } from './project';
import { pairsOf, type RotaryNames } from './rotary';
import type { Step } from './view';

/**
 * The attention of a forward pass: onnxruntime's fused operator or plain products (see ops/attention.ts) over rows, or
 * plain products over trees of tokens (token-tree.ts).
 */
export type AttentionKind = 'fused' | 'plain' | 'tree';

/**
 * Declares a layer's rotation tables as inputs "cos" and "sin", (positions, pairs); undefined for a layer without rotation.
 * @param names of the inputs, if a graph holds several tables
 */
export function rotaryInputs(
  g: Graph,
  layer: LayerShape,
  names: RotaryNames = { cos: 'cos', sin: 'sin' },
): RotaryTable | undefined {
  const { rope, headDim } = attentionOf(layer);
  if (!rope) return undefined;
  const shape = ['positions', pairsOf({ rope, headDim })];
  const input = (name: string): Value => g.input(name, 'float32', shape);
  return { cos: input(names.cos), sin: input(names.sin), headDim };
}

/**
 * Builds the graph of a step. Feeds "x" (tokens, hidden), "cos" and "sin"; with fused attention "lastPositions" (rows)
 * and "totalLength" (1), with plain attention "mask" (length, length), over trees "mask" (rows, 1, length, length) and
 * "positions" (rows, length). Fetch "y" (tokens, hidden).
 * @param watch is told the input of every Linear, (tokens, in)
 */
export function buildStep(
  g: Graph,
  architecture: Architecture,
  step: Step,
  kind: AttentionKind,
  binding: Binding,
  watch?: (linear: LinearName, input: Value) => void,
): void {
  const x = g.input('x', 'float32', ['tokens', architecture.hidden]);
  g.output('y', block(g, x, architecture, step, stepStrategies(g, architecture, step, kind, binding, watch)));
}

/** How a step of a forward pass applies Linears and attends. It declares the inputs of `buildStep` but "x". */
export function stepStrategies(
  g: Graph,
  architecture: Architecture,
  step: Step,
  kind: AttentionKind,
  binding: Binding,
  watch?: (linear: LinearName, input: Value) => void,
): BlockStrategies {
  const weight = blockBinder(architecture, step.block, binding.weight);
  const project = projectLayer(g, step.block, weight, binding);
  return {
    weight: (name) => weight(name)!,
    project: (input, linears) => {
      for (const linear of linears) watch?.(linear, input);
      return project(input, linears);
    },
    ...tokensOf(g, architecture, step, kind, binding.products),
  };
}

/** How the tokens of a step's rows see each other. */
function tokensOf(
  g: Graph,
  a: Architecture,
  step: Step,
  kind: AttentionKind,
  products: Binding['products'],
): Pick<BlockStrategies, 'attend' | 'flow'> {
  if (!step.attention) return { attend: unreachable, flow: noFlow };
  const layer = a.layers[step.block];
  if (kind === 'tree' && carriedBy(layer)) throw otherBlocks(mixerKind(layer.mixer).words, 'attention');
  const attends = attentionIn(layer) !== undefined;
  // The feeds of attention: they say how many rows there are, or how long these are.
  if (!attends && kind === 'plain') g.input('mask', 'float32', ['length', 'length']);
  if (!attends && kind === 'fused') fusedLengths(g);
  return {
    attend: attends ? attention(g, a, step.block, kind, products) : unreachable,
    flow: carriedBy(layer) ? flowFromStart(g, kind === 'fused' ? 'fused' : 'chunks') : noFlow,
  };
}

const fusedLengths = (g: Graph): Pick<FusedPast, 'lastPositions' | 'totalLength'> => ({
  lastPositions: g.input('lastPositions', 'int32', ['rows']),
  totalLength: g.input('totalLength', 'int32', [1]),
});

/** @param products what plain attention multiplies in; the fused operator has the type of its inputs */
function attention(
  g: Graph,
  a: Architecture,
  index: number,
  kind: AttentionKind,
  products: Binding['products'],
): BlockStrategies['attend'] {
  const layer = attentionShape(a, index);
  const rotary = rotaryInputs(g, a.layers[index]);
  if (kind === 'plain') {
    const mask = g.input('mask', 'float32', ['length', 'length']);
    return (q, k, v, sinks) => plainAttention(g, [q, k, v], { ...layer, sinks }, rotary, { mask, products });
  }
  if (kind === 'tree') {
    const mask = g.input('mask', 'float32', ['rows', 1, 'length', 'length']);
    const positions = g.input('positions', 'int64', ['rows', 'length']);
    return (q, k, v, sinks) => plainAttention(g, [q, k, v], { ...layer, sinks }, rotary, { mask, positions, products });
  }
  const lengths = fusedLengths(g);
  return (query, key, value, sinks) => {
    const [q, k, v] = [query, key, value].map((t) => reshape(g, t, ['rows', 'length', t.shape[1]]));
    const start = { ...lengths, positions: g.ints(0) };
    const { output } = fusedAttention(g, [q, k, v], { ...layer, sinks }, rotary, start);
    return reshape(g, output, ['tokens', layer.heads * layer.headDim]);
  };
}

function unreachable(): never {
  throw new Error('a step without attention does not attend');
}

/** Applies a piece of the head. (tokens, hidden) → logits (tokens, piece) */
export type HeadPiece = (x: Value) => Value;

/** A piece of the source's head, in the source's arithmetic. */
export function headPieceOf(g: Graph, source: WeightSource, { start, size }: Piece): HeadPiece {
  return (x) => applyLinears(g, source, x, [{ key: 'head', rows: { start, count: size } }])[0];
}

/**
 * Final norm and one piece of the vocabulary. Feeds "x" (tokens, hidden) and "target" (tokens), int64 within the piece;
 * fetches "logSumExp" (tokens) over the piece and "targetLogit" (tokens).
 */
export function buildHeadPiece(g: Graph, architecture: Architecture, norm: Value, piece: HeadPiece): void {
  headPiece(g, architecture, norm, piece);
}

/**
 * The same with "top" (tokens), int64, the most likely word of the piece, and "topLogit" (tokens).
 * @param temperature divides all logits
 */
export function buildRankedPiece(
  g: Graph,
  architecture: Architecture,
  norm: Value,
  piece: HeadPiece,
  temperature = 1,
): void {
  outputTop(g, headPiece(g, architecture, norm, piece, temperature));
}

/** A piece of the logits over a temperature. Feeds "x" (tokens, hidden); fetches "logits" (tokens, piece). */
export function buildLogitsPiece(
  g: Graph,
  architecture: Architecture,
  norm: Value,
  piece: HeadPiece,
  temperature: number,
): void {
  g.output('logits', scale(g, pieceLogits(g, architecture, norm, piece), 1 / temperature));
}

/**
 * What two distributions have in common in one piece: Σ min(p, q). Feeds "x" (tokens, hidden), "other" (tokens, piece), the logits of
 * the other model, and "ownSum" and "otherSum" (tokens, 1), both log-sum-exps over all words; fetches "overlap" (tokens).
 */
export function buildOverlapPiece(
  g: Graph,
  architecture: Architecture,
  norm: Value,
  piece: HeadPiece,
  temperature: number,
): void {
  const logits = scale(g, pieceLogits(g, architecture, norm, piece), 1 / temperature);
  const own = sub(g, logits, g.input('ownSum', 'float32', ['tokens', 1]));
  const other = sub(g, g.input('other', 'float32', logits.shape), g.input('otherSum', 'float32', ['tokens', 1]));
  g.output('overlap', sharedMass(g, own, other));
}

/**
 * As `buildHeadPiece`, with the teacher's part of a divergence (divergence.ts): feeds also "teacher", its logits of the piece, and
 * "probabilities", their softmax, (tokens, piece) both; fetches also "difference" (tokens), the mean of teacher's logit −
 * logit under these probabilities.
 * @returns the logits, (tokens, piece)
 */
export function buildDivergencePiece(g: Graph, architecture: Architecture, norm: Value, piece: HeadPiece): Value {
  const logits = headPiece(g, architecture, norm, piece);
  const teacher = g.input('teacher', 'float32', logits.shape);
  const probabilities = g.input('probabilities', 'float32', logits.shape);
  // The difference first: it is small where the two agree, and so is its rounding.
  const weighted = mul(g, probabilities, sub(g, teacher, logits));
  g.output('difference', reduceSum(g, weighted, [1]));
  return logits;
}

/** The same with "top" (tokens), int64, and "topLogit" (tokens), the most likely word. */
export function buildComparedPiece(g: Graph, architecture: Architecture, norm: Value, piece: HeadPiece): void {
  outputTop(g, buildDivergencePiece(g, architecture, norm, piece));
}

/**
 * A teacher's final norm and one piece of the vocabulary. Feeds "x" (tokens, hidden); fetches "logits" and their softmax
 * "probabilities", (tokens, piece), and "logSumExp" (tokens) over the piece.
 * @returns the logits
 */
export function buildTaughtPiece(g: Graph, architecture: Architecture, norm: Value, piece: HeadPiece): Value {
  const logits = pieceLogits(g, architecture, norm, piece);
  g.output('logits', logits);
  g.output('probabilities', softmax(g, logits));
  g.output('logSumExp', logSumExpLast(g, logits));
  return logits;
}

/** The same with "top" and "topLogit" (tokens). */
export function buildTeacherPiece(g: Graph, architecture: Architecture, norm: Value, piece: HeadPiece): void {
  outputTop(g, buildTaughtPiece(g, architecture, norm, piece));
}

/**
 * As `buildHeadPiece`, with the kept words of the piece: fetches also "keptLogSumExp" (tokens) over them.
 * @param kept places within the piece, at least one
 */
export function buildKeptPiece(
  g: Graph,
  architecture: Architecture,
  norm: Value,
  piece: HeadPiece,
  kept: readonly number[],
): void {
  const logits = headPiece(g, architecture, norm, piece);
  g.output('keptLogSumExp', logSumExpLast(g, takeColumns(g, logits, g.indices(kept))));
}

/** Declares feeds and fetches of `buildHeadPiece`. @returns the logits, (tokens, piece) */
function headPiece(g: Graph, architecture: Architecture, norm: Value, piece: HeadPiece, temperature = 1): Value {
  const logits = scale(g, pieceLogits(g, architecture, norm, piece), 1 / temperature);
  const target = g.input('target', 'int64', ['tokens']);
  g.output('logSumExp', logSumExpLast(g, logits));
  g.output('targetLogit', pickLast(g, logits, target));
  return logits;
}

/** Declares the feed "x". (tokens, piece) */
function pieceLogits(g: Graph, architecture: Architecture, norm: Value, piece: HeadPiece): Value {
  const x = g.input('x', 'float32', ['tokens', architecture.hidden]);
  return finishLogits(g, piece(finalNorm(g, x, norm, architecture)), architecture);
}

/** Fetches "top" (tokens), the word with the highest logit (the lowest of equal ones), and "topLogit" (tokens). */
function outputTop(g: Graph, logits: Value): void {
  const [top, topLogit] = maxLast(g, logits);
  g.output('top', top);
  g.output('topLogit', topLogit);
}
