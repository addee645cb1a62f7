/**
 * Healing in closed form, in float64 with whole tensors in memory: refit, fold (ReplaceMe, Shopkhoev et al. 2025) and
 * scalar (Prune&Comp, Chen et al. 2026). Written from healing.md §2 for single modules, of which whole blocks are the
 * special case. Slow on purpose; meant for toys.
 *
 * The modules form one sequence: attention 0, FFN 0, attention 1, … Each kept module adds something to the stream, by its
 * last Linear. The stream after it should be the dense stream at the next kept module. A *cut* is a kept module whose next
 * one was left out. Everything from the first cut on is corrected.
 */
import {
  addAll,
  dot,
  lastLinear,
  referenceEmbedding,
  referenceForward,
  referenceModule,
  logSumExp,
  type ReferenceModel,
  type ReferenceTensor,
  type ReferenceView,
  type Vector,
} from './forward';
import { fitNormSite } from './heal-norm';
import { diagonal, inner, type Matrix, solveSymmetric, square, subtract, transposedProduct } from './matrices';
import { referenceDivergence } from './measures';

type Half = 'attention' | 'ffn';

export interface ReferenceHealing {
  readonly method: 'refit' | 'fold' | 'scalar';
  /**
   * λ, in medians of the diagonal of XᵀX; "auto" chooses it from `GRID`. By a rule if undefined, or if there are too few
   * rows to choose: 6 · f / tokens of a refit, 0.3 of a fold.
   */
  readonly ridge?: number | 'auto';
  /** 0.5 if undefined. */
  readonly step?: number;
  /** Before a cut; 0.8 if undefined. */
  readonly stepCut?: number;
}

export interface ReferenceHealStep {
  readonly block: number;
  readonly tensor: 'o_proj' | 'down_proj';
  /** What was left out right after it: 3 for a block, "3.ffn" for a module. */
  readonly removed: readonly (number | string)[];
  readonly traceGram?: number;
  /** Lower median of the diagonal, or what takes its place where that is 0. */
  readonly medianGram?: number;
  readonly normCross?: number;
  readonly normDelta?: number;
  readonly errorBefore?: number;
  readonly errorAfter?: number;
  /** Null: none helped. */
  readonly ridge?: number | null;
  readonly heldErrors?: readonly number[];
  readonly s?: number;
  readonly weight?: { readonly norm: number; readonly dot: number };
  /** Of the norm behind it. */
  readonly normWeight?: { readonly norm: number; readonly dot: number };
}

export interface ReferenceHealed {
  /** In the order of the walk. Scalar has steps only at cuts. */
  readonly steps: readonly ReferenceHealStep[];
  /** The new weights and biases, by name. */
  readonly changed: ReadonlyMap<string, ReferenceTensor>;
  /** The model with them. */
  readonly model: ReferenceModel;
}

/** The residual stream of all rows: `[row][position]` is a vector of `hidden`. */
type Stream = readonly (readonly Vector[])[];

/** λ that "auto" tries. */
export const GRID = [0.1, 0.3, 1, 3, 10];

/** Every fifth row chooses λ. */
const chooses = (row: number): boolean => row % 5 === 4;

/** 6 · f / tokens within [0.1, 5]. f: width of the FFN */
const ruleOfRefit = (f: number, tokens: number): number => Math.min(5, Math.max(0.1, (6 * f) / tokens));

/**
 * Corrects the modules that `view` keeps, from the last one before the first cut on. With nothing left out all are
 * corrected if the target is another model, and none otherwise.
 * @param target has the dense stream; it may be another model of the same width and number of blocks
 */
