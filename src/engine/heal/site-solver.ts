/** Corrections from the sums of a site: one process finds them for all. */
import { healedSizes, layerSizes } from '../checkpoint/kinds/parts';
import type { Model } from '../model/model';
import { readWide } from '../weights/source';
import type { Correction } from './agreement';
import { folded, type NewWeight, refitted, siteLinears } from './corrections';
import { describe } from './described';
import { fitFailure, notFinite } from './failure';
import { type Fit, fitByRows, fitWith, lessImage, norm } from './fit';
import type { NormalEquations } from './gram';
import { HEAL_DEFAULTS, refitRidge } from './methods';
import { fitBehindNorm, fitBehindNormByRows } from './norm-fit';
import type { HealSettings } from './result';
import type { SiteSums } from './site-sums';
import type { Site } from './sites';
import type { Matrix, Products } from './solve';

export class SiteSolver {
  constructor(
    private readonly model: Model,
    private readonly settings: HealSettings,
    /** Tokens that are fitted. */
    private readonly tokens: number,
    private readonly products: Products,
  ) {}

  /**
   * refit of a site whose only Linear's output was not looked at: XᵀR = XᵀR₀ − r XᵀX Wᵀ.
   * @param equations with XᵀR₀; overwritten
   */
  async refit(site: Site, equations: NormalEquations, share: number): Promise<Correction> {
    const { weights, architecture } = this.model;
    const [{ weight, width, factor }] = siteLinears(architecture, site);
    const sizes = [norm(equations.gram.diagonal()), norm(equations.cross.data)];
    if (!sizes.every(Number.isFinite)) throw notFinite(site);
    const stored = await readWide(weights, weight);
    for (let i = 0; i < stored.length; i++) stored[i] *= factor;
    await lessImage(equations, transposed(stored, architecture.hidden, width), this.products);
    const { delta, ...facts } = await this.fit(site, { fitted: equations });
    const changed = delta ? await this.changed(site, delta, share) : [];
    return { facts: { ...facts, ...describe(changed) }, changed };
  }

  /** The stream after the site was looked at. */
  async correct(site: Site, sums: SiteSums, share: number): Promise<Correction> {
    const { delta, ...facts } = await this.fit(site, sums);
    const changed = delta ? await this.changed(site, delta, share) : [];
    const negative = delta && Float32Array.from(delta.data, (value) => -share * value);
    return { facts: { ...facts, ...describe(changed) }, changed, ...(negative && { negative }) };
  }

  /** A norm is behind the Linear. */
  async behindNorm(site: Site, { fitted, chosen }: SiteSums, gains: Float64Array, share: number): Promise<Correction> {
    const { ridge = HEAL_DEFAULTS.normRidge } = this.settings;
    const { weights } = this.model;
    const factors = gains.map((gain) => gain * weights.architecture.style.residualScale);
    const { delta, ...facts } = await naming(site, () =>
      chosen
        ? fitBehindNormByRows(fitted, chosen, factors, this.products)
        : fitBehindNorm(fitted, factors, ridge === 'auto' ? HEAL_DEFAULTS.normRidge : ridge, this.products),
    );
    return { facts, changed: delta ? await refitted(weights, site, delta, share) : [] };
  }

  private fit(site: Site, { fitted, chosen }: SiteSums): Promise<Fit> {
    const { method, ridge } = this.settings;
    const layer = this.model.architecture.layers[site.block];
    // Experts alone: as wide as those of a token are together.
    const width = healedSizes(layer).ffn || layerSizes(layer).ffn;
    const rule = method === 'fold' ? HEAL_DEFAULTS.foldRidge : refitRidge(width, this.tokens);
    return naming(site, () =>
      chosen
        ? fitByRows(fitted, chosen, this.products)
        : fitWith(fitted, typeof ridge === 'number' ? ridge : rule, this.products),
    );
  }

  private changed(site: Site, delta: Matrix, share: number): Promise<NewWeight[]> {
    const { weights } = this.model;
    return this.settings.method === 'fold'
      ? folded(weights, site, delta, share, this.products)
      : refitted(weights, site, delta, share);
  }
}

/** @throws UserError that names the site if its fit has no solution */
async function naming<T>(site: Site, fit: () => Promise<T>): Promise<T> {
  try {
    return await fit();
  } catch (error) {
    throw fitFailure(error, site);
  }
}

/** The transpose of a matrix of `rows` × `columns`. */
function transposed(data: Float64Array, rows: number, columns: number): Matrix {
  const values = new Float64Array(data.length);
  for (let j = 0; j < columns; j++) for (let i = 0; i < rows; i++) values[j * rows + i] = data[i * columns + j];
  return { data: values, rows: columns, columns: rows };
}
