/**
 * The view "Checkpoints": checkpoints with their plan, what was made from them, blocks, modules and tensors, and a group of
 * models that can only be inspected. Children are created when a line is expanded, so that thousands of tensors cost nothing
 * before. The checkboxes are the plan: checked blocks are kept.
 */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { Config } from '../state/config';
import type { Journey } from '../protocol/journey';
import { tick } from './boxes';
import { type Exported, exportsOf } from '../state/exported';
import { ModelNodes, type FileNode, type Listing, NOTHING, layoutOf } from '../state/listing';
import type { Goals } from '../state/goals';
import type { HiddenPaths } from '../state/hidden';
import { adapterItem } from './items/adapter';
import { exportItem } from './items/exported';
import type { NodeKin } from './items/checkpoint';
import { inspectionItem } from './items/inspection';
import { partItem, tensorItem } from './items/part';
import { trainingItem } from './items/training';
import type { CheckpointLibrary } from '../state/library';
import type { Lines } from './lines';
import {
  type CheckpointNode,
  checkpointPathOf,
  filePathOf,
  type InspectionNode,
  keyOf,
  type Node,
} from '../state/nodes';
import { Offspring } from '../state/offspring';
import type { NamedPlans } from '../state/named-plans';
import type { Origins } from '../state/origins';
import type { Plans, PlanSubject } from '../state/plan';
import { protectionOf } from '../state/protection';
import type { RunRecords } from '../state/run-records';
import type { ScoreStore } from '../state/scores';
import { subjectOf } from '../state/subject';

const VIEW_ID = 'coppice.checkpoints';

/** A single object, so that VS Code recognizes it. */
const INSPECTION: InspectionNode = { kind: 'inspection' };

/** What the tree shows. */
export interface TreeServices {
  readonly library: CheckpointLibrary;
  readonly plans: Plans;
  readonly namedPlans: NamedPlans;
  readonly scores: ScoreStore;
  readonly hidden: HiddenPaths;
  readonly config: Config;
  readonly origins: Origins;
  readonly records: RunRecords;
  readonly goals: Goals;
  readonly log: vscode.LogOutputChannel;
}