export function referenceHeal(
  model: ReferenceModel,
  view: ReferenceView,
  rows: readonly (readonly number[])[],
  { method, ridge, step = 0.5, stepCut = 0.8 }: ReferenceHealing,
  target: ReferenceModel = model,
): ReferenceHealed {
  const modules = modulesOf(model);
  const keeps = (place: number): boolean => view[modules[place].part][modules[place].block];
  const firstGone = modules.findIndex((_, place) => !keeps(place));
  const dense = denseStreams(target, rows);
  const changed = new Map<string, ReferenceTensor>();
  const healed = { ...model, tensors: new Map(model.tensors) };
  const put = (name: string, tensor: ReferenceTensor): void => {
    changed.set(name, tensor);
    healed.tensors.set(name, tensor);
  };
  const tokens = rows.reduce((sum, row) => sum + row.length, 0);
  const steps: ReferenceHealStep[] = [];
  let x: Stream = rows.map((ids) => referenceEmbedding(model, ids));
  let product = 1; // of the factors so far

  for (let place = 0; place < modules.length; place++) {
    if (!keeps(place)) continue;
    let next = place + 1;
    while (next < modules.length && !keeps(next)) next++;
    const { block, part } = modules[place];
    const isCut = next > place + 1;
    const name = lastLinear(block, part);
    const weight = healed.tensors.get(`${name}.weight`)!;
    const bias = healed.tensors.get(`${name}.bias`);
    const tensor = part === 'attention' ? ('o_proj' as const) : ('down_proj' as const);
    const site = { block, tensor, removed: removedBetween(view, modules.slice(place + 1, next)) };
    const before = x;
    const run = (): Module => moduleOf(healed, block, part, before);

    if (method === 'scalar') {
      const behind = normName(model, block, part);
      if (product !== 1 && behind) {
        const { shape, values } = healed.tensors.get(`${behind}.weight`)!;
        const { normOffset } = model.config;
        put(`${behind}.weight`, {
          shape,
          values: Float64Array.from(values, (w) => (normOffset + w) / product - normOffset),
        });
      }
      if (product !== 1 && !behind) {
        put(`${name}.weight`, scaled(weight, 1 / product));
        if (bias) put(`${name}.bias`, scaled(bias, 1 / product));
      }
      if (isCut) {
        const s = meanOfRatios(dense[next], dense[place + 1]);
        product *= s;
        steps.push({ ...site, s });
      }
      x = run().out;
      continue;
    }

    const { input, added, out } = run();
    x = out;
    const isSite = firstGone < 0 ? target !== model : next > firstGone;
    const behind = normName(model, block, part);
    if (isSite && behind && method === 'refit') {
      const names = { linear: name, norm: behind };
      const share = isCut ? stepCut : step;
      const lambda = ridge === 'auto' && !rows.some((_, r) => chooses(r)) ? 0.1 : (ridge ?? 0.1);
      const seen = { input, before, target: dense[next] };
      const {
        weight: changed,
        norm,
        facts,
        errorOf,
      } = fitNormSite(healed, names, seen, { ridge: lambda, step: share, chooses });
      const helps = facts.normDelta > 0;
      if (helps) put(`${name}.weight`, changed);
      if (helps) put(`${behind}.weight`, norm);
      x = run().out;
      const checks = { weight: checksOf(changed), normWeight: checksOf(norm) };
      steps.push({ ...site, ...facts, errorAfter: errorOf(x), ...(helps && checks) });
    } else if (isSite && (isCut || method === 'refit')) {
      const residual = dense[next].map((row, r) => subtract(row, out[r])); // R
      const rule = method === 'fold' ? 0.3 : ruleOfRefit(ffnWidth(model, block), tokens);
      const lambda = ridge === 'auto' && !rows.some((_, r) => chooses(r)) ? rule : (ridge ?? rule);
      const { delta, ...fit } = fitted(method === 'fold' ? added : input, residual, lambda);
      const share = isCut ? stepCut : step;
      const factor = model.config.residualFactor; // the module adds this times what its Linear gives
      const helps = fit.normDelta > 0;
      if (helps && method === 'refit') put(`${name}.weight`, plusTransposed(weight, share / factor, delta));
      if (helps && method === 'fold') {
        const map = delta.map((row, i) => row.map((d, j) => share * d + (i === j ? 1 : 0))); // T = I + step · D
        put(`${name}.weight`, timesTransposed(map, weight));
        if (bias) put(`${name}.bias`, timesTransposed(map, bias));
      }
      const corrected = run();
      x = corrected.out;
      const errorAfter = squareOf(dense[next].map((row, r) => subtract(row, corrected.out[r])));
      const checks = checksOf(healed.tensors.get(`${name}.weight`)!);
      steps.push({ ...site, ...fit, errorBefore: squareOf(residual), errorAfter, weight: checks });
    }
  }
  return { steps, changed, model: healed };
}

/** The norm behind a module's last Linear, by name. */
function normName({ config }: ReferenceModel, block: number, part: Half): string | undefined {
  const { after } = config.norms[part];
  return after && `model.layers.${block}.${after}`;
}

