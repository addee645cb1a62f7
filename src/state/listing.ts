/**
 * Where the lines of models stand: what Coppice made lies below what it was made from, adapters and stopped trainings below
 * their models. What cannot be run and was not made here is in a group of its own.
 */
import { basename } from 'node:path';
import type { Checkpoint } from '../engine/checkpoint/types';
import { AdapterBases } from './adapter-bases';
import { type CheckpointGroup, groupCheckpoints } from './checkpoint-groups';
import type { HiddenPaths } from './hidden';
import type { CheckpointLibrary, Entry } from './library';
import { type Listed, lineOf, parentsOf } from './lineage';
import { type AdapterNode, type CheckpointNode, type ExportNode, keyOf, type Node, type TrainingNode } from './nodes';
import type { OnnxFolder } from './onnx-folders';
import type { Origin, Origins } from './origins';

/** A line that stands for files. */
export type FileNode = CheckpointNode | AdapterNode | ExportNode | TrainingNode;

export interface Listing {
  readonly top: readonly FileNode[];
  /** The members of the inspection group. */
  readonly inspected: readonly CheckpointNode[];
  /** The group of each checkpoint. */
  readonly groups: ReadonlyMap<string, CheckpointGroup>;
  /** How Coppice made a checkpoint, by its path. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** The path of a checkpoint, by the identity of its files. */
  readonly identities: ReadonlyMap<string, string>;
  /** How Coppice trained an adapter, by its path. */
  readonly adapters: ReadonlyMap<string, Origin>;
  /** Exported folders of ONNX models. */
  readonly exports: readonly OnnxFolder[];
  /** What stands below a line, by its key: models in the order in which they were made, then adapters and trainings. */
  readonly below: ReadonlyMap<string, readonly FileNode[]>;
  /** The line above, by the key of a line. */
  readonly above: ReadonlyMap<string, FileNode>;
}

export const NOTHING: Listing = {
  top: [],
  inspected: [],
  groups: new Map(),
  origins: new Map(),
  identities: new Map(),
  adapters: new Map(),
  exports: [],
  below: new Map(),
  above: new Map(),
};

/** The same text for listings in which every line stands at the same place. */
export const layoutOf = ({ top, inspected, above }: Listing): string =>
  JSON.stringify([top.map(keyOf), inspected.map(keyOf), [...above].map(([key, node]) => [key, keyOf(node)])]);

/** The identity of the oldest ancestor that records name; its own if there is none. */
export function originalIn({ origins, identities }: Listing, path: string, identity: string): string {
  const originOf = (each: string): string | undefined => origins.get(identities.get(each) ?? '')?.identity;
  return lineOf(identity, origins.get(path)?.identity, originOf).at(-1)!;
}

/** What a listing is made of. */
interface Found {
  readonly usable: readonly Entry[];
  readonly others: readonly Entry[];
  readonly groups: ReadonlyMap<string, CheckpointGroup>;
  readonly origins: ReadonlyMap<string, Origin>;
  readonly identities: ReadonlyMap<string, string>;
  readonly adapters: ReadonlyMap<string, Origin>;
}

export class ModelNodes {
  /** One node per line, so that VS Code recognizes it. */
  private nodes = new Map<string, FileNode>();
  private readonly bases: AdapterBases;

  constructor(
    private readonly library: Pick<
      CheckpointLibrary,
      'isScanned' | 'entries' | 'load' | 'peek' | 'adapters' | 'exports' | 'trainings'
    >,
    private readonly hidden: Pick<HiddenPaths, 'has'>,
    private readonly origins: Origins,
  ) {
    this.bases = new AdapterBases(origins);
  }

