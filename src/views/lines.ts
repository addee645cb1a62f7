/** Tree items of checkpoints, plans, and blocks, from their files, plans and scores. */
import * as vscode from 'vscode';
import type { Config } from '../state/config';
import type { Checkpoint } from '../engine/checkpoint/types';
import { isKnownToOthers } from '../engine/write/recipes';
import type { Journey } from '../protocol/journey';
import { type Listing, originalIn } from '../state/listing';
import { type Freshness, Freshnesses } from '../state/freshness';
import type { Goals } from '../state/goals';
import { journeyOf } from '../state/journey';
import { journeyFacts } from '../state/journey-facts';
import { blockItem } from './items/block';
import { checkpointItem, type CheckpointState, failedItem, type NodeKin } from './items/checkpoint';
import { planItem } from './items/plan';
import { asUserError, type CheckpointLibrary } from '../state/library';
import { namedPlanItem } from './items/named-plan';
import { vocabularyItem } from './items/vocabulary';
import type { NamedPlans } from '../state/named-plans';
import { ratioIn } from '../state/measured';
import type { BlockNode, CheckpointNode, NamedPlanNode, PlanNode, VocabularyNode } from '../state/nodes';
import type { Plans, PlanSubject } from '../state/plan';
import { planWarning } from '../state/plan-warning';
import { protectionOf } from '../state/protection';
import type { RunRecords } from '../state/run-records';
import type { ScoreStore } from '../state/scores';
import { subjectOf } from '../state/subject';

export class Lines {
  private readonly freshnesses: Freshnesses;

  constructor(
    private readonly library: CheckpointLibrary,
    private readonly plans: Plans,
    private readonly namedPlans: Pick<NamedPlans, 'of'>,
    private readonly scores: ScoreStore,
    private readonly config: Config,
    private readonly records: Pick<RunRecords, 'digests'>,
    private readonly goals: Goals,
    /** What stands where. */
    private readonly listing: () => Listing,
  ) {
    this.freshnesses = new Freshnesses(scores);
  }

  /** Has the reason if the checkpoint cannot be opened. */
  async checkpoint(node: CheckpointNode, family: NodeKin): Promise<vscode.TreeItem> {
    const { path } = node.entry;
    try {
      const checkpoint = await this.library.load(path);
      return checkpointItem(node, checkpoint, await this.stateOf(path, checkpoint), family);
    } catch (error) {
      return failedItem(node, asUserError(error, vscode.l10n.t('Cannot open {0}', path)));
    }
  }

  async plan({ parent, checkpoint }: PlanNode): Promise<vscode.TreeItem> {
    const { path } = parent.entry;
    return planItem(path, checkpoint, await this.stateOf(path, checkpoint));
  }

  /** The way of a model to one that ships. */
  async journey(subject: PlanSubject): Promise<Journey> {
    return this.journeyOf(subject, await this.freshnesses.of(subject));
  }

  private journeyOf(subject: PlanSubject, freshness: Freshness | undefined): Journey {
    const { plans, goals, records } = this;
    const isScored = freshness !== undefined && freshness.changed === undefined;
    return journeyOf(journeyFacts({ listing: this.listing(), plans, goals, runs: records.digests }, subject, isScored));
  }

  namedPlan(node: NamedPlanNode): vscode.TreeItem {
    const { plan, parent, checkpoint } = node;
    const subject = subjectOf(parent.entry.path, checkpoint)!;
    const isCurrent = this.plans.removed(subject).join() === plan.removed.join();
    return namedPlanItem(node, isCurrent, this.ratio(subject, plan.removed));
  }

  vocabulary({ parent, checkpoint }: VocabularyNode): vscode.TreeItem {
    const { path } = parent.entry;
    return vocabularyItem(path, checkpoint.architecture!, this.listing().origins.get(path)?.trimmedFrom);
  }

  /** Perplexity without these blocks relative to the original model; undefined for the original itself. */
  private ratio({ path, identity }: PlanSubject, removed: readonly number[]): number | undefined {
    const original = originalIn(this.listing(), path, identity);
    if (original === identity && removed.length === 0) return undefined;
    return ratioIn(this.records.digests, { identity, removed }, original);
  }

  block({ block, checkpoint, parent }: BlockNode): vscode.TreeItem {
    const { path } = parent.entry;
    const subject = subjectOf(path, checkpoint);
    const shape = checkpoint.architecture?.layers[block.index];
    if (!subject || !shape) return blockItem(path, block);
    const { kept, locked } = protectionOf(subject.blocks, this.config);
    const removed = this.plans.removed(subject);
    return blockItem(path, block, {
      shape,
      kept: !removed.includes(block.index),
      planned: removed.length > 0,
      protected: kept.has(block.index),
      locked: locked.has(block.index),
      scores: this.scores.shown(subject),
      allScores: this.scores.all(subject),
    });
  }

  /** Plan and scores of a checkpoint. */
  private async stateOf(path: string, checkpoint: Checkpoint): Promise<CheckpointState> {
    const subject = subjectOf(path, checkpoint);
    if (!subject) return { removed: [], allScores: [], plans: false, portable: false, hasRuns: false };
    const removed = this.plans.removed(subject);
    const scores = this.scores.shown(subject);
    const warning = planWarning(removed, scores, protectionOf(subject.blocks, this.config));
    const freshness = await this.freshnesses.of(subject);
    const allScores = this.scores.all(subject);
    const ratio = this.ratio(subject, removed);
    return {
      removed,
      choice: this.plans.choice(subject),
      warning,
      scores,
      allScores,
      plans: removed.length > 0 || this.namedPlans.of(subject).length > 0,
      portable: isKnownToOthers(checkpoint),
      hasRuns: this.records.digests.some(({ model }) => model.identity === subject.identity),
      ...(freshness && { freshness }),
      ...(ratio !== undefined && { ratio }),
      next: this.journeyOf(subject, freshness).next,
    };
  }
}
