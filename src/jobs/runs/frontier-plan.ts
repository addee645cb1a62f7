/** Which files a comparison of sizes measures, by sizes from headers alone. */
import { requireArchitecture } from '../../engine/checkpoint/open';
import { GGUF_NOTES_BYTES } from '../../engine/checkpoint/file-bytes';
import { layerParameters } from '../../engine/checkpoint/parameters';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { throwIfCancelled, UserError } from '../../engine/errors';
import { fewestWithin, FRONTIER_TYPES } from '../../engine/evaluate/frontier';
import { ascending } from '../../engine/evaluate/grid/protocol';
import { usualCounts } from '../../engine/evaluate/versus-methods';
import { mostForSize } from '../../engine/importance/count';
import { requireRoom } from '../../engine/importance/select';
import { option } from '../../engine/option-token';
import { withWeights } from '../../engine/weights/checkpoint';
import type { GgufType } from '../../engine/write/gguf/kinds';
import { planGguf } from '../../engine/write/gguf/write-gguf';
import { formatBytes } from '../../format/numbers';
import { counted } from '../../format/words';
import type { OptionsFor } from '../kinds';
import type { JobContext } from '../run';

type Options = OptionsFor<'frontier'>;

/** A file before it is written. */
export interface PlannedFile {
  readonly type: GgufType;
  readonly count: number;
  readonly bytes: number;
}

/** How many blocks may go, before it is known which ones. */
export interface Amounts {
  /** Numbers of removed blocks that are measured, ascending; undefined where a size decides. */
  readonly counts?: readonly number[];
  /** The largest number that may go. */
  readonly most: number;
}

/** @throws UserError for more blocks than can go */
export function amountsOf({ fit, counts }: Options, blocks: number, kept: ReadonlySet<number>): Amounts {
  const room = Math.max(0, Math.min(blocks - 1, blocks - kept.size));
  if (fit !== undefined && !counts) return { most: Math.min(room, mostForSize(blocks)) };
  const asked = ascending(counts ?? [0, ...(room === 0 ? [] : usualCounts(blocks, room))]);
  const most = asked.at(-1)!; // the job's check refuses an empty list
  if (most > 0) requireRoom(blocks, most, kept);
  return { counts: asked, most };
}

/** Plans sizes of one model. Each is found once. */
export class Sizes {
  private readonly found = new Map<string, Promise<number>>();

  constructor(
    private readonly checkpoint: Checkpoint,
    /** Whether an importance matrix guides the rounding. */
    private readonly weighed: boolean,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** @throws UserError for a model that GGUF cannot hold; CancelledError */
  of(type: GgufType, removed: readonly number[]): Promise<number> {
    const key = `${type} ${removed.join()}`;
    let bytes = this.found.get(key);
    if (!bytes) this.found.set(key, (bytes = this.plan(type, removed)));
    return bytes;
  }

  private async plan(type: GgufType, removed: readonly number[]): Promise<number> {
    throwIfCancelled(this.signal);
    const { layers } = requireArchitecture(this.checkpoint);
    const kept = [...layers.keys()].filter((block) => !removed.includes(block));
    const { layout } = await withWeights(this.checkpoint, (weights) =>
      planGguf(this.checkpoint, weights, { kept, type, weighed: this.weighed }),
    );
    return layout.bytes + GGUF_NOTES_BYTES;
  }
}

/**
 * The types that are measured: those that were named, or those of the usual ones that make the model smaller than a finer one
 * does. Rows that are no multiple of 256 get other types, so that two of them can be the same file.
 * @throws UserError for a model that GGUF cannot hold
 */
export async function typesOf({ types }: Options, sizes: Sizes): Promise<readonly GgufType[]> {
  if (types) return [...new Set(types)];
  const smaller: GgufType[] = [];
  let least = Infinity;
  for (const type of FRONTIER_TYPES) {
    const bytes = await sizes.of(type, []);
    if (bytes >= least) continue;
    least = bytes;
    smaller.push(type);
  }
  return smaller;
}

/**
 * Refuses a size that no type has even without the largest blocks, before anything is computed.
 * @throws UserError with the smallest size there is
 */
export async function requireReachable(
  { fit }: Options,
  checkpoint: Checkpoint,
  { types, sizes, counts, most, kept }: Asked,
): Promise<void> {
  if (fit === undefined) return;
  const parameters = layerParameters(requireArchitecture(checkpoint));
  const free = [...parameters.keys()].filter((block) => !kept.has(block));
  const largest = free.sort((a, b) => parameters[b] - parameters[a] || a - b).slice(0, most);
  const removed = ascending(largest);
  const found = await Promise.all(types.map(async (type) => ({ type, bytes: await sizes.of(type, removed) })));
  const least = found.reduce((a, b) => (b.bytes < a.bytes ? b : a));
  if (least.bytes <= fit) return;
  const without = most === 0 ? '' : ` without ${most} of its ${counted(parameters.length, 'block')}`;
  const why = `as ${least.type}${without} it has ${formatBytes(least.bytes)}`;
  throw new UserError(
    `No file of ${formatBytes(fit)} can be found`,
    counts || most < mostForSize(parameters.length)
      ? `${why}, the smallest of these`
      : `${why}, and more than a third of the blocks is not removed for a size`,
    `Give ${option('fit', `${Math.ceil(least.bytes / 1e5) / 10}MB`)} or more, a coarser type by ${option('types')}, or a larger number by ${option('counts')}; a smaller vocabulary saves bytes too.`,
  );
}

export interface Asked extends Amounts {
  readonly types: readonly GgufType[];
  readonly sizes: Sizes;
  readonly kept: ReadonlySet<number>;
}

/**
 * The files to measure: all types without each number of blocks. For a size alone, all types of the original, and each that
 * does not fit without as few blocks as are needed.
 * @param removedAt the blocks that go, for each number
 */
export async function plannedFiles(
  fit: number | undefined,
  { types, sizes, counts, most }: Asked,
  removedAt: (count: number) => readonly number[],
  { note }: Pick<JobContext, 'note'>,
): Promise<PlannedFile[]> {
  const sizeOf = (type: GgufType, count: number): Promise<number> => sizes.of(type, removedAt(count));
  const files: PlannedFile[] = [];
  const add = async (type: GgufType, count: number): Promise<void> => {
    files.push({ type, count, bytes: await sizeOf(type, count) });
  };
  for (const count of counts ?? []) for (const type of types) await add(type, count);
  if (counts) return files;
  for (const type of types) {
    await add(type, 0);
    const found = await fewestWithin(fit!, most, (count) => sizeOf(type, count)); // without numbers there is a size
    if (found === undefined) note(`${type} does not fit without ${counted(most, 'block')}`);
    else if (found.count > 0) await add(type, found.count);
  }
  return files.sort((a, b) => a.count - b.count);
}