/** All modules in the order of the stream. */
const modulesOf = ({ config }: ReferenceModel): { block: number; part: Half }[] =>
  Array.from({ length: config.blocks }, (_, block) => [
    { block, part: 'attention' as const },
    { block, part: 'ffn' as const },
  ]).flat();

/** The stream of the whole model before each module, and after the last. */
function denseStreams(model: ReferenceModel, rows: readonly (readonly number[])[]): Stream[] {
  const streams: Stream[] = [rows.map((ids) => referenceEmbedding(model, ids))];
  for (const { block, part } of modulesOf(model)) {
    streams.push(moduleOf(model, block, part, streams.at(-1)!).out);
  }
  return streams;
}

/** What the last Linear of a module reads, what it adds to the stream, and the stream after it. */
interface Module {
  readonly input: Stream;
  readonly added: Stream;
  readonly out: Stream;
}

function moduleOf(model: ReferenceModel, block: number, part: Half, x: Stream): Module {
  const rows = x.map((row) => referenceModule(model, block, part, row));
  return {
    input: rows.map(({ input }) => input),
    added: rows.map(({ added }) => added),
    out: rows.map(({ added }, r) => addAll(x[r], added)),
  };
}

/** A block that goes as a whole counts as one. */
function removedBetween(
  view: ReferenceView,
  gone: readonly { readonly block: number; readonly part: Half }[],
): (number | string)[] {
  const names = gone.map(({ block, part }) => (view.attention[block] || view.ffn[block] ? `${block}.${part}` : block));
  return [...new Set(names)];
}

/** D = (XᵀX + α I)⁻¹ XᵀR with α = λ · median(diag XᵀX); zeros where "auto" finds no λ that helps. */
function fitted(
  x: Stream,
  r: Stream,
  ridge: number | 'auto',
): Required<Pick<ReferenceHealStep, 'traceGram' | 'medianGram' | 'normCross' | 'normDelta'>> & {
  readonly delta: Matrix;
  readonly ridge: number | null;
  readonly heldErrors?: readonly number[];
} {
  const [d, h] = [x[0][0].length, r[0][0].length];
  const sums = (rows: (row: number) => boolean): { gram: Matrix; cross: Matrix } => {
    const [xs, rs] = [x, r].map((stream) => stream.filter((_, row) => rows(row)).flat());
    return { gram: transposedProduct(xs, xs, d, d), cross: transposedProduct(xs, rs, d, h) };
  };
  const others = sums((row) => !chooses(row));
  const chosen = sums(chooses);
  const gram = addAll(others.gram, chosen.gram);
  const cross = addAll(others.cross, chosen.cross);
  let lambda = ridge === 'auto' ? null : ridge;
  let heldErrors: number[] | undefined;
  if (ridge === 'auto') {
    // ‖R − XD‖² / ‖R‖² = (‖R‖² − 2 ⟨D, XᵀR⟩ + ⟨D, XᵀX D⟩) / ‖R‖² on the rows that choose, D fitted on the others
    const whole = squareOf(r.filter((_, row) => chooses(row)));
    heldErrors = GRID.map((each) => {
      const delta = shrunk(others.gram, others.cross, each);
      const quadratic = inner(delta, timesRows(chosen.gram, delta));
      return (whole - 2 * inner(delta, chosen.cross) + quadratic) / whole;
    });
    const best = Math.min(...heldErrors);
    lambda = best < 1 ? GRID[heldErrors.indexOf(best)] : null;
  }
  const delta = lambda === null ? cross.map((row) => row.map(() => 0)) : shrunk(gram, cross, lambda);
  return {
    traceGram: diagonal(gram).reduce((a, b) => a + b, 0),
    medianGram: typicalSquare(diagonal(gram)),
    normCross: Math.sqrt(square(cross)),
    normDelta: Math.sqrt(square(delta)),
    ridge: lambda,
    ...(heldErrors && { heldErrors }),
    delta,
  };
}

function shrunk(gram: Matrix, cross: Matrix, lambda: number): Matrix {
  const alpha = lambda * typicalSquare(diagonal(gram));
  if (alpha === 0) return cross; // X is 0, and so is XᵀR
  return solveSymmetric(
    gram.map((row, i) => row.map((value, j) => (i === j ? value + alpha : value))),
    cross,
  );
}

