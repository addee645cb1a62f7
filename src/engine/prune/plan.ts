/**
 * The plan of a pruned checkpoint: every tensor that goes into it, under which name, in which file, at which byte.
 * Tensors of removed blocks are left out, those of later blocks renumbered; all others stay as they are.
 */
import { DTYPE_BITS } from '../checkpoint/dtype';
import type { Checkpoint, TensorInfo } from '../checkpoint/types';
import { blockOfTensor, blockTensorName } from '../checkpoint/weights';

/** A source tensor under its new name, at its place in the new file. */
export interface PlannedTensor {
  readonly name: string;
  readonly source: TensorInfo;
  /** Position of its first byte in the new file. */
  readonly offset: number;
}

export interface PlannedShard {
  readonly name: string;
  /** Length field and JSON, as they begin the file. */
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
  /** Sum of all files and the index. */
  readonly bytes: number;
}

/**
 * Up to this size a model is one file, above it shards of at most this size, however its source was split (a larger
 * tensor gets a shard of its own): what stock tools have long written and every hub and file system takes.
 */
export const MAX_SHARD_BYTES = 5_000_000_000;

/** Plans the checkpoint without the blocks `removed` (ascending). */
export function planCheckpoint(
  checkpoint: Checkpoint,
  removed: readonly number[],
  maxShardBytes = MAX_SHARD_BYTES,
): Plan {
  const kept: Omit<PlannedTensor, 'offset'>[] = [];
  for (const source of checkpoint.tensors.values()) {
    const at = blockOfTensor(source.name);
    if (at === undefined) {
      kept.push({ name: source.name, source });
    } else if (!removed.includes(at.block)) {
      const before = removed.filter((block) => block < at.block).length;
      kept.push({ name: blockTensorName(at.block - before, at.rest), source });
    }
  }
  const groups = groupBySize(kept, maxShardBytes);
  const single = groups.length === 1;
  const metadata = { format: formatOf(checkpoint) };
  const shards = groups.map((group, i) =>
    layOut(single ? 'model.safetensors' : shardName(i + 1, groups.length), group, metadata),
  );
  const index = single ? undefined : indexText(shards);
  const bytes = shards.reduce((sum, shard) => sum + shard.bytes, Buffer.byteLength(index ?? ''));
  return { shards, index, bytes };
}

/** Tells readers which framework the layout is for; some refuse files that do not say. */
function formatOf(checkpoint: Checkpoint): string {
  return checkpoint.shards.find((shard) => shard.metadata.format !== undefined)?.metadata.format ?? 'pt';
}

/** Consecutive tensors, as many to a file as fit; file order is kept, so that whole stretches are copied at once. */
function groupBySize<T extends { source: TensorInfo }>(tensors: readonly T[], maxBytes: number): T[][] {
  const groups: T[][] = [[]];
  let bytes = 0;
  for (const tensor of tensors) {
    if (bytes > 0 && bytes + tensor.source.bytes > maxBytes) {
      groups.push([]);
      bytes = 0;
    }
    groups[groups.length - 1].push(tensor);
    bytes += tensor.source.bytes;
  }
  return groups;
}

const shardName = (number: number, count: number): string =>
  `model-${String(number).padStart(5, '0')}-of-${String(count).padStart(5, '0')}.safetensors`;

/** Gives every tensor its place. Wider types first keeps all of them aligned, as the reference writer does. */
function layOut(
  name: string,
  group: readonly Omit<PlannedTensor, 'offset'>[],
  metadata: Readonly<Record<string, string>>,
): PlannedShard {
  const ordered = [...group].sort((a, b) => DTYPE_BITS[b.source.dtype] - DTYPE_BITS[a.source.dtype]);
  const entries: [string, unknown][] = [['__metadata__', metadata]];
  let end = 0;
  for (const { name: tensor, source } of ordered) {
    entries.push([tensor, { dtype: source.dtype, shape: source.shape, data_offsets: [end, end + source.bytes] }]);
    end += source.bytes;
  }
  const header = headerBytes(Object.fromEntries(entries));
  let offset = header.length;
  const tensors = ordered.map((tensor) => {
    const placed = { ...tensor, offset };
    offset += tensor.source.bytes;
    return placed;
  });
  return { name, header, tensors, bytes: header.length + end };
}

/** Length as 8 bytes little-endian, then the JSON, padded with spaces to a multiple of 8. */
function headerBytes(header: object): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(8 + padded, ' ');
  bytes.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(bytes, 8);
  return bytes;
}

function indexText(shards: readonly PlannedShard[]): string {
  const weightMap = shards.flatMap((shard) => shard.tensors.map((tensor) => [tensor.name, shard.name] as const));
  const totalSize = shards.reduce((sum, shard) => sum + shard.bytes - shard.header.length, 0);
  const index = { metadata: { total_size: totalSize }, weight_map: Object.fromEntries(weightMap) };
  return `${JSON.stringify(index, null, 2)}\n`;
}
