/** The models that can write side by side, and how the sidecar finds each. */
import { basename } from 'node:path';
import { l10n } from '../../l10n';
import type { ModelSource } from '../../protocol/jobs';
import type { ColumnChoice } from '../../protocol/panel';
import type { Neighbours } from './services';

export interface Column extends ColumnChoice {
  readonly source: ModelSource;
}

/** A list that can still be scrolled through, of a folder of experiments. */
const MOST_NEIGHBOURS = 50;

/** @param adapters those that fit the checkpoint */
export function columnsOf(path: string, removed: readonly number[], { adapters, checkpoints }: Neighbours): Column[] {
  const plan = removed.length > 0 && {
    ...{ id: 'plan', label: `Without ${inRanges(removed)}`, detail: l10n.t('The plan; nothing is written for it') },
    source: { checkpoint: path, remove: removed },
  };
  return [
    { id: 'original', label: 'Original', detail: path, source: { checkpoint: path } },
    ...(plan ? [plan] : []),
    ...adapters.slice(0, MOST_NEIGHBOURS).map((adapter) => ({
      ...{ id: `adapter:${adapter}`, label: basename(adapter), detail: l10n.t('Adapter {0}', adapter) },
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