/** The lower median; the mean of the others where more than half are 0; 0 if all are. */
function typicalSquare(squares: readonly number[]): number {
  const median = [...squares].sort((a, b) => a - b)[Math.floor((squares.length - 1) / 2)];
  if (median !== 0) return median;
  const nonzero = squares.filter((value) => value !== 0);
  return nonzero.reduce((a, b) => a + b, 0) / Math.max(1, nonzero.length);
}

const squareOf = (stream: Stream): number => stream.reduce((sum, row) => sum + square(row), 0);

/** Mean over channels of mean|a| / mean|b|, each over all positions. */
function meanOfRatios(a: Stream, b: Stream): number {
  const sums = [a, b].map((stream) =>
    stream.flat().reduce((sum, v) => sum.map((value, i) => value + Math.abs(v[i])), new Float64Array(a[0][0].length)),
  );
  return sums[0].reduce((sum, value, i) => sum + value / sums[1][i], 0) / sums[0].length;
}

const ffnWidth = ({ tensors }: ReferenceModel, block: number): number =>
  tensors.get(`${lastLinear(block, 'ffn')}.weight`)!.shape[1];

const scaled = ({ shape, values }: ReferenceTensor, factor: number): ReferenceTensor => ({
  shape,
  values: Float64Array.from(values, (value) => factor * value),
});

/** W + step · Dᵀ. D: (in, out) */
function plusTransposed({ shape, values }: ReferenceTensor, step: number, delta: Matrix): ReferenceTensor {
  const into = shape[1];
  return {
    shape,
    values: Float64Array.from(values, (value, at) => value + step * delta[at % into][Math.floor(at / into)]),
  };
}

/** Tᵀ W, for a matrix or a vector W. T: (out, out) */
function timesTransposed(map: Matrix, { shape, values }: ReferenceTensor): ReferenceTensor {
  const width = values.length / shape[0];
  const product = Float64Array.from(values, (_, at) => {
    const [row, column] = [Math.floor(at / width), at % width];
    let sum = 0;
    for (let k = 0; k < shape[0]; k++) sum += map[k][row] * values[k * width + column];
    return sum;
  });
  return { shape, values: product };
}

/** A B, for a symmetric A. */
const timesRows = (a: Matrix, b: Matrix): Matrix => transposedProduct(a, b, a.length, b[0].length);

/** Norm of a tensor, and its dot product with u(n, 7), as golden/README.md defines u. */
export function checksOf({ values }: ReferenceTensor): { norm: number; dot: number } {
  const u = Float64Array.from(values, (_, i) => {
    const x = (Math.imul(i, 2654435761) + 7 * 40503 + 12345) >>> 0;
    return x / 2 ** 31 - 1;
  });
  const wide = Float64Array.from(values);
  return { norm: Math.sqrt(dot(wide, wide)), dot: dot(wide, u) };
}

/** How near a model is to the whole one. */
export interface ReferenceLikeness {
  /** Mean token loss. */
  readonly meanNll: number;
  /** Mean of KL(whole ‖ pruned). */
  readonly kl: number;
  /** Share of positions where both have the same most likely token. */
  readonly top1: number;
}

/** Measures models against a whole one, over all positions of the rows but the last of each. */
export function referenceLikeness(
  whole: ReferenceModel,
  rows: readonly (readonly number[])[],
): (model: ReferenceModel, view: ReferenceView) => ReferenceLikeness {
  const teacher = rows.map((ids) => referenceForward(whole, ids).logits);
  return (model, view) => {
    const sum = { nll: 0, kl: 0, same: 0, positions: 0 };
    for (const [r, ids] of rows.entries()) {
      const { logits } = referenceForward(model, ids, view);
      const { divergences, agree } = referenceDivergence(teacher[r], logits);
      for (const [t, kl] of divergences.entries()) {
        sum.nll += logSumExp(logits[t]) - logits[t][ids[t + 1]];
        sum.kl += kl;
        sum.same += agree[t];
        sum.positions++;
      }
    }
    return { meanNll: sum.nll / sum.positions, kl: sum.kl / sum.positions, top1: sum.same / sum.positions };
  };
}

/** The model with some other tensors, each number rounded. */
export function withTensors(
  model: ReferenceModel,
  tensors: ReadonlyMap<string, ReferenceTensor>,
  round: (value: number) => number = (value) => value,
): ReferenceModel {
  const rounded = [...tensors].map(
    ([name, { shape, values }]) => [name, { shape, values: Float64Array.from(values, round) }] as const,
  );
  return { ...model, tensors: new Map([...model.tensors, ...rounded]) };
}