  /** Opens every listed checkpoint that is not open yet (headers only), and reads records that have changed. */
  async list(): Promise<Listing> {
    if (!this.library.isScanned) return NOTHING;
    const found = await this.find();
    const parents = await this.parents(found);
    const nodes = [...found.usable, ...found.others].map((entry) => this.nodeOf(entry));
    const adapters = this.library.adapters().map((path) => this.same<AdapterNode>({ kind: 'adapter', path }));
    const trainings = this.library.trainings().map((training) => this.same({ kind: 'training' as const, training }));
    const exports = this.library.exports().map((folder) => this.same<ExportNode>({ kind: 'export', folder }));
    const all: readonly FileNode[] = [...nodes, ...exports, ...adapters, ...trainings];
    this.nodes = new Map(all.map((node) => [keyOf(node), node]));
    return listingOf(found, all, (node) => this.nodes.get(parents.get(keyOf(node)) ?? ''), this.hidden);
  }

  /** How Coppice made what lies at `home`; undefined if it did not. */
  origin(home: string): Promise<Origin | undefined> {
    return this.origins.of(home);
  }

  /** The line of a model or an export at the last listing. */
  at(path: string): FileNode | undefined {
    return this.nodes.get(`checkpoint:${path}`) ?? this.nodes.get(`export:${path}`);
  }

  /** The line of a checkpoint at the last listing. */
  checkpoint(path: string): CheckpointNode | undefined {
    const node = this.nodes.get(`checkpoint:${path}`);
    return node?.kind === 'checkpoint' ? node : undefined;
  }

  private async find(): Promise<Found> {
    const { usable, unsupported, broken } = await groupCheckpoints(this.library);
    const groups = new Map<string, CheckpointGroup>();
    for (const { path } of usable) groups.set(path, 'usable');
    for (const { path } of unsupported) groups.set(path, 'unsupported');
    for (const { path } of broken) groups.set(path, 'broken');
    const origins = new Map<string, Origin>();
    const readable = [...usable, ...unsupported].map(({ path }) => path);
    const read = await Promise.all(readable.map((path) => this.originOf(path)));
    for (const [i, path] of readable.entries()) if (read[i]) origins.set(path, read[i]);
    const identities = new Map<string, string>();
    for (const path of readable.reverse()) identities.set(this.library.peek(path)?.identity ?? '', path);
    const adapters = new Map<string, Origin>();
    for (const path of this.library.adapters()) {
      const origin = await this.origins.of(path);
      if (origin) adapters.set(path, origin);
    }
    return { usable, others: [...unsupported, ...broken], groups, origins, identities, adapters };
  }

  private async originOf(path: string): Promise<Origin | undefined> {
    const checkpoint = this.library.peek(path);
    return checkpoint && this.origins.of(checkpoint.home);
  }

  /** The key of the line above, by the key of each line that has one. */
  private async parents({ usable, groups, origins }: Found): Promise<ReadonlyMap<string, string>> {
    const kin: Listed[] = [...groups.keys()].map((path) => {
      return { path, identity: this.library.peek(path)?.identity, madeFrom: origins.get(path)?.identity };
    });
    const ofModels = parentsOf(kin, (path) => groups.get(path) === 'usable');
    const parents = new Map<string, string>();
    for (const [path, parent] of ofModels) parents.set(`checkpoint:${path}`, `checkpoint:${parent}`);
    const originals = usable.filter(({ path }) => !ofModels.has(path));
    const models = [...originals, ...usable.filter(({ path }) => ofModels.has(path))];
    await this.addAdapters(models, parents);
    this.addTrainings(models, parents);
    this.addExports(models, parents);
    for (const [path, parent] of ofModels) this.belowAdapter(path, parent, origins, parents);
    return parents;
  }

  private async addAdapters(models: readonly Entry[], parents: Map<string, string>): Promise<void> {
    const opened = models.flatMap(({ path }) => this.library.peek(path) ?? []);
    const bases = await Promise.all(this.library.adapters().map((folder) => this.bases.of(folder, opened)));
    for (const [i, folder] of this.library.adapters().entries()) {
      const base = bases[i] === undefined ? undefined : this.entryOf(models, ({ identity }) => identity === bases[i]);
      if (base) parents.set(`adapter:${folder}`, `checkpoint:${base.path}`);
    }
  }

