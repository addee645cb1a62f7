/**
 * The correction of a site with a norm behind its Linear, in float64 (healing.md §7): the weight with the scale of each token
 * held, a ridge of its own for each channel, then what the norm multiplies by. Every channel's system is solved on its own.
 */
import { dot, type ReferenceModel, type ReferenceTensor, type Vector } from './forward';
import { diagonal, inner, type Matrix, solveSymmetric, square, transposedProduct } from './matrices';

/** What the fit sees: rows of positions. */
export interface NormSiteRows {
  /** The Linear's input. */
  readonly input: readonly (readonly Vector[])[];
  /** The healed stream before the module. */
  readonly before: readonly (readonly Vector[])[];
  /** The whole model's stream where the next module starts. */
  readonly target: readonly (readonly Vector[])[];
}

export interface NormSiteFit {
  readonly weight: ReferenceTensor;
  readonly norm: ReferenceTensor;
  readonly facts: {
    readonly traceGram: number;
    readonly normCross: number;
    readonly normDelta: number;
    readonly errorBefore: number;
    readonly ridge: number | null;
    readonly heldErrors?: readonly number[];
  };
  /** Σ ω² |target − stream|² of the stream after the module. */
  readonly errorOf: (out: readonly (readonly Vector[])[]) => number;
}

/** λ that "auto" tries. */
export const NORM_GRID = [0.03, 0.1, 0.3, 1, 3];

interface Token {
  readonly input: Vector;
  readonly wanted: Vector;
  readonly count: number;
  readonly chooses: boolean;
}

/** @param linear and norm: their names in the model */
export function fitNormSite(
  model: ReferenceModel,
  names: { readonly linear: string; readonly norm: string },
  rows: NormSiteRows,
  {
    ridge,
    step,
    chooses,
  }: { readonly ridge: number | 'auto'; readonly step: number; readonly chooses: (row: number) => boolean },
): NormSiteFit {
  const { eps, normOffset, residualFactor } = model.config;
  const weight = model.tensors.get(`${names.linear}.weight`)!;
  const bias = model.tensors.get(`${names.linear}.bias`);
  const norm = model.tensors.get(`${names.norm}.weight`)!;
  const gains = Float64Array.from(norm.values, (w) => residualFactor * (normOffset + w));
  const rms = (v: Vector): number => Math.sqrt(dot(v, v) / v.length + eps);
  const countOf = (v: Vector, position: number): number => (position === 0 ? 0 : 1 / rms(v));
  const tokens = rows.input.flatMap((row, r) =>
    row.map((input, t): Token => {
      const target = rows.target[r][t];
      const wanted = target.map((value, i) => value - rows.before[r][t][i]);
      return { input, wanted, count: countOf(target, t), chooses: ridge === 'auto' && chooses(r) };
    }),
  );
  const apply = ({ shape: [out, into], values }: ReferenceTensor, x: Vector): Vector =>
    Float64Array.from({ length: out }, (_, o) => {
      let sum = bias?.values[o] ?? 0;
      for (let i = 0; i < into; i++) sum += values[o * into + i] * x[i];
      return sum;
    });

  const seen = tokens.map(({ input, wanted, count, chooses: isChosen }) => {
    const z = apply(weight, input);
    const scale = count / rms(z);
    return {
      x: input.map((value) => value * scale),
      e: wanted.map((value, c) => count * value - scale * gains[c] * z[c]),
      isChosen,
    };
  });
  const [d, h] = [rows.input[0][0].length, gains.length];
  const sums = (some: typeof seen): { gram: Matrix; cross: Matrix } => {
    const [xs, es] = [some.map(({ x }) => x), some.map(({ e }) => e)];
    return { gram: transposedProduct(xs, xs, d, d), cross: transposedProduct(xs, es, d, h) };
  };
  const meanGain = gains.reduce((sum, g) => sum + g * g, 0) / h;
  const deltaOf = ({ gram, cross }: ReturnType<typeof sums>, lambda: number): Vector[] => {
    const alpha = ((lambda * diagonal(gram).reduce((a, b) => a + b, 0)) / d) * meanGain;
    if (alpha === 0) return cross.map((row) => row.map(() => 0)); // X is 0
    const columns = Array.from(gains, (g, c) => {
      const left = gram.map((row, i) => row.map((value, j) => g * g * value + (i === j ? alpha : 0)));
      return solveSymmetric(
        left,
        cross.map((row) => Float64Array.of(g * row[c])),
      );
    });
    return Array.from({ length: d }, (_, i) => Float64Array.from(columns, (column) => column[i][0]));
  };

  let lambda = ridge === 'auto' ? null : ridge;
  let heldErrors: number[] | undefined;
  if (ridge === 'auto') {
    const [others, chosen] = [seen.filter(({ isChosen }) => !isChosen), seen.filter(({ isChosen }) => isChosen)];
    const whole = square(chosen.map(({ e }) => e));
    const [fitted, held] = [sums(others), sums(chosen)];
    heldErrors = NORM_GRID.map((each) => {
      const image = deltaOf(fitted, each).map((row) => row.map((value, c) => value * gains[c]));
      const quadratic = inner(image, transposedProduct(held.gram, image, d, h));
      return (whole - 2 * inner(image, held.cross) + quadratic) / whole;
    });
    const best = Math.min(...heldErrors);
    lambda = best < 1 ? NORM_GRID[heldErrors.indexOf(best)] : null;
  }
  const all = sums(seen);
  const delta = lambda === null ? all.cross.map((row) => row.map(() => 0)) : deltaOf(all, lambda);
  const changed = {
    shape: weight.shape,
    values: Float64Array.from(weight.values, (value, at) => value + step * delta[at % d][Math.floor(at / d)]),
  };

  const num = new Float64Array(h);
  const den = new Float64Array(h);
  for (const { input, wanted, count } of tokens) {
    const z = apply(changed, input);
    const scale = (count * residualFactor) / rms(z);
    for (let c = 0; c < h; c++) {
      num[c] += scale * z[c] * count * wanted[c];
      den[c] += (scale * z[c]) ** 2;
    }
  }
  const alpha = ((lambda ?? 0) * den.reduce((a, b) => a + b, 0)) / h;
  const values = Float64Array.from(norm.values, (w, c) => {
    const g = normOffset + w;
    return lambda === null ? w : g + step * ((num[c] + alpha * g) / (den[c] + alpha) - g) - normOffset;
  });
  return {
    weight: changed,
    norm: { shape: norm.shape, values },
    facts: {
      traceGram: diagonal(all.gram).reduce((a, b) => a + b, 0),
      normCross: Math.sqrt(square(all.cross)),
      normDelta: Math.sqrt(square(delta)),
      errorBefore: square(seen.map(({ e }) => e)),
      ridge: lambda,
      ...(heldErrors && { heldErrors }),
    },
    errorOf: (out) =>
      out.reduce((sum, row, r) => {
        const errors = row.map((v, t) => {
          const target = rows.target[r][t];
          const rest = target.map((value, i) => value - v[i]);
          return countOf(target, t) ** 2 * dot(rest, rest);
        });
        return sum + errors.reduce((a, b) => a + b, 0);
      }, 0),
  };
}
