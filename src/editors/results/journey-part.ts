/** The way to a model that ships, from what the panel knows: its scores, plan, family and runs, and the goal of the family. */
import { mayOverlap, type ReadText } from '../../format/text-share';
import { UserError } from '../../engine/errors';
import type { Judgement } from '../../engine/records/before-after/judgement';
import { textOfKey } from '../../engine/records/rows-key';
import { waysToSize } from '../../host/ask/export-sizes';
import type { JsonNumber } from '../../format/json';
import type { WayMade } from '../../jobs/define';
import type { Journey, ShipGoal } from '../../protocol/journey';
import type { PanelState, RunDigest } from '../../protocol/panel';
import type { SizeWays } from '../../protocol/size-ways';
import { journeyOf, type Member } from '../../state/journey';
import {
  exportedBytes,
  exportedFolder,
  exportedPlan,
  fasterOf,
  isCompared,
  isWritten,
  newestExport,
  shippedJudgement,
  textsThatChose,
} from '../../state/journey-facts';
import type { PlanSubject } from '../../state/plan';
import type { SizeGoal } from '../../state/size-ways';
import { madeAs } from '../../state/words/made-words';
import { subjectOf } from '../../state/subject';
import type { PanelReading } from './panel-reading';
import type { PanelStore } from './panel-store';
import type { PlanPart } from './plan-part';
import type { PanelCheckpoint, PanelServices } from './services';

export class JourneyPart {
  private readonly subject: PlanSubject;
  /** The size of an export, or why it has none. It is asked once for a plan and a goal. */
  private size: { readonly key: string; readonly bytes?: number } | undefined;

  /** The last search for ways; an older one says nothing any more. */
  private round = 0;

  constructor(
    private readonly source: PanelCheckpoint,
    private readonly services: PanelServices,
    private readonly reading: PanelReading,
    private readonly plan: PlanPart,
  ) {
    this.subject = subjectOf(source.path, source.checkpoint)!;
  }

  /** Identity of the oldest known ancestor, whose goal holds for the whole family. */
  get original(): string {
    return this.reading.originalIdentity;
  }

  get goal(): ShipGoal | undefined {
    return this.services.goals.goal(this.original);
  }

  /** @param state what the panel shows; undefined before the first reading */
  now(state?: Pick<PanelState, 'whatIf' | 'kin'>): Journey {
    const { goal, source, services } = this;
    const { identity } = source.checkpoint;
    const { removed } = this.plan;
    const runs = this.reading.runs.digests();
    const { origin, children } = this.reading.lineage;
    const line = [identity, origin?.identity, this.original];
    const used = textsThatChose(runs, { origin, choice: this.plan.choice, line });
    const made = (as: WayMade) => newest(children.filter(({ kind }) => madeAs(kind) === as));
    const sameBlocks = children.filter((child) => isWritten(child.kind) && child.removed.join() === removed.join());
    return journeyOf({
      goal,
      ...(services.goals.wantsFaster(this.original) && { faster: fasterOf(this.reading.runs.forecasts(), identity) }),
      derived: origin !== undefined,
      kind: origin?.kind,
      scored: services.scores.shown(this.subject) !== undefined || this.reading.scorings().length > 0,
      planned: removed.length > 0,
      ...(this.subject.quantized && { quantized: this.subject.quantized, exportedPlan: this.exportedPlan(runs) }),
      written: removed.length > 0 ? newest(sameBlocks) : undefined,
      adapter: this.reading.adapterFor(removed),
      merged: made('trained'),
      exported: made('exported') ?? exportedFolder(runs, identity),
      compared: isCompared(runs, identity, this.original, used),
      skipped: services.goals.skipped(this.original, identity),
      bytes: (goal && exportedBytes(runs, identity, removed, goal)) ?? this.plannedBytes(),
      ...(state && this.judgement(state, runs, used)),
    });
  }

