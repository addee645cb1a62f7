/** What an export applies, and what its file is called after. Does not use VS Code. */
import { isGgufCheckpoint } from '../../engine/checkpoint/gguf/name';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { l10n } from '../../l10n';
import { type ExportFormat, FORMATS } from '../../engine/write/formats';
import { keptType } from '../../estimates/written-bytes';

/** The answers that matter here. */
export interface Exported {
  readonly format?: ExportFormat;
  /** Types of the weights; empty: as stored. */
  readonly type?: readonly string[];
  /** In place of the plan. */
  readonly remove?: readonly (number | string)[];
  readonly heal?: string;
  readonly adapter?: string;
}

type Source = Pick<Checkpoint, 'format' | 'tensors' | 'architecture'>;

/** Healed weights and an adapter say themselves what they leave out. */
const removedBy = ({ remove, heal, adapter }: Exported, planned: readonly number[]): readonly (number | string)[] =>
  remove ?? ((heal ?? adapter) === undefined ? planned : []);

const left = ({ architecture }: Source, removed: readonly (number | string)[]): number =>
  (architecture?.layers.length ?? 0) - removed.filter((entry) => typeof entry === 'number').length;

/** "Without 8, 9, 14 · 15 blocks"; nothing where all blocks are exported. */
export function withoutWords(
  { checkpoint }: { readonly checkpoint: Source },
  exported: Exported,
  planned: readonly number[],
): string[] {
  const removed = removedBy(exported, planned);
  return removed.length === 0
    ? []
    : [l10n.t('Without {0} · {1} blocks', removed.join(', '), left(checkpoint, removed))];
}

/** "15-blocks", "24-blocks-q8_0", "onnx-q8": what tells it from its source, and from other exports. */
export function exportSuffix(
  { checkpoint }: { readonly checkpoint: Source },
  exported: Exported,
  planned: readonly number[],
): string {
  const { format = 'gguf', type = [], heal, adapter } = exported;
  const removed = removedBy(exported, planned);
  const own = isGgufCheckpoint(checkpoint) ? undefined : keptType(checkpoint);
  const isFile = FORMATS[format].extension !== undefined;
  const types = type.length > 0 ? type : isFile && own !== undefined ? [own] : [];
  const parts = [
    ...(removed.length > 0 ? [`${left(checkpoint, removed)}-blocks`] : []),
    ...(heal === undefined ? [] : ['healed']),
    ...(adapter === undefined ? [] : ['retrained']),
    // The end of a file's name says its format.
    ...(isFile ? [] : [format]),
    ...types,
  ];
  return parts.length > 0 ? parts.join('-') : 'copy';
}
