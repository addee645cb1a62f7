/** From a fitted D to new weights. A Linear's weight is (out, in), and D is (in, out): W ← W + step · Dᵀ. */
import { type Architecture, lastLinears } from '../checkpoint/architecture';
import type { BlockWeightName, WeightKey } from '../checkpoint/weight-key';
import { weightOf } from '../checkpoint/weight-key';
import { readWide, type WeightSource } from '../weights/source';
import type { Site } from './sites';
import type { Matrix, Products } from './solve';

/** A weight's new numbers. */
export interface NewWeight {
  readonly key: WeightKey;
  readonly values: Float32Array;
}

/** One of a site's Linears. */
export interface SiteLinear {
  readonly weight: WeightKey;
  readonly bias: WeightKey;
  /** Numbers of a token that it gets. */
  readonly width: number;
  /** What its output is multiplied by on the way to the stream. */
  readonly factor: number;
}

/** The site's Linears: one, or two side by side, of attention and Mamba. */
export function siteLinears(
  { layers, style }: Pick<Architecture, 'layers' | 'style'>,
  { block, tensor }: Pick<Site, 'block' | 'tensor'>,
): readonly SiteLinear[] {
  return lastLinears({ layers }, block, tensor === 'o_proj' ? 'mixer' : 'ffn').map(({ name, width, factor }) => {
    const biasName: BlockWeightName = `${name}Bias`;
    const keys = { weight: { layer: block, name }, bias: { layer: block, name: biasName } };
    return { ...keys, width, factor: factor * style.residualScale };
  });
}

/** The norm behind the site's Linear. */
const normKey = ({ block, tensor }: Pick<Site, 'block' | 'tensor'>): WeightKey => ({
  layer: block,
  name: tensor === 'o_proj' ? 'attentionOutNorm' : 'ffnOutNorm',
});

/**
 * refit: W + share / factor · Dᵀ, because a module adds factor · W x. Of Linears side by side, each has its rows of D, for inputs that
 * `sideBySide` has brought to the factor of the first.
 */
export async function refitted(source: WeightSource, site: Site, delta: Matrix, share: number): Promise<NewWeight[]> {
  const { data, columns: outputs } = delta;
  const linears = siteLinears(source.architecture, site);
  const changed: NewWeight[] = [];
  let from = 0;
  for (const { weight: key, width } of linears) {
    const wide = await readWide(source, key);
    for (let i = 0; i < outputs; i++) {
      for (let j = 0; j < width; j++)
        wide[i * width + j] += (share / linears[0].factor) * data[(from + j) * outputs + i];
    }
    changed.push({ key, values: Float32Array.from(wide) });
    from += width;
  }
  return changed;
}

/** fold: Tᵀ W and b T with T = I + step · D, whatever the factor of what the module adds. Weights come before biases. */
export async function folded(
  source: WeightSource,
  site: Site,
  delta: Matrix,
  step: number,
  products: Products,
): Promise<NewWeight[]> {
  const outputs = delta.rows;
  const negative = { ...delta, data: delta.data.map((value) => -step * value) };
  const [weights, biases]: NewWeight[][] = [[], []];
  for (const { weight: key, bias } of siteLinears(source.architecture, site)) {
    const wide = await readWide(source, key);
    const weight = { data: wide, rows: outputs, columns: wide.length / outputs };
    const changed = { ...weight, data: wide.slice() };
    await products.subtract(changed, negative, weight, 'transA');
    weights.push({ key, values: Float32Array.from(changed.data) });
    if (!weightOf(source.architecture, bias)) continue;
    const row = { data: await readWide(source, bias), rows: 1, columns: outputs };
    const moved = { ...row, data: row.data.slice() };
    await products.subtract(moved, row, negative);
    biases.push({ key: bias, values: Float32Array.from(moved.data) });
  }
  return [...weights, ...biases];
}

/** What the norm behind a site multiplies each channel by, whose weight may be stored less an offset (Gemma: 1). */
export async function gainsOf(source: WeightSource, site: Site): Promise<Float64Array> {
  const { normOffset } = source.architecture.style;
  return (await readWide(source, normKey(site))).map((value) => value + normOffset);
}

/** The weight of the norm behind a site that multiplies by `gains`. */
export const withGains = (source: WeightSource, site: Site, gains: Float64Array): NewWeight => ({
  key: normKey(site),
  values: Float32Array.from(gains, (gain) => gain - source.architecture.style.normOffset),
});

/**
 * scalar: the weight and the bias divided by the product of the factors so far; behind a norm, which takes the size of
 * these away, what it multiplies by.
 */
export async function divided(source: WeightSource, site: Site, factor: number): Promise<NewWeight[]> {
  if (source.architecture.style.norms !== 'before') {
    const gains = await gainsOf(source, site);
    return [
      withGains(
        source,
        site,
        gains.map((gain) => gain / factor),
      ),
    ];
  }
  const linears = siteLinears(source.architecture, site);
  const biases = linears.map(({ bias }) => bias).filter((bias) => weightOf(source.architecture, bias));
  const keys = [...linears.map(({ weight }) => weight), ...biases];
  return Promise.all(
    keys.map(async (key) => {
      const wide = await readWide(source, key);
      return { key, values: Float32Array.from(wide, (value) => value / factor) };
    }),
  );
}
