/**
 * The plan of a new checkpoint: every tensor with its name, file and position. Tensors of removed blocks are left out,
 * those of later blocks are renumbered. All others stay unchanged, unless they are rewritten. Tensors that the source
 * does not have can be added.
 */
import { DTYPE_BITS, type Dtype, isElementType } from '../formats/dtype';
import { ELEMENT_BYTES } from '../formats/narrow';
import { elements } from '../checkpoint/parameters';
import { headerBytes } from '../formats/safetensors/tensor-file';
import type { Checkpoint } from '../checkpoint/types';
import { rowsOfStored, type StoredTensor, storedTensor } from '../formats/stored-tensor';
import type { TensorInfo } from '../formats/tensor';
import { modelTensors } from '../checkpoint/used-tensors';
import { blockOfTensor, blockTensorName } from '../checkpoint/weight-names';
import type { Rewrite } from './rewrite';

/** A tensor with its new name, at its place in the new file. */
export type PlannedTensor = Unplaced & {
  /** Position of its first byte in the new file. */
  readonly offset: number;
};

type Unplaced = Contents & {
  readonly name: string;
  /** Its name in the source, which messages use. */
  readonly before: string;
  /** Type in the new file. */
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bytes: number;
};

/** The bytes of a tensor of the source are copied, or numbers are computed. */
type Contents =
  | { readonly source: StoredTensor; readonly rewrite?: undefined }
  | { readonly source?: undefined; readonly rewrite: Rewrite };

/** A tensor that the source does not have. */
export interface AddedTensor {
  /** As if no block was removed. */
  readonly name: string;
  readonly rewrite: Rewrite;
}

export interface PlannedShard {
  readonly name: string;
  /** Length field and JSON, as the file begins. */
  readonly header: Buffer;
  /** In the order of their bytes. */
  readonly tensors: readonly PlannedTensor[];
  /** Size of the file. */
  readonly bytes: number;
}

export interface Plan {
  readonly shards: readonly PlannedShard[];
  /** Text of `model.safetensors.index.json`; undefined for a single file. */
  readonly index?: string;
  /** Bytes of all files and the index. */
  readonly bytes: number;
}

/**
 * Up to this size a model is one file, above it shards of at most this size, however its source was split (a larger
 * tensor gets a shard of its own): what stock tools have long written and every hub and file system takes.
 */
const MAX_SHARD_BYTES = 5_000_000_000;

export interface PlanOptions {
  readonly maxShardBytes?: number;
  /** The numbers of a rewritten tensor of the source; undefined for a tensor whose bytes are copied. */
  readonly rewrite?: (source: TensorInfo) => Rewrite | undefined;
  /** The rows of a tensor of the source that are copied, ascending; undefined for all. Not for one that is rewritten. */
  readonly rows?: (source: TensorInfo) => readonly number[] | undefined;
  /** Another name of a tensor of the source, as if no block was removed; undefined where it is left out. */
  readonly renamed?: (source: TensorInfo) => string | undefined;
  /** New tensors that follow a tensor of the source, of the same block. */
  readonly added?: (after: TensorInfo) => readonly AddedTensor[];
  /** Notes for the header of every file, on top of the format. */
  readonly notes?: Readonly<Record<string, string>>;
}

/** Plans the checkpoint without the blocks `removed` (ascending). */
export function planCheckpoint(checkpoint: Checkpoint, removed: readonly number[], options: PlanOptions = {}): Plan {
  const { maxShardBytes = MAX_SHARD_BYTES, notes } = options;
  const kept: Unplaced[] = [];
  const inFile = nameInFile(checkpoint);
  for (const source of checkpoint.prefix === undefined ? modelTensors(checkpoint) : checkpoint.tensors.values()) {
    const renamed = options.renamed ? options.renamed(source) : source.name;
    const name = renamed === undefined ? undefined : nameAfterRemoval(renamed, removed);
    if (name === undefined) continue;
    const rewrite = options.rewrite?.(source);
    const own = inFile(name, source.name);
    kept.push(rewrite ? computed(own, source.name, rewrite) : copied(own, source, options.rows?.(source)));
    for (const added of options.added?.(source) ?? []) {
      const addedName = inFile(nameAfterRemoval(added.name, removed)!, added.name);
      kept.push(computed(addedName, added.name, added.rewrite));
    }
  }
  const groups = groupBySize(kept, maxShardBytes);
  const single = groups.length === 1;
  const metadata = { format: formatOf(checkpoint), ...notes };
  const shards = groups.map((group, i) =>
    layOut(single ? 'model.safetensors' : shardName(i + 1, groups.length), group, metadata),
  );
  const index = single ? undefined : indexText(shards);
  const bytes = shards.reduce((sum, shard) => sum + shard.bytes, Buffer.byteLength(index ?? ''));
  return { shards, index, bytes };
}

