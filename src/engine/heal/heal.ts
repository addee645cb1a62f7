/**
 * Healing in closed form: after blocks were left out, the Linears that write to the residual stream are corrected by
 * least squares, so that the stream follows that of the whole model. Only weights change.
 */
import { parametersOfLayer } from '../checkpoint/parameters';
import { expertsIn, healedSizes, layerSizes } from '../checkpoint/kinds/parts';
import { UserError } from '../errors';
import { Forward, type TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import type { View } from '../model/view';
import { type JobOptions, Work } from '../progress';
import { divided, folded, type NewWeight, refitted, siteLinears, withGains } from './corrections';
import { describe } from './described';
import { fitFailure, noFactor } from './failure';
import { type ChosenRows, type Fit, fitByRows, fitWith } from './fit';
import type { NormalEquations } from './gram';
import { requireHealable } from './healable';
import { isMeasured, measureStages, measureWork } from './measure';
import { HEAL_DEFAULTS, type HealMethod, refitRidge } from './methods';
import { fitBehindNorm, fitBehindNormByRows, refittedGains } from './norm-fit';
import { MemoryPatches } from './patch-store';
import type { Healed, HealSettings, HealStep } from './result';
import { groupRows } from './rows';
import { type Site, sitesOf } from './sites';
import { Products } from './solve';
import type { PatchSink } from '../weights/patches';
import { Streams } from './streams';
import { type Regressor, Walk } from './walk';

export interface HealOptions extends HealSettings {
  /** Rows that are measured but not fitted. */
  readonly heldOut?: TokenRows;
  /** Gives the dense stream, whole; the model itself when undefined. It has as many blocks. */
  readonly target?: Model;
  /** Takes the new weights; memory when undefined. */
  readonly sink?: PatchSink;
  /** Measure the model before and after. On by default. */
  readonly measure?: boolean;
}

/**
 * Heals `model` without the parts that `view` leaves out.
 * @param rows tokens that are fitted, all rows of one length
 * @returns no steps and no patches if nothing is left out, or nothing is kept before the last cut
 * @throws UserError for a family with norms behind these Linears, when numbers are not finite or a fit has no solution;
 * CancelledError
 */
export async function heal(
  model: Model,
  view: View,
  rows: TokenRows,
  options: HealOptions,
  job: JobOptions = {},
): Promise<Healed> {
  const { heldOut = [], target = model, sink = new MemoryPatches(), measure = true } = options;
  requireHealable(model.architecture, options.method);
  requireAlike(model, target);
  const healing = await Healing.open({ model, target, view, rows, heldOut, sink }, options, job);
  try {
    const steps = await healing.walk();
    const patches = await sink.patches();
    return { steps, patches, ...(measure && (await healing.measure(patches))) };
  } finally {
    await healing.close();
  }
}

/** The dense stream must fit the student's. */
function requireAlike({ architecture: student }: Model, { architecture: dense }: Model): void {
  if (student.hidden === dense.hidden && student.layers.length === dense.layers.length) return;
  throw new UserError(
    'Cannot heal this model',
    `the original has ${dense.layers.length} blocks of width ${dense.hidden}, this one ${student.layers.length} of ${student.hidden}`,
    'Heal the model that the blocks are left out of.',
  );
}

interface HealTask {
  readonly model: Model;
  readonly target: Model;
  readonly view: View;
  readonly rows: TokenRows;
  readonly heldOut: TokenRows;
  readonly sink: PatchSink;
}

/** Tokens of a run: sums of products cost the less, the more tokens are in one. */
const TOKENS_PER_RUN = 2048;
/** Multiplications of a run, so that a run stays about a second in wide models. */
const PRODUCTS_PER_RUN = 1.5e11;

class Healing {
  private readonly fitted: number;

  private constructor(
    private readonly task: HealTask,
    private readonly settings: HealSettings,
    private readonly sites: readonly Site[],
    private readonly streams: Streams,
    private readonly walker: Walk,
    private readonly products: Products,
    private readonly work: Work,
    /** The rows in the order of the streams' runs. */
    private readonly ordered: TokenRows,
  ) {
    this.fitted = task.rows.length * task.rows[0].length;
  }

  static async open(task: HealTask, settings: HealOptions, job: JobOptions): Promise<Healing> {
    const { model, target, rows, heldOut, view } = task;
    const { architecture, memory } = model;
    const { layers, hidden } = architecture;
    const { length } = rows[0];
    const perToken = Math.max(...layers.map((_, block) => 2 * parametersOfLayer(architecture, block)));
    const tokensPerRun = Math.max(256, Math.min(TOKENS_PER_RUN, Math.floor(PRODUCTS_PER_RUN / perToken)));
    const forward = new Forward(model, length, tokensPerRun);
    const denseForward = target === model ? forward : new Forward(target, length, tokensPerRun);
    const groups = groupRows(rows, heldOut, settings.ridge === 'auto');
    const widest = Math.max(hidden, ...layers.map(healedSizes).map(({ mixer, ffn }) => Math.max(mixer, ffn)));
    const streams = await Streams.open(forward, groups, { hidden, widest, budget: memory });
    const sites = sitesOf(view, target !== model);
    const all = rows.length + heldOut.length;
    const walking = all * walkWork(task, sites, settings.method);
    const measuring = settings.measure === false ? 0 : measureWork(architecture, streams.runs, sites, settings.method);
    const work = new Work(job, walking + measuring, 'row-blocks', 'reading the model');
    const ordered = groups.flatMap((group) => [...group.rows]);
    const advance = (amount: number): void => work.advance(amount);
    const walker = new Walk(model, forward, target, denseForward, streams, advance);
    const products = new Products(model.threads, job.signal);
    return new Healing(task, settings, sites, streams, walker, products, work, ordered);
  }

  /** The first module of the walk. */
  private get start(): number {
    return startOf(this.task.view, this.sites);
  }

  /** Corrects the sites in order. */
  async walk(): Promise<HealStep[]> {
    const { streams, walker } = this;
    this.work.step('the kept blocks before the first cut');
    await walker.embed('dense', this.ordered);
    const shared = sharedModules(this.task.view, this.start);
    await walker.pass(['dense', 'dense'], [0, shared]);
    if (this.task.target === this.task.model) {
      await streams.copy('dense', 'healed');
    } else {
      await walker.embed('healed', this.ordered);
      await walker.pass(['healed', 'healed'], [0, shared]);
    }
    await walker.pass(['dense', 'dense'], [shared, this.start]);
    await streams.copy('healed', 'start', isMeasured);
    return this.settings.method === 'scalar' ? this.scale() : this.fit();
  }

  async measure(patches: Healed['patches']): Promise<Pick<Healed, 'fit' | 'heldOut'>> {
    const { task, streams, settings, ordered, work } = this;
    const isWalked = settings.method !== 'scalar';
    return measureStages(task, { streams, patches, ordered, start: this.start, isWalked }, work);
  }

  async close(): Promise<void> {
    await this.products.close();
    await this.streams.close();
  }

  /** refit and fold. */
  private async fit(): Promise<HealStep[]> {
    const { walker, sites } = this;
    const steps: HealStep[] = [];
    const end = 2 * this.task.view.attention.length;
    let from = sites[0]?.module ?? end; // where healed and dense stream are
    for (const site of sites) {
      const isCorrected = corrects(this.settings.method, this.task.model, site);
      if (!isCorrected && !site.cut) continue;
      this.work.step(`block ${site.block}`);
      await walker.pass(['dense', 'dense'], [from, site.module]);
      await walker.pass(['healed', 'healed'], [from, site.module]);
      from = site.next;
      if (!isCorrected) {
        // Experts before a cut stay as they are: what is missing after them is left to the next site.
        await walker.pass(['dense', 'dense'], [site.module, site.next]);
        await walker.pass(['healed', 'healed'], [site.module, site.module + 1]);
        continue;
      }
      await walker.aim(site);
      steps.push(await this.correctSite(site));
      walker.moveOn();
    }
    await walker.pass(['dense', 'dense'], [from, end]);
    await walker.pass(['healed', 'healed'], [from, end]);
    return steps;
  }

  private correctSite(site: Site): Promise<HealStep> {
    const { method, ridge } = this.settings;
    if (method === 'fold') return this.correct(site, 'output');
    if (this.task.model.architecture.style.norms !== 'before') return this.refitBehindNorm(site);
    const needsOutput = ridge === 'auto' || !this.addsAlone(site);
    return needsOutput || this.isCheapToApply(site) ? this.correct(site, 'input') : this.refit(site);
  }

  /** Whether one Linear is all that adds to the stream: neither experts nor another mixer does beside it. */
  private addsAlone({ block, tensor }: Site): boolean {
    const layer = this.task.model.architecture.layers[block];
    return tensor === 'down_proj' ? expertsIn(layer) === undefined : layer.mixer.kind !== 'parallel';
  }

  /**
   * Whether applying a Linear to all tokens twice costs less than XᵀX Wᵀ, which is as wide as its input and takes twice
   * as long in float64.
   */
  private isCheapToApply(site: Site): boolean {
    return this.fitted < 2 * this.walker.widthOf(site, 'input');
  }

  /** refit with a given ridge and many tokens: the site's Linear is applied once, with its new weight. */
  private async refit(site: Site): Promise<HealStep> {
    const share = this.shareOf(site);
    const fitted = await this.walker.sum(site, this.products);
    const { delta, linear, quadratic, ...facts } = await this.solve(site, fitted);
    const changed = delta ? await this.changed(site, delta, share) : [];
    const errorAfter = await this.walker.apply(site, changed[0]?.values);
    await this.keep(changed);
    // |R − share · X D|² = |R|² − 2 share ⟨D, XᵀR⟩ + share² ⟨D, XᵀX D⟩
    const errorBefore = errorAfter + 2 * share * linear - share ** 2 * quadratic;
    return { ...placeOf(site), ...facts, errorBefore, errorAfter, ...describe(changed) };
  }

  /** refit where a norm is behind the Linear: its weight, then what the norm multiplies by. */
  private async refitBehindNorm(site: Site): Promise<HealStep> {
    const { task, walker, products, settings } = this;
    const { weights } = task.model;
    const share = this.shareOf(site);
    const behind = walker.behindNorm(site);
    const { fitted, chosen, error } = await behind.observe();
    const gains = await behind.gains();
    const { ridge = HEAL_DEFAULTS.normRidge } = settings;
    const factors = gains.map((gain) => gain * weights.architecture.style.residualScale);
    const { delta, ...facts } = await this.fitSite(site, () =>
      chosen
        ? fitBehindNormByRows(fitted, chosen, factors, products)
        : fitBehindNorm(fitted, factors, ridge === 'auto' ? HEAL_DEFAULTS.normRidge : ridge, products),
    );
    const changed = delta ? await refitted(weights, site, delta, share) : [];
    const sums = await behind.applyLinear(changed[0]?.values);
    const found = delta && facts.ridge !== null ? refittedGains(gains, sums, facts.ridge, share) : gains;
    const errorAfter = await behind.applyGains(found);
    const norms = found === gains ? [] : [withGains(weights, site, found)];
    await this.keep([...changed, ...norms]);
    return { ...placeOf(site), ...facts, errorBefore: error, errorAfter, ...describe(changed, norms) };
  }

  private shareOf({ cut }: Site): number {
    const { stepCut = HEAL_DEFAULTS.stepCut, step = HEAL_DEFAULTS.step } = this.settings;
    return cut ? stepCut : step;
  }

  /**
   * The same where the stream after the site is needed before its correction is known: fold, and a ridge by rows; and
   * where tokens are few.
   */
  private async correct(site: Site, regressor: Regressor): Promise<HealStep> {
    const share = this.shareOf(site);
    const observed = await this.walker.observe(site, regressor);
    const { delta, linear, quadratic, ...facts } = await this.solve(site, observed.fitted, observed.chosen);
    const changed = delta ? await this.changed(site, delta, share) : [];
    await this.walker.correct(site, regressor, delta && { delta, share });
    await this.keep(changed);
    const errorBefore = observed.error;
    const errorAfter = errorBefore - 2 * share * linear + share ** 2 * quadratic;
    return { ...placeOf(site), ...facts, errorBefore, errorAfter, ...describe(changed) };
  }

  private solve(site: Site, fitted: NormalEquations, chosen?: ChosenRows): Promise<Fit> {
    const { method, ridge } = this.settings;
    const layer = this.task.model.architecture.layers[site.block];
    // Experts alone: as wide as those of a token are together.
    const width = healedSizes(layer).ffn || layerSizes(layer).ffn;
    const rule = method === 'fold' ? HEAL_DEFAULTS.foldRidge : refitRidge(width, this.fitted);
    return this.fitSite(site, () =>
      chosen
        ? fitByRows(fitted, chosen, this.products)
        : fitWith(fitted, typeof ridge === 'number' ? ridge : rule, this.products),
    );
  }

  /** @throws UserError that names the site if its fit has no solution */
  private async fitSite<T>(site: Site, fit: () => Promise<T>): Promise<T> {
    try {
      return await fit();
    } catch (error) {
      throw fitFailure(error, site);
    }
  }

  private changed(site: Site, delta: NonNullable<Fit['delta']>, share: number): Promise<NewWeight[]> {
    const { weights } = this.task.model;
    return this.settings.method === 'fold'
      ? folded(weights, site, delta, share, this.products)
      : refitted(weights, site, delta, share);
  }

  /** scalar: the dense stream tells how much each cut changes its size. */
  private async scale(): Promise<HealStep[]> {
    const { walker, sites } = this;
    const steps: HealStep[] = [];
    let factor = 1;
    for (const site of sites) {
      this.work.step(`block ${site.block}`);
      const changed = factor === 1 ? [] : await divided(this.task.model.weights, site, factor);
      await this.keep(changed);
      await walker.pass(['dense', 'dense'], [site.module, site.module + 1]);
      if (site.cut) {
        const before = await walker.channelMeans();
        await walker.pass(['dense', 'dense'], [site.module + 1, site.next]);
        const after = await walker.channelMeans();
        const s = after.reduce((sum, mean, channel) => sum + mean / before[channel], 0) / after.length;
        if (!Number.isFinite(s) || s === 0) throw noFactor(site);
        factor *= s;
        steps.push({ ...placeOf(site), s, ...this.described(changed) });
      }
    }
    return steps;
  }

  /** scalar changes the norm where there is one behind the Linear. */
  private described(changed: readonly NewWeight[]): Pick<HealStep, 'weight' | 'besideWeight' | 'normWeight'> {
    return this.task.model.architecture.style.norms === 'before' ? describe(changed) : describe([], changed);
  }

  private async keep(changed: readonly NewWeight[]): Promise<void> {
    for (const { key, values } of changed) await this.task.sink.add(key, values);
  }
}

const placeOf = ({ block, tensor, removed }: Site): Pick<HealStep, 'block' | 'tensor' | 'removed'> => ({
  block,
  tensor,
  removed,
});

/** The first module of the walk: the first site, or the end. */
const startOf = ({ attention }: View, sites: readonly Site[]): number => sites[0]?.module ?? 2 * attention.length;

/**
 * Modules before the walk that are all kept. Where nothing is kept before the first cut, the healed stream is still the
 * embedding at the first site.
 */
const sharedModules = ({ attention }: View, start: number): number => (start === 0 || attention[0] ? start : 0);

/** Whether a site is corrected: experts alone have no Linear for that, and a fold corrects only what is before a cut. */
const corrects = (method: HealMethod, { architecture }: Model, site: Site): boolean =>
  siteLinears(architecture, site).length > 0 && (method !== 'fold' || site.cut);

/**
 * Block applications of the walk for each row. The dense stream passes all modules; a site counts as a block, because its
 * products are summed; the healed stream also passes sites that are not corrected.
 */
function walkWork({ model, target, view }: HealTask, sites: readonly Site[], method: HealMethod): number {
  const corrected = sites.filter((site) => corrects(method, model, site)).length;
  const own = target === model ? 0 : sharedModules(view, startOf(view, sites)) / 2;
  const healed = method === 'scalar' ? 0 : corrected + (sites.length - corrected) / 2;
  return view.attention.length + own + healed;
}