  /** On rows that chose nothing, if runs have measured that; else what the panel measures. */
  private judgement(
    state: Pick<PanelState, 'whatIf' | 'kin'>,
    runs: readonly RunDigest[],
    used: readonly ReadText[],
  ): Judgement {
    const { identity } = this.source.checkpoint;
    const { removed } = this.plan;
    const { original } = this;
    if (original === identity && removed.length === 0) return {};
    const made = this.reading.lineage.children.map((child) => ({ ...child, origin: child }));
    const exported = removed.length === 0 ? newestExport(made, runs, identity, this.goal)?.own : undefined;
    const found = shippedJudgement(runs, { identity, removed }, { original, used, exported });
    if (found.ratio !== undefined && !found.flatters) return found;
    const shown = ratioOf(state, removed);
    if (shown === undefined) return found;
    const text = state.whatIf.rowsKey === undefined ? undefined : textOfKey(state.whatIf.rowsKey);
    const flatters = used.some((each) => text === undefined || mayOverlap(each, text));
    return { ...found, ratio: Number(shown), ...(flatters ? { flatters: true } : { flatters: undefined }) };
  }

  /** What an export for the goal would have. */
  private plannedBytes(): number | undefined {
    return this.size?.key === this.sizeKey() ? this.size.bytes : undefined;
  }

  private exportedPlan(runs: readonly RunDigest[]): Member | undefined {
    const { children } = this.reading.lineage;
    const made = children.map(({ path, name, kind, removed }) => ({ path, name, origin: { kind, removed } }));
    return exportedPlan(made, runs, this.source.checkpoint.identity, this.plan.removed);
  }

  /** Leaves out a step. */
  skip(step: Parameters<PanelServices['goals']['skip']>[2]): void {
    this.services.goals.skip(this.original, this.source.checkpoint.identity, step);
  }

  /** Shows the journey, and then with the size of the export, which takes a moment. */
  show(store: PanelStore): void {
    store.updateWhatDiffers({ journey: this.now(store.state) });
    void this.measureSize(store);
    void this.findWays(store);
  }

  /** The goal, if it has a size. */
  sizeGoal(): SizeGoal | undefined {
    const { goal } = this;
    return goal?.maxBytes === undefined ? undefined : { ...goal, maxBytes: goal.maxBytes };
  }

  /** Sizes are planned once for a model, so that asking again takes no time. */
  private async findWays(store: PanelStore): Promise<void> {
    const round = ++this.round;
    const goal = this.sizeGoal();
    const ways = goal && (await this.waysTo(goal));
    if (round === this.round) store.updateWhatDiffers({ ways: ways ?? null });
  }

  private async waysTo(goal: SizeGoal): Promise<SizeWays | undefined> {
    const { checkpoint } = this.source;
    const runs = this.reading.runs.digests();
    const made = this.reading.lineage.children
      .filter(({ removed }) => removed.length === 0)
      .map((child) => ({ ...child, origin: child }));
    const exported = (type: string | undefined): string | undefined =>
      newestExport(made, runs, checkpoint.identity, { format: goal.format, ...(type !== undefined && { type }) })?.own;
    const report = this.reading.runs.vocabularyReport();
    try {
      return await waysToSize({ checkpoint, goal, runs, exported, ...(report && { report }) });
    } catch (error) {
      // A model that the format cannot hold has no sizes; the export says why.
      if (!(error instanceof UserError)) this.services.host.logError(error);
      return undefined;
    }
  }

  private async measureSize(store: PanelStore): Promise<void> {
    const { goal, source, services } = this;
    const key = this.sizeKey();
    if (!goal || this.size?.key === key) return;
    this.size = { key };
    const { removed } = this.plan;
    try {
      const bytes = await services.host.exportBytes(source, removed, goal);
      if (key === this.sizeKey()) this.size = { key, bytes };
    } catch (error) {
      // A model that the format cannot hold has no size; the export says why.
      if (!(error instanceof UserError)) services.host.logError(error);
    }
    if (key === this.sizeKey()) store.updateWhatDiffers({ journey: this.now(store.state) });
  }

  private sizeKey(): string {
    return JSON.stringify([this.goal?.format, this.goal?.type, this.plan.removed]);
  }
}

/** Perplexity relative to the original: of the plan, or of a model that was made from another one. */
function ratioOf(
  { whatIf: { full, ppl, removed: measured }, kin: { original } }: Pick<PanelState, 'whatIf' | 'kin'>,
  removed: readonly number[],
): JsonNumber | undefined {
  const base = original ? original.ppl : full;
  const own = removed.length === 0 ? full : measured.join() === removed.join() ? ppl : null;
  if (base === null || own === null || (!original && removed.length === 0)) return undefined;
  return typeof own === 'number' && typeof base === 'number' ? own / base : own;
}

/** Lists are newest first. */
const newest = (members: readonly Member[]): Member | undefined => members.at(0);
