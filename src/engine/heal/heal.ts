/**
 * Healing in closed form: after blocks were left out, the Linears that write to the residual stream are corrected by
 * least squares, so that the stream follows that of the whole model. Only weights change.
 */
import { expertsIn, healedSizes } from '../checkpoint/kinds/parts';
import { UserError } from '../errors';
import type { Part } from '../parts/part';
import { Forward, type TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import type { View } from '../model/view';
import type { JsonObject } from '../../format/json';
import { type JobOptions, Work } from '../progress';
import { type Agreement, Alone } from './agreement';
import { divided, type NewWeight, siteLinears, withGains } from './corrections';
import { describe } from './described';
import { type DraftStep, finished, joined, type RunErrors } from './draft';
import { noFactor } from './failure';
import { tokensPerRun } from './groups';
import { requireHealable } from './healable';
import { isMeasured, measureStages, measureWork } from './measure';
import { HEAL_DEFAULTS, type HealMethod } from './methods';
import { refittedGains } from './norm-fit';
import { channelTotals } from './norm-site';
import { MemoryPatches } from './patch-store';
import type { Healed, HealSettings, HealStep } from './result';
import { type Measured, stagesOf } from './row-likeness';
import { groupRows } from './rows';
import { type Site, sitesOf } from './sites';
import { SiteSolver } from './site-solver';
import type { SiteShape } from './site-sums';
import { Products } from './solve';
import type { PatchSink } from '../weights/patches';
import { type RowRun, runsOf, Streams } from './streams';
import { channelMeans, type ChannelSums, type Regressor, Walk } from './walk';

export interface HealOptions extends HealSettings {
  /** Rows that are measured but not fitted. */
  readonly heldOut?: TokenRows;
  /** Gives the dense stream, whole; the model itself when undefined. It has as many blocks. */
  readonly target?: Model;
  /** Takes the new weights; memory when undefined. */
  readonly sink?: PatchSink;
  /** Measure the model before and after. On by default. */
  readonly measure?: boolean;
  /** What other processes heal with this one; it has all rows when undefined. */
  readonly others?: Others;
}

/** The other processes of a healing. */
export interface Others {
  /** Which rows are those of this process. */
  readonly part: Part;
  /** @param runs all runs of rows @param work tells what is waited for */
  readonly meet: (runs: readonly RowRun[], sink: PatchSink, work: Work) => Agreement;
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
    return await healing.all(measure);
  } finally {
    await healing.close();
  }
}

/** What a process knows of its rows at the end. */
interface OwnEnd extends JsonObject {
  readonly drafts: readonly DraftStep[];
  /** Of each step. */
  readonly errors: readonly RunErrors[];
  readonly measured: Measured;
}

/** The step at which all say it. */
const END = 'end';

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

class Healing {
  private readonly drafts: DraftStep[] = [];
  /** Of each draft. */
  private readonly errors: RunErrors[] = [];

  private constructor(
    private readonly task: HealTask,
    private readonly settings: HealSettings,
    private readonly sites: readonly Site[],
    private readonly streams: Streams,
    private readonly walker: Walk,
    private readonly solver: SiteSolver,
    private readonly products: Products,
    private readonly work: Work,
    /** The rows in the order of the streams' runs. */
    private readonly ordered: TokenRows,
    private readonly agreement: Agreement,
  ) {}

