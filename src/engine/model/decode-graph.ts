/** The graph of cached decoding: some steps of the model with their cached keys and values, and optionally the head. */
import type { Architecture } from '../checkpoint/architecture';
import { attentionIn, carriedBy, windowOf } from '../checkpoint/kinds/parts';
import type { Graph, Value } from '../onnx/graph';
import { fusedAttention, fusedHeadDim, type FusedPast, rotate, type RotaryTable } from '../onnx/ops/attention';
import { placed, slottedAttention, type Slots } from '../onnx/ops/cached-attention';
import { concat, reshape, reshapeBy, shapeVector, takeRows } from '../onnx/ops/shapes';
import { attentionShape, block } from './block';
import { type Binding, blockBinder } from './binding';
import { rotaryInputs } from './forward-graph';
import { carriedFlow, noFlow, type RecurrenceForm } from './flow';
import { finalNorm, finishLogits } from './logits';
import { projectLayer } from './project';
import { tableNames } from './rotary';
import type { Step } from './view';

/**
 * The keys and values that a run returns: only the new ones, or all of them, in the shape of the feeds. New ones are one
 * result, "new": for each token the keys and the values of every attending step in turn, kvHeads · headDim numbers each.
 */
export type CacheResult = 'new' | 'present';

/**
 * Names of the keys and values, in this order, of the attending step with this number in its graph. Names are numbered
 * within the graph, so that models can share it though their blocks have other numbers.
 */
export function cacheNames(index: number): Record<'past' | 'present', [string, string]> {
  const named = (which: string): [string, string] => [`${which}Keys${index}`, `${which}Values${index}`];
  return { past: named('past'), present: named('present') };
}

/** What a decoding graph computes. */
export interface DecoderShape {
  readonly steps: readonly Step[];
  /** Whether the graph ends with the LM head. */
  readonly head: boolean;
  readonly caches: CacheResult;
  /** Plain products in place of the fused operator. */
  readonly plain?: boolean;
}

/** How the names of masks begin. */
export const MASK = 'mask';

/** Name of the mask of blocks with a window in a graph of plain products. */
export const maskName = (window: number | null): string => `${MASK}${window ?? ''}`;

/**
 * Builds cached decoding of some texts side by side, of any lengths. With a past and several new tokens it takes one
 * text only: a limit of the operator.
 *
 * Feeds "x" (tokens, hidden) with as many new tokens for each text, the rotation tables by `tableNames`, "positions"
 * (texts, length) of these tokens, "lastPositions" (texts), "totalLength" (1), and each step's cache (texts, kvHeads,
 * capacity, fusedHeadDim). With `plain`, in place of the last positions and the length: a mask for each window
 * (`maskName`; texts, 1, length, capacity + length) and, for present caches, "slots" (capacity) and "fresh" (capacity, 1).
 * Fetches what `caches` says and "y" (tokens, hidden), or with `head` the "logits" (ends, vocabulary) after the tokens
 * that "ends" (ends) numbers: the last one of each text, or all of one text. A step that carries states is fed them by
 * `stateNames`, each (texts, …), and returns them as they are after the new tokens, as many of each text as "counts" (texts, 1) says. A text with fewer new tokens than another is filled up behind them, and its
 * "lastPositions" leaves the filling out.
 */
export function buildDecoder(g: Graph, a: Architecture, shape: DecoderShape, binding: Binding): void {
  const { steps, head } = shape;
  const x = g.input('x', 'float32', ['tokens', a.hidden]);
  const { attending, carrying } = mixersOf(a, steps);
  const past = attending.length + carrying.length > 0 ? pastInputs(g, a, attending, shape) : undefined;
  // On a device, only plain products are right.
  const form: RecurrenceForm = shape.caches === 'present' ? 'chunks' : 'fused';
  const flowing =
    carrying.length > 0
      ? { perText: past!.perText, counts: g.input('counts', 'int64', ['texts', 1]), form }
      : undefined;
  const news: Value[] = [];
  let state = x;
  for (const step of steps) {
    const index = attending.indexOf(step);
    const weight = blockBinder(a, step.block, binding.weight);
    state = block(g, state, a, step, {
      weight: (name) => weight(name)!,
      project: projectLayer(g, step.block, weight, binding),
      attend: (q, k, v, sinks) => attendPast(g, a, step, { qkv: [q, k, v], sinks, index, shape, past: past!, news }),
      flow: carrying.includes(step) ? carriedFlow(g, carrying.indexOf(step), flowing!) : noFlow,
    });
  }
  if (news.length > 0) g.output('new', concat(g, news, 2));
  if (head) g.output('logits', logits(g, a, takeRows(g, state, g.input('ends', 'int64', ['ends'])), binding));
  else g.output('y', state);
}

