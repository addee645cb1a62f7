/**
 * The view "Checkpoints": a checkpoint, its blocks, their modules, their tensors. Children are made when a line is
 * opened, so that thousands of tensors cost nothing until somebody looks. Ticked blocks stay: the boxes are the plan.
 */
import * as vscode from 'vscode';
import type { Config } from '../config';
import { type Entry, asUserError, type CheckpointLibrary } from './library';
import { checkpointItem, failedItem } from './items/checkpoint';
import { adapterItem } from './items/adapter';
import { blockItem } from './items/block';
import { partItem, tensorItem } from './items/part';
import { type BlockNode, type CheckpointNode, checkpointPathOf, type Node, type PartNode } from './nodes';
import { partsOf } from './parts';
import type { Plans } from './plan';
import { protectionOf } from './protection';
import type { ScoreBook } from './scores';
import { subjectOf } from './subject';

export const VIEW_ID = 'coppice.checkpoints';

export class CheckpointTree implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<Node | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly subscriptions: { dispose(): void }[] = [];
  private readonly view: vscode.TreeView<Node>;
  /** One node a checkpoint, so that VS Code knows it again. */
  private readonly nodes = new Map<string, CheckpointNode>();
  private readonly blockNodes = new WeakMap<CheckpointNode, readonly BlockNode[]>();

  constructor(
    private readonly library: CheckpointLibrary,
    private readonly plans: Plans,
    private readonly scores: ScoreBook,
    private readonly config: Config,
  ) {
    this.view = vscode.window.createTreeView<Node>(VIEW_ID, {
      treeDataProvider: this,
      manageCheckboxStateManually: true,
      showCollapseAll: true,
    });
    const refresh = (path: string | undefined): void => this.refresh(path);
    this.subscriptions.push(
      this.view,
      this.view.onDidChangeCheckboxState(({ items }) => void this.ticked(items)),
      this.view.onDidChangeVisibility(({ visible }) => visible && this.library.rescanSoon()),
      library.onDidChange(refresh),
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
        return this.partsOf(node);
      case 'block':
        return modulesOf(node);
      case 'part':
        return node.part.tensors.map((tensor) => ({ kind: 'tensor', tensor, parent: node }));
      case 'tensor':
      case 'adapter':
        return [];
    }
  }

  getTreeItem(node: Node): vscode.TreeItem | Promise<vscode.TreeItem> {
    switch (node.kind) {
      case 'checkpoint':
        return this.checkpointLine(node);
      case 'block':
        return this.blockLine(node);
      case 'part':
        return partItem(node);
      case 'tensor':
        return tensorItem(node.tensor);
      case 'adapter':
        return adapterItem(node.path);
    }
  }

  getParent(node: Node): Node | undefined {
    return node.kind === 'checkpoint' || node.kind === 'adapter' ? undefined : node.parent;
  }

  /** Shows a checkpoint in the view, selected. */
  async reveal(path: string, options: { readonly focus?: boolean; readonly expand?: boolean } = {}): Promise<void> {
    const entry = this.library.entries().find((each) => each.path === path);
    if (entry) await this.view.reveal(this.nodeOf(entry), { select: true, ...options });
  }

  /** The node of a checkpoint that is selected in the view, or to which the selected line belongs. */
  get selectedPath(): string | undefined {
    const [selected] = this.view.selection;
    return selected && checkpointPathOf(selected);
  }

  /** A number on the view's icon, such as jobs; none for 0. */
  showBadge(value: number, tooltip: string): void {
    this.view.badge = value > 0 ? { value, tooltip } : undefined;
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changed.dispose();
  }

  /** Above the tree: what makes it show less, or protect less, than the user may think. */
  private tellFaults(): void {
    const { fault } = protectionOf(0, this.config);
    const lines = [
      ...(fault === undefined ? [] : [vscode.l10n.t('The setting coppice.keep protects nothing: {0}.', fault)]),
      ...(this.library.isTruncated
        ? [vscode.l10n.t('Not every weight file of this workspace is listed: there are too many.')]
        : []),
    ];
    this.view.message = lines.length > 0 ? lines.join(' ') : undefined;
  }

  private roots(): Node[] {
    if (!this.library.isScanned) return [];
    const entries = this.library.entries();
    const listed = new Set(entries.map(({ path }) => path));
    for (const path of this.nodes.keys()) if (!listed.has(path)) this.nodes.delete(path);
    const checkpoints = entries.map((entry) => this.nodeOf(entry));
    return [...checkpoints, ...this.library.adapters().map((path) => ({ kind: 'adapter' as const, path }))];
  }

  private nodeOf(entry: Entry): CheckpointNode {
    let node = this.nodes.get(entry.path);
    if (node?.entry.origin !== entry.origin) this.nodes.set(entry.path, (node = { kind: 'checkpoint', entry }));
    return node;
  }

  private async checkpointLine(node: CheckpointNode): Promise<vscode.TreeItem> {
    const { path, origin } = node.entry;
    try {
      const checkpoint = await this.library.load(path);
      const subject = subjectOf(path, checkpoint);
      const removed = subject ? this.plans.removed(subject) : [];
      return checkpointItem(checkpoint, {
        ...{ path, origin, removed },
        ...(subject && { choice: this.plans.choice(subject), scores: this.scores.latest(subject) }),
      });
    } catch (error) {
      return failedItem(path, origin, asUserError(error, vscode.l10n.t('Cannot open {0}', path)));
    }
  }

  private async partsOf(node: CheckpointNode): Promise<Node[]> {
    const checkpoint = await this.library.load(node.entry.path).catch(() => undefined);
    if (!checkpoint) return [];
    const { embedding, norm, head, other } = partsOf(checkpoint);
    const part = (name: PartNode['name'], of: PartNode['part']): PartNode[] =>
      of.tensors.length === 0 ? [] : [{ kind: 'part', name, part: of, parent: node, checkpoint }];
    return [
      ...part('embedding', embedding),
      ...this.blocksOf(node, checkpoint),
      ...part('norm', norm),
      ...part('head', head),
      ...part('other', other),
    ];
  }

  private blocksOf(node: CheckpointNode, checkpoint: BlockNode['checkpoint']): readonly BlockNode[] {
    const before = this.blockNodes.get(node);
    if (before?.[0]?.checkpoint === checkpoint) return before;
    const blocks = partsOf(checkpoint).blocks.map((block) => ({
      kind: 'block' as const,
      block,
      parent: node,
      checkpoint,
    }));
    this.blockNodes.set(node, blocks);
    return blocks;
  }

  private blockLine(node: BlockNode): vscode.TreeItem {
    const { block, checkpoint } = node;
    const { path } = node.parent.entry;
    const subject = subjectOf(path, checkpoint);
    if (!subject) return blockItem(path, block);
    const { kept, locked } = protectionOf(subject.blocks, this.config);
    return blockItem(path, block, {
      kept: !this.plans.removed(subject).includes(block.index),
      protected: kept.has(block.index),
      locked: locked.has(block.index),
      scores: this.scores.latest(subject),
    });
  }

  /** Boxes were ticked or unticked by hand. */
  private async ticked(items: readonly (readonly [Node, vscode.TreeItemCheckboxState])[]): Promise<void> {
    const changes = new Map<CheckpointNode, [block: number, kept: boolean][]>();
    for (const [node, state] of items) {
      if (node.kind !== 'block') continue;
      const list = changes.get(node.parent) ?? [];
      list.push([node.block.index, state === vscode.TreeItemCheckboxState.Checked]);
      changes.set(node.parent, list);
    }
    for (const [parent, list] of changes) {
      // A plan belongs to the files as they are, which may have changed since the line was made.
      const checkpoint = await this.library.load(parent.entry.path).catch(() => undefined);
      const subject = checkpoint && subjectOf(parent.entry.path, checkpoint);
      if (!subject) continue;
      const { locked } = protectionOf(subject.blocks, this.config);
      this.plans.change(
        subject,
        list.filter(([block, kept]) => kept || !locked.has(block)),
      );
      this.refresh(parent.entry.path); // boxes that must not change show their old state again
    }
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

function modulesOf(node: BlockNode): PartNode[] {
  const { block, checkpoint } = node;
  const modules = (['attention', 'ffn', 'other'] as const).map((name) => {
    return { kind: 'part' as const, name, part: block[name], parent: node, checkpoint };
  });
  return modules.filter(({ part }) => part.tensors.length > 0);
}
