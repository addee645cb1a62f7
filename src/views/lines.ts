/** Tree items of checkpoints, plans, and blocks, from their files, plans and scores. */
import * as vscode from 'vscode';
import type { Config } from '../host/config';
import type { Checkpoint } from '../engine/checkpoint/types';
import { blockItem } from './items/block';
import { checkpointItem, type CheckpointState, failedItem } from './items/checkpoint';
import { planItem } from './items/plan';
import { asUserError, type CheckpointLibrary } from './library';
import type { BlockNode, CheckpointNode, PlanNode } from './nodes';
import type { Plans } from './plan';
import { planWarning } from './plan-warning';
import { protectionOf } from './protection';
import type { ScoreStore } from './scores';
import { subjectOf } from './subject';

export class Lines {
  constructor(
    private readonly library: CheckpointLibrary,
    private readonly plans: Plans,
    private readonly scores: ScoreStore,
    private readonly config: Config,
  ) {}

  /** Has the reason if the checkpoint cannot be opened. */
  async checkpoint(node: CheckpointNode): Promise<vscode.TreeItem> {
    const { path } = node.entry;
    try {
      const checkpoint = await this.library.load(path);
      return checkpointItem(node, checkpoint, this.stateOf(path, checkpoint));
    } catch (error) {
      return failedItem(node, asUserError(error, vscode.l10n.t('Cannot open {0}', path)));
    }
  }

  plan({ parent, checkpoint }: PlanNode): vscode.TreeItem {
    const { path } = parent.entry;
    return planItem(path, checkpoint, this.stateOf(path, checkpoint));
  }

  block({ block, checkpoint, parent }: BlockNode): vscode.TreeItem {
    const { path } = parent.entry;
    const subject = subjectOf(path, checkpoint);
    const shape = checkpoint.architecture?.layers[block.index];
    if (!subject || !shape) return blockItem(path, block);
    const { kept, locked } = protectionOf(subject.blocks, this.config);
    return blockItem(path, block, {
      shape,
      kept: !this.plans.removed(subject).includes(block.index),
      protected: kept.has(block.index),
      locked: locked.has(block.index),
      scores: this.scores.shown(subject),
      allScores: this.scores.all(subject),
    });
  }

  /** Plan and scores of a checkpoint. */
  private stateOf(path: string, checkpoint: Checkpoint): CheckpointState {
    const subject = subjectOf(path, checkpoint);
    if (!subject) return { removed: [], allScores: [] };
    const removed = this.plans.removed(subject);
    const scores = this.scores.shown(subject);
    const warning = planWarning(removed, scores, protectionOf(subject.blocks, this.config));
    return { removed, choice: this.plans.choice(subject), warning, scores, allScores: this.scores.all(subject) };
  }
}