  static async open(task: HealTask, settings: HealOptions, job: JobOptions): Promise<Healing> {
    const { model, target, rows, heldOut, view, sink } = task;
    const { architecture, memory } = model;
    const { layers, hidden } = architecture;
    const { length } = rows[0];
    const tokens = tokensPerRun(architecture);
    const forward = new Forward(model, length, tokens);
    const denseForward = target === model ? forward : new Forward(target, length, tokens);
    const groups = groupRows(rows, heldOut, settings.ridge === 'auto');
    const widest = Math.max(hidden, ...layers.map(healedSizes).map(({ mixer, ffn }) => Math.max(mixer, ffn)));
    const { others } = settings;
    const streams = await Streams.open(forward, groups, { hidden, widest, budget: memory }, others?.part);
    const sites = sitesOf(view, target !== model);
    const own = streams.runs.reduce((sum, run) => sum + run.rows, 0);
    const walking = own * walkWork(task, sites, settings.method);
    const measuring = settings.measure === false ? 0 : measureWork(architecture, streams.runs, sites, settings.method);
    const work = new Work(job, walking + measuring, 'row-blocks', 'reading the model');
    const ordered = groups.flatMap((group) => [...group.rows]);
    const advance = (amount: number): void => work.advance(amount);
    const walker = new Walk(model, forward, target, denseForward, streams, advance);
    const products = new Products(model.threads, job.signal);
    const solver = new SiteSolver(model, settings, rows.length * length, products);
    const agreement = others
      ? others.meet(runsOf(groups, forward.rowsPerChunk), sink, work)
      : new Alone(streams.runs, sink);
    return new Healing(task, settings, sites, streams, walker, solver, products, work, ordered, agreement);
  }

  /** The first module of the walk. */
  private get start(): number {
    return startOf(this.task.view, this.sites);
  }

  /** Walks, measures, and joins what all processes know. */
  async all(measure: boolean): Promise<Healed> {
    const all =
      (await this.agreement.said<OwnEnd>(END)) ?? (await this.agreement.everyone(END, await this.own(measure)));
    const { drafts } = all[0];
    const steps = drafts.map((draft, i) => finished(draft, joined(all.map(({ errors }) => errors[i]))));
    const [fit, heldOut] = (['fit', 'heldOut'] as const).map((use) =>
      stagesOf(all.map(({ measured }) => measured[use])),
    );
    return { steps, patches: await this.agreement.patches(), ...(fit && { fit }), ...(heldOut && { heldOut }) };
  }

  private async own(measure: boolean): Promise<OwnEnd> {
    await this.walk();
    const { task, streams, settings, ordered, work, drafts, errors } = this;
    const isWalked = settings.method !== 'scalar';
    const patches = await this.agreement.patches();
    const walked = { streams, patches, ordered, start: this.start, isWalked };
    return { drafts, errors, measured: measure ? await measureStages(task, walked, work) : {} };
  }

  /** Corrects the sites in order. */
  private async walk(): Promise<void> {
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
    await (this.settings.method === 'scalar' ? this.scale() : this.fit());
  }

  async close(): Promise<void> {
    await this.products.close();
    await this.streams.close();
  }

