/** From a fitted D to new weights. A Linear's weight is (out, in), and D is (in, out): W ← W + step · Dᵀ. */
import { type Architecture, lastLinear } from '../checkpoint/architecture';
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

/** The site's Linear, and its bias. */
export function weightKeys(
  architecture: Pick<Architecture, 'layers'>,
  { block, tensor }: Pick<Site, 'block' | 'tensor'>,
): { weight: WeightKey; bias: WeightKey } {
  const name = lastLinear(architecture, block, tensor === 'o_proj' ? 'mixer' : 'ffn');
  const biasName: BlockWeightName = `${name}Bias`;
  return { weight: { layer: block, name }, bias: { layer: block, name: biasName } };
}

/** The norm behind the site's Linear. */
const normKey = ({ block, tensor }: Pick<Site, 'block' | 'tensor'>): WeightKey => ({
  layer: block,
  name: tensor === 'o_proj' ? 'attentionOutNorm' : 'ffnOutNorm',
});

/** refit: W + factor · Dᵀ. */
export async function refitted(source: WeightSource, site: Site, delta: Matrix, factor: number): Promise<NewWeight[]> {
  const { weight: key } = weightKeys(source.architecture, site);
  const wide = await readWide(source, key);
  const { data, rows: inputs, columns: outputs } = delta;
  for (let i = 0; i < outputs; i++) {
    for (let j = 0; j < inputs; j++) wide[i * inputs + j] += factor * data[j * outputs + i];
  }
  return [{ key, values: Float32Array.from(wide) }];
}

/** fold: Tᵀ W and b T with T = I + step · D, whatever the factor of what the module adds. */
export async function folded(
  source: WeightSource,
  site: Site,
  delta: Matrix,
  step: number,
  products: Products,
): Promise<NewWeight[]> {
  const { weight: key, bias } = weightKeys(source.architecture, site);
  const wide = await readWide(source, key);
  const outputs = delta.rows;
  const weight = { data: wide, rows: outputs, columns: wide.length / outputs };
  const negative = { ...delta, data: delta.data.map((value) => -step * value) };
  const changedWeight = { ...weight, data: wide.slice() };
  await products.subtract(changedWeight, negative, weight, 'transA');
  const changed = [{ key, values: Float32Array.from(changedWeight.data) }];
  if (!weightOf(source.architecture, bias)) return changed;
  const row = { data: await readWide(source, bias), rows: 1, columns: outputs };
  const moved = { ...row, data: row.data.slice() };
  await products.subtract(moved, row, negative);
  return [...changed, { key: bias, values: Float32Array.from(moved.data) }];
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
  const { weight, bias } = weightKeys(source.architecture, site);
  const keys = weightOf(source.architecture, bias) ? [weight, bias] : [weight];
  return Promise.all(
    keys.map(async (key) => {
      const wide = await readWide(source, key);
      return { key, values: Float32Array.from(wide, (value) => value / factor) };
    }),
  );
}