/** The steps with keys and values, and those whose mixers carry other states. */
export function mixersOf(
  { layers }: Architecture,
  steps: readonly Step[],
): { readonly attending: readonly Step[]; readonly carrying: readonly Step[] } {
  const mixing = steps.filter(({ attention }) => attention);
  return {
    attending: mixing.filter(({ block }) => attentionIn(layers[block])),
    carrying: mixing.filter(({ block }) => carriedBy(layers[block])),
  };
}

/** Inputs that all steps with a mixer share. */
interface PastInputs {
  /** Rotation tables of the attending steps. */
  readonly tables: readonly (RotaryTable | undefined)[];
  readonly positions: Value;
  /** What the fused operator wants. */
  readonly lengths?: Pick<FusedPast, 'lastPositions' | 'totalLength'>;
  /** What plain products want in its place. */
  readonly masks?: ReadonlyMap<number | null, Value>;
  readonly slots?: Slots;
  /** The shape of a value with so many numbers for each token: (texts, length, n). */
  readonly perText: (width: number) => Value;
}

function pastInputs(g: Graph, a: Architecture, attending: readonly Step[], shape: DecoderShape): PastInputs {
  const positions = g.input('positions', 'int64', ['texts', 'length']);
  const shapes = new Map<number, Value>();
  const perText = (width: number): Value => {
    const shape = shapes.get(width) ?? shapeVector(g, [-1, g.dimension('length'), width]);
    shapes.set(width, shape);
    return shape;
  };
  const tables = new Map<string, RotaryTable>();
  for (const [i, names] of tableNames(a, attending).entries()) {
    if (names && !tables.has(names.cos)) {
      tables.set(names.cos, rotaryInputs(g, a.layers[attending[i].block], names)!);
    }
  }
  return {
    tables: tableNames(a, attending).map((names) => names && tables.get(names.cos)),
    positions,
    perText,
    ...(shape.plain ? plainInputs(g, a, attending, shape) : { lengths: fusedInputs(g) }),
  };
}

const fusedInputs = (g: Graph): PastInputs['lengths'] => ({
  lastPositions: g.input('lastPositions', 'int32', ['texts']),
  totalLength: g.input('totalLength', 'int32', [1]),
});

function plainInputs(
  g: Graph,
  { layers }: Architecture,
  attending: readonly Step[],
  { caches }: DecoderShape,
): Pick<PastInputs, 'masks' | 'slots'> {
  const windows = new Set(attending.map(({ block }) => windowOf(layers[block])));
  const mask = (window: number | null): Value =>
    g.input(maskName(window), 'float32', ['texts', 1, 'length', 'capacity + length']);
  const slots = (): Slots => ({
    tokens: g.input('slots', 'int64', ['capacity']),
    fresh: g.input('fresh', 'float32', ['capacity', 1]),
  });
  return {
    masks: new Map(Array.from(windows, (window) => [window, mask(window)])),
    ...(caches === 'present' && { slots: slots() }),
  };
}

interface Attending {
  readonly qkv: readonly Value[];
  readonly sinks?: Value;
  /** The step's number among the attending ones. */
  readonly index: number;
  readonly shape: DecoderShape;
  readonly past: PastInputs;
  /** Takes new keys and values. */
  readonly news: Value[];
}

/** Attention of a step's new tokens over its cache; the step's keys and values become results of the graph. */
function attendPast(g: Graph, a: Architecture, step: Step, { qkv, sinks, index, shape, past, news }: Attending): Value {
  const { caches, plain = false } = shape;
  const { tables, lengths, masks, slots, positions, perText } = past;
  const names = cacheNames(index);
  const layer = { ...attentionShape(a, step.block), sinks };
  const rotary = tables[index];
  const cache = ['texts', layer.kvHeads, 'capacity', fusedHeadDim(layer.headDim)];
  const [keys, values] = names.past.map((n) => g.input(n, 'float32', cache));
  const [q, k, v] = qkv.map((t) => reshapeBy(g, t, perText(Number(t.shape[1])), ['texts', 'length', t.shape[1]]));
  // The cache holds rotated keys, so new keys are rotated before they are handed out.
  const isRotated = caches === 'new' || plain;
  const [query, key] = isRotated && rotary ? [q, k].map((t) => rotate(g, t, positions, rotary)) : [q, k];
  const attention = lengths
    ? fusedAttention(g, [query, key, v], layer, isRotated ? undefined : rotary, { keys, values, positions, ...lengths })
    : slottedAttention(g, [query, key, v], layer, { keys, values, mask: masks!.get(layer.window)! });
  if (caches === 'new') news.push(key, v);
  else {
    const news = [attention.keys, attention.values];
    const present = slots ? news.map((value, i) => placed(g, i === 0 ? keys : values, value, slots)) : news;
    present.forEach((value, i) => g.output(names.present[i], value));
  }
  return reshape(g, attention.output, ['tokens', layer.heads * layer.headDim]);
}

function logits(g: Graph, a: Architecture, state: Value, binding: Binding): Value {
  const normalised = finalNorm(g, state, binding.weight('finalNorm'), a);
  return finishLogits(g, binding.apply(normalised, [{ key: 'head' }])[0], a);
}