  /** refit and fold. */
  private async fit(): Promise<void> {
    const { walker, sites } = this;
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
      await this.correctSite(site);
      walker.moveOn();
    }
    await walker.pass(['dense', 'dense'], [from, end]);
    await walker.pass(['healed', 'healed'], [from, end]);
  }

  private correctSite(site: Site): Promise<void> {
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
    const { rows } = this.task;
    return rows.length * rows[0].length < 2 * this.walker.widthOf(site, 'input');
  }

  /** Size of the sums of a site. */
  private shapeOf(site: Site, regressor: Regressor): SiteShape {
    return { inputs: this.walker.widthOf(site, regressor), outputs: this.task.model.architecture.hidden };
  }

  /** refit with a given ridge and many tokens: the site's Linear is applied once, with its new weight. */
  private async refit(site: Site): Promise<void> {
    const { walker, solver, agreement } = this;
    const share = this.shareOf(site);
    const { facts, changed } = await agreement.correction(
      nameOf(site),
      this.shapeOf(site, 'input'),
      (collector) => walker.sum(site, collector),
      (sums) => solver.refit(site, sums.fitted, share),
    );
    const after = await walker.apply(site, changed[0]?.values);
    this.done(site, facts, share, { after });
  }

  /** refit where a norm is behind the Linear: its weight, then what the norm multiplies by. */
  private async refitBehindNorm(site: Site): Promise<void> {
    const { task, walker, solver, agreement } = this;
    const { weights } = task.model;
    const share = this.shareOf(site);
    const behind = walker.behindNorm(site);
    const gains = await behind.gains();
    let before: number[] = [];
    const { facts, changed } = await agreement.correction(
      nameOf(site),
      this.shapeOf(site, 'input'),
      async (collector) => {
        before = await behind.observe(collector);
      },
      (sums) => solver.behindNorm(site, sums, gains, share),
    );
    const runs = await behind.applyLinear(changed[0]?.values);
    const { ridge } = facts;
    let found = gains;
    if (changed.length > 0 && typeof ridge === 'number') {
      const all = await agreement.everyone(`${nameOf(site)}-norm`, { runs });
      found = refittedGains(gains, channelTotals(all.flatMap((each) => each.runs)), ridge, share);
    }
    const after = await behind.applyGains(found);
    const norms = found === gains ? [] : [withGains(weights, site, found)];
    await agreement.keep(norms);
    this.done(site, { ...facts, ...describe(changed, norms) }, 0, { before, after });
  }

  private shareOf({ cut }: Site): number {
    const { stepCut = HEAL_DEFAULTS.stepCut, step = HEAL_DEFAULTS.step } = this.settings;
    return cut ? stepCut : step;
  }

  /**
   * The same where the stream after the site is needed before its correction is known: fold, and a ridge by rows; and
   * where tokens are few.
   */
  private async correct(site: Site, regressor: Regressor): Promise<void> {
    const { walker, solver, agreement } = this;
    const share = this.shareOf(site);
    let before: number[] = [];
    const { facts, negative } = await agreement.correction(
      nameOf(site),
      this.shapeOf(site, regressor),
      async (collector) => {
        before = await walker.observe(site, regressor, collector);
      },
      (sums) => solver.correct(site, sums, share),
    );
    await walker.correct(site, regressor, negative);
    this.done(site, facts, share, { before });
  }

  private done(site: Site, facts: DraftStep['facts'], share: number, errors: RunErrors): void {
    this.drafts.push({ place: placeOf(site), facts, share });
    this.errors.push(errors);
  }

  /** scalar: the dense stream tells how much each cut changes its size. */
  private async scale(): Promise<void> {
    const { walker, sites, agreement } = this;
    let factor = 1;
    for (const site of sites) {
      this.work.step(`block ${site.block}`);
      const changed = factor === 1 ? [] : await divided(this.task.model.weights, site, factor);
      await agreement.keep(changed);
      await walker.pass(['dense', 'dense'], [site.module, site.module + 1]);
      if (site.cut) {
        const own = await walker.channelSums();
        await walker.pass(['dense', 'dense'], [site.module + 1, site.next]);
        const all = await agreement.everyone(nameOf(site), { before: own, after: await walker.channelSums() });
        const means = (name: 'before' | 'after'): number[] =>
          channelMeans(all.flatMap((each): ChannelSums[] => each[name]));
        const [before, after] = [means('before'), means('after')];
        const s = after.reduce((sum, mean, channel) => sum + mean / before[channel], 0) / after.length;
        if (!Number.isFinite(s) || s === 0) throw noFactor(site);
        factor *= s;
        this.done(site, { s, ...this.described(changed) }, 0, {});
      }
    }
  }

  /** scalar changes the norm where there is one behind the Linear. */
  private described(changed: readonly NewWeight[]): Pick<HealStep, 'weight' | 'besideWeight' | 'normWeight'> {
    return this.task.model.architecture.style.norms === 'before' ? describe(changed) : describe([], changed);
  }
}

/** Names a site among the steps of a healing. */
const nameOf = ({ block, tensor }: Site): string => `${block}.${tensor}`;

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