export class CheckpointTree implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<Node | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly subscriptions: { dispose(): void }[] = [];
  private readonly view: vscode.TreeView<Node>;
  /** What draws lines: loaded with the first that is drawn. */
  private readonly lines: () => Promise<Lines>;
  private readonly offspring: Offspring;
  private readonly nodes: ModelNodes;
  /** What stands where, as VS Code was told last. */
  private listing: Listing = NOTHING;
  /** Reads the records of runs, and draws lines again if they tell more. */
  readonly readRecords: () => void;
  /** The last selection that VS Code reported. `selection` lacks lines that are being refreshed. */
  private selected: readonly Node[] = [];

  private readonly library: CheckpointLibrary;
  private readonly plans: Plans;
  private readonly config: Config;

  constructor({ library, plans, namedPlans, scores, hidden, config, origins, records, goals, log }: TreeServices) {
    this.library = library;
    this.plans = plans;
    this.config = config;
    this.nodes = new ModelNodes(library, hidden, origins);
    let drawing: Promise<Lines> | undefined;
    const draw = async (): Promise<Lines> => {
      const { Lines: Made } = await import('./lines');
      return new Made(library, plans, namedPlans, scores, config, records, goals, () => this.listing);
    };
    this.lines = () => (drawing ??= draw());
    this.offspring = new Offspring(library, namedPlans);
    this.readRecords = () => {
      records.read().catch((error: unknown) => log.warn(`The records of runs were not read: ${String(error)}`));
    };
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
      this.view.onDidChangeVisibility(({ visible }) => visible && this.shown()),
      library.onDidChange((path) => void this.filesChanged(path)),
      hidden.onChange(() => this.refresh(undefined)),
      plans.onChange(refresh),
      namedPlans.onChange(refresh),
      records.onChange(() => this.refresh(undefined)),
      goals.onChange(() => this.refresh(undefined)),
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
        return this.offspring.ofCheckpoint(node, this.madeFrom(node));
      case 'adapter':
        return this.madeFrom(node);
      case 'block':
        return this.offspring.ofBlock(node);
      case 'part':
        return this.offspring.ofPart(node);
      case 'inspection':
        return [...this.listing.inspected];
      case 'plan':
      case 'namedPlan':
      case 'vocabulary':
      case 'tensor':
      case 'export':
      case 'training':
        return [];
    }
  }

  async getTreeItem(node: Node): Promise<vscode.TreeItem> {
    switch (node.kind) {
      case 'checkpoint':
        return (await this.lines()).checkpoint(node, this.kinOf(node));
      case 'block':
        return (await this.lines()).block(node);
      case 'part':
        return partItem(node);
      case 'tensor':
        return tensorItem(node.tensor);
      case 'plan':
        return (await this.lines()).plan(node);
      case 'namedPlan':
        return (await this.lines()).namedPlan(node);
      case 'vocabulary':
        return (await this.lines()).vocabulary(node);
      case 'adapter':
        return adapterItem(node.path, this.madeFrom(node).length);
      case 'export':
        return exportItem(node, !this.listing.above.has(keyOf(node)));
      case 'inspection':
        return inspectionItem(this.listing.inspected.length, ![...this.listing.groups.values()].includes('usable'));
      case 'training':
        return trainingItem(node.training);
    }
  }

  getParent(node: Node): Node | undefined {
    if ('parent' in node) return node.parent;
    const isInspected = this.listing.inspected.some((each) => each === node);
    return isInspected ? INSPECTION : this.listing.above.get(keyOf(node));
  }

  /** Shows a checkpoint or an export in the view, selected, and opens the lines above it. */
  async reveal(path: string, options: { readonly focus?: boolean; readonly expand?: boolean } = {}): Promise<void> {
    if (!this.nodes.at(path)) this.listing = await this.nodes.list(); // finds its place
    const node = this.nodes.at(path);
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

  /** The way of a checkpoint to one that ships, as its line tells. */
  async journey(subject: PlanSubject): Promise<Journey> {
    if (!this.listing.groups.has(subject.path)) this.listing = await this.nodes.list();
    return (await this.lines()).journey(subject);
  }

  /** Paths of the models that were made from a listed one. */
  async madeFromListed(): Promise<ReadonlySet<string>> {
    const { origins, identities } = await this.nodes.list();
    return new Set([...origins].filter(([, { identity }]) => identities.has(identity)).map(([path]) => path));
  }

  /** What was exported from a model, newest first; without one, from all models. */
  async exportsOf(identity?: string): Promise<Exported[]> {
    return exportsOf(await this.nodes.list(), identity);
  }

  /** Whether Coppice wrote a model or an adapter. @param home its folder or GGUF file */
  async isOurs(home: string): Promise<boolean> {
    return (await this.nodes.origin(home)) !== undefined;
  }

  /** Names of what stands below a checkpoint. */
  namesBelow(path: string): string[] {
    const below = this.listing.below.get(`checkpoint:${path}`) ?? [];
    return below.map((node) => basename(node.kind === 'training' ? node.training.out : filePathOf(node)!));
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

  private shown(): void {
    this.library.rescanSoon();
    this.readRecords();
  }

  private async roots(): Promise<Node[]> {
    if (this.listing === NOTHING) this.readRecords();
    const { top, inspected } = (this.listing = await this.nodes.list());
    return [...top, ...(inspected.length > 0 ? [INSPECTION] : [])];
  }

  /** What Coppice made from a model or with an adapter. */
  private madeFrom(node: FileNode): FileNode[] {
    return [...(this.listing.below.get(keyOf(node)) ?? [])];
  }

  private kinOf(node: CheckpointNode): NodeKin {
    const { origins, above, identities } = this.listing;
    const origin = origins.get(node.entry.path);
    const made = this.madeFrom(node);
    return {
      ...(origin && { origin }),
      derived: origin !== undefined && identities.has(origin.identity),
      hasAdapter: made.some(({ kind }) => kind === 'adapter'),
      alone: !above.has(keyOf(node)),
      made: made.length,
    };
  }

  /** The line of a checkpoint at the last listing. */
  nodeAt(path: string): CheckpointNode | undefined {
    return this.nodes.checkpoint(path);
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

  /** The files of a checkpoint or the list changed: a line may stand elsewhere now. */
  private async filesChanged(path: string | undefined): Promise<void> {
    const before = this.listing;
    const isShown = path !== undefined && this.view.visible && before.groups.has(path);
    if (!isShown) {
      this.refresh(undefined);
      return;
    }
    const now = (this.listing = await this.nodes.list());
    this.refresh(layoutOf(now) === layoutOf(before) ? path : undefined);
  }

  private refresh(path: string | undefined): void {
    if (path === undefined) {
      this.changed.fire(undefined);
      return;
    }
    const node = this.nodeAt(path);
    if (node) this.changed.fire(node);
  }
}