  private addExports(models: readonly Entry[], parents: Map<string, string>): void {
    for (const { path, identity } of this.library.exports()) {
      const source = this.entryOf(models, (checkpoint) => checkpoint.identity === identity);
      if (source) parents.set(`export:${path}`, `checkpoint:${source.path}`);
    }
  }

  private addTrainings(models: readonly Entry[], parents: Map<string, string>): void {
    for (const { out, model, request } of this.library.trainings()) {
      const base =
        this.entryOf(models, ({ identity }) => identity === model) ??
        models.find(({ path }) => path === request?.checkpoint);
      if (base) parents.set(`training:${out}`, `checkpoint:${base.path}`);
    }
  }

  /** A model with a merged adapter stands below that adapter, if it is listed beside it. */
  private belowAdapter(
    path: string,
    parent: string,
    origins: ReadonlyMap<string, Origin>,
    parents: Map<string, string>,
  ): void {
    const name = origins.get(path)?.adapter;
    if (name === undefined) return;
    const adapter = this.library.adapters().find((folder) => {
      return basename(folder) === name && parents.get(`adapter:${folder}`) === `checkpoint:${parent}`;
    });
    if (adapter !== undefined) parents.set(`checkpoint:${path}`, `adapter:${adapter}`);
  }

  private entryOf(models: readonly Entry[], fits: (checkpoint: Checkpoint) => boolean): Entry | undefined {
    return models.find(({ path }) => {
      const checkpoint = this.library.peek(path);
      return checkpoint !== undefined && fits(checkpoint);
    });
  }

  private nodeOf(entry: Entry): CheckpointNode {
    const known = this.nodes.get(`checkpoint:${entry.path}`);
    return known?.kind === 'checkpoint' && known.entry.origin === entry.origin ? known : { kind: 'checkpoint', entry };
  }

  private same<T extends AdapterNode | ExportNode | TrainingNode>(node: T): T {
    const known = this.nodes.get(keyOf(node)) as T | undefined;
    return known && isSame(known, node) ? known : node;
  }
}

/** Whether two nodes of one key stand for the same files. */
function isSame(a: FileNode, b: FileNode): boolean {
  if (a.kind === 'training') return b.kind === a.kind && a.training === b.training;
  if (a.kind === 'export') return b.kind === a.kind && a.folder === b.folder;
  return true;
}

function listingOf(
  { groups, origins, identities, adapters }: Found,
  all: readonly FileNode[],
  aboveOf: (node: Node) => FileNode | undefined,
  hidden: Pick<HiddenPaths, 'has'>,
): Listing {
  const top: FileNode[] = [];
  const inspected: CheckpointNode[] = [];
  const below = new Map<string, FileNode[]>();
  const above = new Map<string, FileNode>();
  for (const node of all) {
    const unusable = node.kind === 'checkpoint' && groups.get(node.entry.path) !== 'usable';
    if (unusable && hidden.has(node.entry.path)) continue;
    const parent = aboveOf(node);
    if (parent) {
      above.set(keyOf(node), parent);
      below.set(keyOf(parent), [...(below.get(keyOf(parent)) ?? []), node]);
    } else if (unusable) inspected.push(node);
    else top.push(node);
  }
  const made = (node: FileNode): string => {
    if (node.kind === 'export') return node.folder.finished;
    return node.kind === 'checkpoint' ? (origins.get(node.entry.path)?.finished ?? '') : '￿';
  };
  for (const list of below.values()) list.sort((a, b) => (made(a) < made(b) ? -1 : made(a) > made(b) ? 1 : 0));
  const exports = all.flatMap((node) => (node.kind === 'export' ? [node.folder] : []));
  return { top, inspected, groups, origins, identities, adapters, exports, below, above };
}
