/**
 * The view "Checkpoints": checkpoints with their plan, blocks, modules and tensors, and a group of models that can
 * only be inspected. Children are created when a line is expanded, so that thousands of tensors cost nothing before.
 * The checkboxes are the plan: checked blocks are kept.
 */
import * as vscode from 'vscode';
import type { Config } from '../host/config';
import { tick } from './boxes';
import type { HiddenPaths } from './hidden';
import { adapterItem } from './items/adapter';
import { inspectionItem } from './items/inspection';
import { partItem, tensorItem } from './items/part';
import { trainingItem } from './items/training';
import type { CheckpointLibrary, Entry } from './library';
import { Lines } from './lines';
import { type CheckpointNode, checkpointPathOf, type InspectionNode, keyOf, type Node } from './nodes';
import { Offspring } from './offspring';
import type { Plans } from './plan';
import { protectionOf } from './protection';
import type { ScoreStore } from './scores';
import { type CheckpointGroup, groupOf, groupCheckpoints } from './checkpoint-groups';
import { subjectOf } from './subject';

const VIEW_ID = 'coppice.checkpoints';

/** A single object, so that VS Code recognizes it. */
const INSPECTION: InspectionNode = { kind: 'inspection' };

export class CheckpointTree implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<Node | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly subscriptions: { dispose(): void }[] = [];
  private readonly view: vscode.TreeView<Node>;
  /** One node per checkpoint, so that VS Code recognizes it. */
  private readonly nodes = new Map<string, CheckpointNode>();
  private readonly lines: Lines;
  private readonly offspring: Offspring;
  /** The group of each checkpoint at the last listing. */
  private readonly groups = new Map<string, CheckpointGroup>();
  /** The members of the inspection group. */
  private inspected: readonly CheckpointNode[] = [];
  /** The last selection that VS Code reported. `selection` lacks lines that are being refreshed. */
  private selected: readonly Node[] = [];

  constructor(
    private readonly library: CheckpointLibrary,
    private readonly plans: Plans,
    scores: ScoreStore,
    private readonly hidden: HiddenPaths,
    private readonly config: Config,
  ) {
    this.lines = new Lines(library, plans, scores, config);
    this.offspring = new Offspring(library);
    this.view = vscode.window.createTreeView<Node>(VIEW_ID, {
      treeDataProvider: this,
      manageCheckboxStateManually: true,
      canSelectMany: true,
      showCollapseAll: true,
    });
    const refresh = (path: string | undefined): void => this.refresh(path);
    this.subscriptions.push(
      this.view,
      this.view.onDidChangeSelection(({ selection }) => {
        this.selected = selection;
      }),
      this.view.onDidChangeCheckboxState(({ items }) => void this.ticked(items)),
      this.view.onDidChangeVisibility(({ visible }) => visible && this.library.rescanSoon()),
      library.onDidChange((path) => void this.filesChanged(path)),
      hidden.onChange(() => this.refresh(undefined)),
      plans.onChange(refresh),
      scores.onChange(refresh),
      library.onDidChange(() => this.tellFaults()),
      config.onChange(['keep', 'keepFirstAndLast'], () => {
        this.tellFaults();
        this.refresh(undefined);
      }),
    );
    this.tellFaults();
  }

  getChildren(node?: Node): Node[] | Promise<Node[]> {
    switch (node?.kind) {
      case undefined:
        return this.roots();
      case 'checkpoint':
        return this.offspring.ofCheckpoint(node);
      case 'block':
        return this.offspring.ofBlock(node);
      case 'part':
        return node.part.tensors.map((tensor) => ({ kind: 'tensor', tensor, parent: node }));
      case 'inspection':
        return [...this.inspected];
      case 'plan':
      case 'tensor':
      case 'adapter':
      case 'training':
        return [];
    }
  }

  getTreeItem(node: Node): vscode.TreeItem | Promise<vscode.TreeItem> {
    switch (node.kind) {
      case 'checkpoint':
        return this.lines.checkpoint(node);
      case 'block':
        return this.lines.block(node);
      case 'part':
        return partItem(node);
      case 'tensor':
        return tensorItem(node.tensor);
      case 'plan':
        return this.lines.plan(node);
      case 'adapter':
        return adapterItem(node.path);
      case 'inspection':
        return inspectionItem(this.inspected.length, ![...this.groups.values()].includes('usable'));
      case 'training':
        return trainingItem(node.training);
    }
  }

  getParent(node: Node): Node | undefined {
    if ('parent' in node) return node.parent;
    return node.kind === 'checkpoint' && this.isInspected(node.entry.path) ? INSPECTION : undefined;
  }

  /** Shows a checkpoint in the view, selected. */
  async reveal(path: string, options: { readonly focus?: boolean; readonly expand?: boolean } = {}): Promise<void> {
    if (!this.groups.has(path)) await this.roots(); // finds its group
    const node = this.inspected.find((each) => each.entry.path === path) ?? this.nodes.get(path);
    if (node) await this.view.reveal(node, { select: true, ...options });
  }

  /** The checkpoint that every selected line belongs to. */
  get selectedPath(): string | undefined {
    const paths = new Set(this.view.selection.map(checkpointPathOf));
    return paths.size === 1 ? [...paths][0] : undefined;
  }

  /** The selected lines, if the view is visible. */
  get selectedLines(): readonly Node[] {
    return this.view.visible ? this.view.selection : [];
  }

  /** The lines that a key applies to: the focused line, or all selected lines if it is one of them. */
  linesAbout(focused: Node): readonly Node[] {
    const isSelected = this.selected.some((line) => keyOf(line) === keyOf(focused));
    return isSelected ? this.selected : [focused];
  }

  /** Shows a number on the view's icon, such as the number of jobs; none for 0. */
  showBadge(value: number, tooltip: string): void {
    this.view.badge = value > 0 ? { value, tooltip } : undefined;
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changed.dispose();
  }

  /** Shows above the tree why it lists or protects less than expected. */
  private tellFaults(): void {
    const { fault } = protectionOf(0, this.config);
    const lines = [
      ...(fault === undefined ? [] : [vscode.l10n.t('The setting coppice.keep protects no blocks: {0}.', fault)]),
      ...(this.library.isTruncated
        ? [vscode.l10n.t('This workspace has too many weight files. Some are not listed.')]
        : []),
    ];
    this.view.message = lines.length > 0 ? lines.join(' ') : undefined;
  }

  private async roots(): Promise<Node[]> {
    if (!this.library.isScanned) return [];
    const { usable, unsupported, broken } = await groupCheckpoints(this.library);
    this.groups.clear();
    const put = (group: CheckpointGroup, entries: readonly Entry[]): CheckpointNode[] => {
      for (const { path } of entries) this.groups.set(path, group);
      return entries.map((entry) => this.nodeOf(entry));
    };
    const checkpoints = put('usable', usable);
    const others = [...put('unsupported', unsupported), ...put('broken', broken)];
    for (const path of this.nodes.keys()) if (!this.groups.has(path)) this.nodes.delete(path);
    this.inspected = others.filter(({ entry }) => !this.hidden.has(entry.path));
    return [
      ...checkpoints,
      ...this.library.adapters().map((path) => ({ kind: 'adapter' as const, path })),
      ...this.library.trainings().map((training) => ({ kind: 'training' as const, training })),
      ...(this.inspected.length > 0 ? [INSPECTION] : []),
    ];
  }

  private isInspected(path: string): boolean {
    return this.inspected.some(({ entry }) => entry.path === path);
  }

  private nodeOf(entry: Entry): CheckpointNode {
    let node = this.nodes.get(entry.path);
    if (node?.entry.origin !== entry.origin) this.nodes.set(entry.path, (node = { kind: 'checkpoint', entry }));
    return node;
  }

  /** The user has changed checkboxes. */
  private async ticked(items: readonly (readonly [Node, vscode.TreeItemCheckboxState])[]): Promise<void> {
    const changes = new Map<CheckpointNode, [block: number, kept: boolean][]>();
    for (const [node, state] of items) {
      if (node.kind !== 'block') continue;
      const list = changes.get(node.parent) ?? [];
      list.push([node.block.index, state === vscode.TreeItemCheckboxState.Checked]);
      changes.set(node.parent, list);
    }
    for (const [parent, list] of changes) {
      // A plan belongs to the current files, which may have changed since the line was created.
      const checkpoint = await this.library.load(parent.entry.path).catch(() => undefined);
      const subject = checkpoint && subjectOf(parent.entry.path, checkpoint);
      if (!subject) continue;
      const { locked } = protectionOf(subject.blocks, this.config);
      tick(this.plans, subject, list, locked);
      this.refresh(parent.entry.path); // locked checkboxes return to their state
    }
  }

  /** The files of a checkpoint or the list changed: a line may belong to another group now. */
  private async filesChanged(path: string | undefined): Promise<void> {
    const before = path === undefined ? undefined : this.groups.get(path);
    const stays = before !== undefined && this.view.visible && (await groupOf(this.library, path!)) === before;
    this.refresh(stays ? path : undefined);
  }

  private refresh(path: string | undefined): void {
    if (path === undefined) {
      this.changed.fire(undefined);
      return;
    }
    const node = this.nodes.get(path);
    if (node) this.changed.fire(node);
  }
}
