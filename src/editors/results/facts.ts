/** What the panel shows of a checkpoint, its plan, its neighbours and its runs. */
import { basename, dirname } from 'node:path';
import { parametersOf, parametersOfBlock, parametersReadOf } from '../../engine/checkpoint/parameters';
import { requireArchitecture } from '../../engine/checkpoint/open';
import { runTitle } from '../../engine/runs/compare';
import { modelInput, modelName } from '../../engine/runs/record';
import { InputWatch } from '../../engine/runs/changes';
import { RunStore, type StoredRun, type UnreadableRun } from '../../engine/runs/store';
import type { ModelSource } from '../../protocol/jobs';
import type { ColumnChoice, PanelModel, PanelPlan, PanelRun } from '../../protocol/panel';
import { planEffect } from '../../views/plan-effect';
import { protectionOf } from '../../views/protection';
import type { PlanHistory } from './plan-history';
import type { Neighbours, PanelSettings, PanelSubject } from './services';

export function modelOf({ path, checkpoint }: PanelSubject): PanelModel {
  const architecture = requireArchitecture(checkpoint);
  const { blocks } = architecture;
  const parameters = parametersOf(architecture);
  return {
    ...{ name: modelName(checkpoint), path, blocks, parameters, identity: checkpoint.identity },
    parametersPerBlock: parametersOfBlock(architecture),
    parametersRead: parametersReadOf(architecture),
    bytes: [...checkpoint.tensors.values()].reduce((sum, tensor) => sum + tensor.bytes, 0),
  };
}

export function planOf(
  { checkpoint }: PanelSubject,
  removed: readonly number[],
  history: PlanHistory,
  { plus, keep }: Pick<PanelSettings, 'plus' | 'keep'>,
): PanelPlan {
  const { kept, locked } = protectionOf(requireArchitecture(checkpoint).blocks, { plus, keep });
  const { parametersAfter, bytesAfter, speedup } = planEffect(checkpoint, removed);
  return {
    removed,
    protected: [...kept].sort((a, b) => a - b),
    locked: [...locked].sort((a, b) => a - b),
    ...{ canUndo: history.canUndo, canRedo: history.canRedo },
    ...{ parameters: parametersAfter, bytes: bytesAfter, speedup },
  };
}

/** A model that can write, and how the sidecar finds it. */
export interface Column extends ColumnChoice {
  readonly source: ModelSource;
}

/** More are not chosen from at a glance. */
const MOST_NEIGHBOURS = 8;

export function columnsOf(path: string, removed: readonly number[], { adapters, checkpoints }: Neighbours): Column[] {
  const plan = removed.length > 0 && {
    ...{ id: 'plan', label: `Without ${inRanges(removed)}`, detail: 'The plan; nothing is written for it' },
    source: { checkpoint: path, remove: removed },
  };
  return [
    { id: 'original', label: 'Original', detail: path, source: { checkpoint: path } },
    ...(plan ? [plan] : []),
    ...adapters.slice(0, MOST_NEIGHBOURS).map((adapter) => ({
      ...{ id: `adapter:${adapter}`, label: basename(adapter), detail: `Adapter ${adapter}` },
      source: { checkpoint: path, adapter },
    })),
    ...checkpoints
      .filter((other) => other !== path)
      .slice(0, MOST_NEIGHBOURS)
      .map((other) => ({
        ...{ id: `checkpoint:${other}`, label: basename(other), detail: other },
        source: { checkpoint: other },
      })),
  ];
}

/** "3, 5–7" */
function inRanges(blocks: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const block of blocks) {
    const last = runs.at(-1);
    if (last?.[1] === block - 1) last[1] = block;
    else runs.push([block, block]);
  }
  return runs.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`)).join(', ');
}

/** The runs of several folders, those of this model. */
export class Runs {
  private readonly stores = new Map<string, RunStore>();
  private readonly watch = new InputWatch();
  private found: readonly StoredRun[] = [];

  constructor(private readonly subject: PanelSubject) {}

  async read(folders: readonly string[]): Promise<{ runs: PanelRun[]; unreadable: readonly UnreadableRun[] }> {
    const lists = await Promise.all(folders.map((folder) => this.storeOf(folder).list()));
    const { identity } = this.subject.checkpoint;
    const name = modelName(this.subject.checkpoint);
    this.found = lists
      .flatMap(({ runs }) => runs)
      .filter(({ digest: { model } }) => model.identity === identity || model.name === name)
      .sort((a, b) => b.digest.started.localeCompare(a.digest.started));
    const now = [modelInput(this.subject.checkpoint)];
    const changes = await Promise.all(this.found.map((run) => this.watch.changed(run.inputs, dirname(run.file), now)));
    const runs = this.found.map(({ id, digest }, i) => {
      return { id, title: runTitle(digest), digest, changed: changes[i] };
    });
    return { runs, unreadable: lists.flatMap(({ unreadable }) => unreadable) };
  }

  /** Those of these ids, in this order. */
  pick(ids: readonly string[]): StoredRun[] {
    return ids.flatMap((id) => this.found.find((run) => run.id === id) ?? []);
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (const { id, file } of this.pick(ids)) {
      for (const store of this.stores.values()) if (file.startsWith(store.folder)) await store.remove([id]);
    }
  }

  private storeOf(folder: string): RunStore {
    let store = this.stores.get(folder);
    if (!store) this.stores.set(folder, (store = new RunStore(folder)));
    return store;
  }
}
