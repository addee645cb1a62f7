/** The models that can generate side by side, and where the sidecar finds each. */
import { numberRanges } from '../../format/ranges';
import { basename } from 'node:path';
import { l10n } from '../../l10n';
import type { ModelSource } from '../../protocol/jobs';
import { PATCH, WIDTH } from '../../state/group-files';
import type { ColumnChoice } from '../../protocol/panel';
import { ORIGINAL, withoutLabel } from './model-labels';
import type { Nearness, Relative, Relatives } from './relatives';

export interface Column extends ColumnChoice {
  readonly source: ModelSource;
}

/** What changes the weights of the checkpoint, and fits it. */
export interface Changes {
  /** Folders of adapters. */
  readonly adapters: readonly string[];
  /** Files of healed weights. */
  readonly patches: readonly string[];
  /** Files of widths. */
  readonly widths: readonly string[];
}

/** Limit of a list, for folders of many experiments. */
const MAX_NEIGHBOURS = 50;

const canWrite = (relative: Relative): boolean => relative.canWrite;
/** Measuring speed needs no tokenizer, because its prompt is random ids. */
const canCompute = ({ size }: Relative): boolean => size !== undefined;

/** Limit of measured models, because all stay open while they take turns. */
const MAX_MEASURED = 6;

/** The models to compare the speed of: the checkpoint and its relatives. */
export function measuredColumns(removed: readonly number[], changes: Changes, all: Relatives): Column[] {
  return columnsOf(removed, changes, all, canCompute)
    .filter(({ related }) => related)
    .slice(0, MAX_MEASURED);
}

/**
 * The models that can generate, the nearest first: the checkpoint, its plan, its base model, its healed weights, its
 * widths, its adapters, derived models, and others.
 * @param can what a checkpoint must be able to do
 */
export function columnsOf(
  removed: readonly number[],
  { adapters, patches, widths }: Changes,
  relatives: Relatives,
  can = canWrite,
): Column[] {
  const { self, nearestFirst } = relatives;
  const of = (nearness: readonly Nearness[]): Column[] =>
    nearestFirst
      .filter((other) => can(other) && nearness.includes(relatives.nearness(other)))
      .slice(0, MAX_NEIGHBOURS)
      .map((other) => checkpointColumn(other, relatives.nearness(other)));
  return [
    ...(can(self) ? ownColumns(self, removed) : []),
    ...of(['parent']),
    ...(can(self) ? patches.slice(0, MAX_NEIGHBOURS).map((patch) => patchColumn(self.path, patch)) : []),
    ...(can(self) ? widths.slice(0, MAX_NEIGHBOURS).map((width) => widthColumn(self.path, width)) : []),
    ...(can(self) ? adapters.slice(0, MAX_NEIGHBOURS).map((adapter) => adapterColumn(self.path, adapter)) : []),
    ...of(['child']),
    ...of(['kin', 'neighbour', 'other']),
  ];
}

/** The checkpoint and its plan. A checkpoint that Coppice derived from another one is not called the original. */
function ownColumns({ path, origin }: Relative, removed: readonly number[]): Column[] {
  const original: Column = {
    id: 'original',
    group: 'own',
    label: origin ? basename(path) : ORIGINAL,
    detail: path,
    related: true,
    source: { checkpoint: path },
  };
  if (removed.length === 0) return [original];
  const plan: Column = {
    id: 'plan',
    group: 'own',
    label: withoutLabel(inRanges(removed)),
    detail: l10n.t('The plan. No file is written for it.'),
    related: true,
    source: { checkpoint: path, remove: removed },
  };
  return [original, plan];
}

const adapterColumn = (path: string, adapter: string): Column => ({
  id: `adapter:${adapter}`,
  group: 'own',
  label: basename(adapter),
  detail: l10n.t('Adapter {0}', adapter),
  related: true,
  source: { checkpoint: path, adapter },
});

const patchColumn = (path: string, patch: string): Column => ({
  id: `patch:${patch}`,
  group: 'own',
  label: basename(patch, PATCH),
  detail: l10n.t('Healed weights {0}. No checkpoint is written for them.', patch),
  related: true,
  source: { checkpoint: path, heal: patch },
});

const widthColumn = (path: string, width: string): Column => ({
  id: `width:${width}`,
  group: 'own',
  label: basename(width, WIDTH),
  detail: l10n.t('The heads and neurons that {0} keeps. No checkpoint is written for them.', width),
  related: true,
  source: { checkpoint: path, width },
});

const checkpointColumn = ({ path }: Relative, nearness: Nearness): Column => ({
  id: `checkpoint:${path}`,
  group: nearness === 'parent' ? 'origin' : nearness === 'child' ? 'made' : 'other',
  label: basename(path),
  detail: path,
  ...((nearness === 'parent' || nearness === 'child') && { related: true }),
  source: { checkpoint: path },
});

/** "3, 5–7" */
export const inRanges = (blocks: readonly number[]): string => numberRanges(blocks, '–');