function copied(name: string, tensor: TensorInfo, rows: readonly number[] | undefined): Unplaced {
  const stored = storedTensor(tensor);
  const source = rows ? rowsOfStored(stored, rows) : stored;
  const { name: before, dtype, shape, bytes } = source;
  if (!isElementType(dtype)) throw new Error(`${before} is stored as ${dtype}, which a checkpoint cannot hold`);
  return { name, before, dtype, shape, bytes, source };
}

function computed(name: string, before: string, rewrite: Rewrite): Unplaced {
  const { dtype, shape } = rewrite;
  return { name, before, dtype, shape, bytes: elements(shape) * ELEMENT_BYTES[dtype], rewrite };
}

/** A tensor's name after the blocks `removed` are removed; undefined for a tensor of one of these. */
function nameAfterRemoval(name: string, removed: readonly number[]): string | undefined {
  const at = blockOfTensor(name);
  if (at === undefined) return name;
  if (removed.includes(at.block)) return undefined;
  const before = removed.filter((block) => block < at.block).length;
  return blockTensorName(at.block - before, at.rest);
}

/** A tensor's name in the file, of a language model in its place in a whole one. */
const nameInFile =
  ({ prefix, others }: Checkpoint) =>
  (name: string, before: string): string =>
    prefix === undefined || others?.has(before) ? name : name.replace(/^model\./, prefix);

/** Tells readers the framework of the layout. Some readers refuse files without it. */
function formatOf(checkpoint: Checkpoint): string {
  return checkpoint.shards.find((shard) => shard.metadata.format !== undefined)?.metadata.format ?? 'pt';
}

/** Consecutive tensors, as many per file as fit. File order is kept, so that long stretches are copied at once. */
function groupBySize(tensors: readonly Unplaced[], maxBytes: number): Unplaced[][] {
  const groups: Unplaced[][] = [[]];
  let bytes = 0;
  for (const tensor of tensors) {
    if (bytes > 0 && bytes + tensor.bytes > maxBytes) {
      groups.push([]);
      bytes = 0;
    }
    groups[groups.length - 1].push(tensor);
    bytes += tensor.bytes;
  }
  return groups;
}

const shardName = (number: number, count: number): string =>
  `model-${String(number).padStart(5, '0')}-of-${String(count).padStart(5, '0')}.safetensors`;

/**
 * Gives every tensor its position. Wider types come first, which keeps all of them aligned, as in the reference writer.
 */
function layOut(name: string, group: readonly Unplaced[], metadata: Readonly<Record<string, string>>): PlannedShard {
  const ordered = [...group].sort((a, b) => DTYPE_BITS[b.dtype] - DTYPE_BITS[a.dtype]);
  const entries: [string, unknown][] = [['__metadata__', metadata]];
  let end = 0;
  for (const { name: tensor, dtype, shape, bytes } of ordered) {
    entries.push([tensor, { dtype, shape, data_offsets: [end, end + bytes] }]);
    end += bytes;
  }
  const header = headerBytes(Object.fromEntries(entries));
  let offset = header.length;
  const tensors = ordered.map((tensor) => {
    const placed = { ...tensor, offset };
    offset += tensor.bytes;
    return placed;
  });
  return { name, header, tensors, bytes: header.length + end };
}

function indexText(shards: readonly PlannedShard[]): string {
  const weightMap = shards.flatMap((shard) => shard.tensors.map((tensor) => [tensor.name, shard.name] as const));
  const totalSize = shards.reduce((sum, shard) => sum + shard.bytes - shard.header.length, 0);
  const index = { metadata: { total_size: totalSize }, weight_map: Object.fromEntries(weightMap) };
  return `${JSON.stringify(index, null, 2)}\n`;
}
