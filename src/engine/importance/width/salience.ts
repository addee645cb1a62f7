/**
 * How much the channels of a block matter, by LLM-Pruner (Ma et al. 2023): what a weight is worth (methods.ts), summed
 * over rows of q, k, v, gate and up (on top of each other too), and over columns of o and down. Norms and biases do not count.
 */
import { type PlainShape, plainShape } from '../../checkpoint/kinds/plain';
import { type BlockWeightName, weightOf } from '../../checkpoint/weight-key';
import { groupsOf } from '../../checkpoint/width';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { requireNoAdapter } from '../../model/no-adapter';
import { fullView, stepsOf } from '../../model/view';
import type { Graph, Value } from '../../onnx/graph';
import { abs, mul, scale, sub } from '../../onnx/ops/elementwise';
import { reduceSum } from '../../onnx/ops/reduce';
import { type JobOptions, Work } from '../../progress';
import { type Fold, foldGradients } from '../block-gradients';
import type { Salience } from './methods';
import { summed, type UnitScores } from './units';
import { channelSums } from './weight-sums';

/** The weights of units, and whether their channels are rows or columns. */
const CHANNELS = {
  qkv: 'rows',
  q: 'rows',
  k: 'rows',
  v: 'rows',
  o: 'columns',
  gateUp: 'rows',
  gate: 'rows',
  up: 'rows',
  down: 'columns',
} as const satisfies Partial<Record<BlockWeightName, 'rows' | 'columns'>>;

type UnitWeight = keyof typeof CHANNELS;
const UNIT_WEIGHTS = Object.keys(CHANNELS) as UnitWeight[];
const isUnitWeight = (name: BlockWeightName): name is UnitWeight => name in CHANNELS;

/**
 * The scores of every block's units.
 * @throws UserError for a model with an adapter on top if gradients are needed; CancelledError
 */
export async function unitSaliences(
  model: Model,
  rows: TokenRows,
  salience: Salience,
  job: JobOptions,
): Promise<UnitScores[]> {
  if (salience === 'l1' || salience === 'l2') return magnitudes(model, salience, job);
  requireNoAdapter(model, 'prune by LLM-Pruner');
  const { layers } = model.architecture;
  const { steps } = await foldGradients(
    model,
    rows,
    stepsOf(fullView(layers.length)),
    foldOf(salience, rows.length),
    job,
  );
  return steps.map(({ step, weights }) => unitScores(plainShape(layers[step.block]), (name) => weights.get(name)!));
}

/** Gradients of a run of one row are those of its share, so that N times such a gradient is that of its own mean loss. */
function foldOf(salience: Exclude<Salience, 'l1' | 'l2'>, rows: number): Fold {
  /** w²·g_s²/N = N·(w·g_s/N)², where w·g_s/N is what is given. */
  const second = (g: Graph, product: Value): Value => scale(g, mul(g, product, product), rows);
  const wants = isUnitWeight;
  const sum = (g: Graph, name: BlockWeightName, x: Value): Value =>
    reduceSum(g, x, [CHANNELS[name as UnitWeight] === 'rows' ? 1 : 0]);
  switch (salience) {
    case 'first':
      return { wants, fold: (g, name, weight, gradient) => sum(g, name, abs(g, mul(g, weight, gradient))) };
    case 'vectorize':
      return { wants, fold: (g, name, weight, gradient) => abs(g, sum(g, name, mul(g, weight, gradient))) };
    case 'second': {
      const ofRow = (g: Graph, weight: Value, gradient: Value): Value => second(g, mul(g, weight, gradient));
      return { wants, ofRow, fold: (g, name, _weight, saliences) => sum(g, name, saliences) };
    }
    case 'mix': {
      const ofRow = (g: Graph, weight: Value, gradient: Value): Value => {
        const first = mul(g, weight, gradient);
        return sub(g, first, scale(g, second(g, first), 0.5));
      };
      return { wants, ofRow, fold: (g, name, _weight, saliences) => sum(g, name, abs(g, saliences)) };
    }
  }
}

/** Σ |w| or Σ w² (without a root), which need no text. */
async function magnitudes({ architecture, weights }: Model, norm: 'l1' | 'l2', job: JobOptions): Promise<UnitScores[]> {
  const { layers } = architecture;
  const work = new Work(job, layers.length, 'blocks', 'reading weights');
  const of = norm === 'l1' ? Math.abs : (weight: number): number => weight * weight;
  const scores: UnitScores[] = [];
  for (const [layer, shape] of layers.entries()) {
    const sums = new Map<UnitWeight, Float64Array>();
    for (const name of UNIT_WEIGHTS) {
      if (!weightOf(architecture, { layer, name })) continue;
      sums.set(name, await channelSums(weights, { layer, name }, CHANNELS[name], of));
    }
    scores.push(unitScores(plainShape(shape), (name) => sums.get(name)!));
    work.advance(1);
  }
  return scores;
}

/** Sums what the channels of a unit have in all of its weights. */
function unitScores(shape: PlainShape, channels: (name: UnitWeight) => ArrayLike<number>): UnitScores {
  const { heads, kvHeads, headDim, ffn, fused } = shape;
  const [queryWidth, keyWidth] = [heads * headDim, kvHeads * headDim];
  const attention = fused
    ? [...parts(channels('qkv'), [queryWidth, keyWidth, keyWidth]), channels('o')]
    : (['q', 'k', 'v', 'o'] as const).map(channels);
  const neurons = fused
    ? [...parts(channels('gateUp'), [ffn, ffn]), channels('down')]
    : (['gate', 'up', 'down'] as const).map(channels);
  return {
    groups: total(attention.map((each) => summed(each, groupsOf(shape)))),
    neurons: total(neurons.map((each) => summed(each, ffn))),
  };
}

/** The channels of Linears that lie on top of each other. */
function parts(channels: ArrayLike<number>, sizes: readonly number[]): Float64Array[] {
  const all = Float64Array.from(channels);
  let start = 0;
  return sizes.map((size) => all.subarray(start, (start += size)));
}

const total = ([first, ...others]: readonly Float64Array[]): Float64Array =>
  first.map((score, i) => others.reduce((sum, scores) => sum + scores[i], score));
