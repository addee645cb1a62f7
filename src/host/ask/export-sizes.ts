/** Sizes of exports, for questions about formats and limits. Each is planned once for a model, as the writers would lay it out. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isGgufCheckpoint, isQuantizedGguf } from '../../engine/checkpoint/gguf/name';
import { requireArchitecture } from '../../engine/checkpoint/open';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { UserError } from '../../engine/errors';
import { healable } from '../../engine/heal/healable';
import { type ExportFormat, FORMATS } from '../../engine/write/formats';
import type { SizeWays } from '../../protocol/size-ways';
import { sizeWays, type WaysKnown } from '../../state/size-ways';
import { type Shipped, type WrittenSize, writtenSize } from '../../estimates/written-bytes';

const known = new Map<string, WrittenSize | UserError>();
/** Plans change often; only the last ones are asked for again. */
const MOST_KNOWN = 200;

/** Bytes of all files of an export. @throws UserError for a model that the format cannot hold */
export const exportSize = async (checkpoint: Checkpoint, shipped: Shipped): Promise<number> =>
  (await explainedSize(checkpoint, shipped)).bytes;

/** The same with the reason, where it is larger than the blocks that stay. @throws as `exportSize` */
export async function explainedSize(checkpoint: Checkpoint, shipped: Shipped): Promise<WrittenSize> {
  const size = await sizeOrFault(checkpoint, shipped);
  if (size instanceof UserError) throw size;
  return size;
}

/** The same for what is to fit a size: a quantized GGUF file that is healed is a little larger, and must fit too. @throws as `exportSize` */
export function fittingSize(checkpoint: Checkpoint, shipped: Shipped): Promise<number> {
  const { format, type, removed } = shipped;
  const staysQuantized = format === 'gguf' && type === undefined && isQuantizedGguf(checkpoint);
  const heals = removed.length > 0 && staysQuantized && healable(requireArchitecture(checkpoint));
  return exportSize(checkpoint, { ...shipped, ...(heals && { changed: 'healed' }) });
}

/** What each way to a goal's size would take. @throws as `exportSize` */
export const waysToSize = (known: Omit<WaysKnown, 'types' | 'sizeOf'>): Promise<SizeWays | undefined> =>
  sizeWays({
    ...known,
    types: typesOf(known.goal.format).filter((type) => !isByName(known.goal.format, type)),
    sizeOf: (shipped) => fittingSize(known.checkpoint, shipped),
  });

/** The size that a type gives, or why the model cannot be written in it. Undefined stands for the types that the weights have. */
export interface TypeSize extends Partial<WrittenSize> {
  readonly type: string | undefined;
  readonly fault?: UserError;
}

/** The types of a format with the sizes that they give. */
export async function typeSizes(
  checkpoint: Checkpoint,
  format: ExportFormat,
  removed: readonly number[],
): Promise<TypeSize[]> {
  const found: TypeSize[] = [];
  for (const type of typesOf(format)) {
    const size = await sizeOrFault(checkpoint, { format, type, removed });
    found.push(size instanceof UserError ? { type, fault: size } : { type, ...size });
  }
  return found;
}

/** Why no type of a format can hold the model; undefined if one can. */
export async function formatFault(checkpoint: Checkpoint, format: ExportFormat): Promise<UserError | undefined> {
  let fault: UserError | undefined;
  for (const type of typesOf(format)) {
    const size = await sizeOrFault(checkpoint, { format, type, removed: [] });
    if (!(size instanceof UserError)) return undefined;
    fault ??= size;
  }
  return fault;
}

const isByName = (format: ExportFormat, type: string | undefined): boolean =>
  type !== undefined && FORMATS[format].byName?.includes(type) === true;

/** Undefined stands for the types that the weights have. */
export function typesOf(format: ExportFormat): readonly (string | undefined)[] {
  const { unnamed, types } = FORMATS[format];
  return unnamed === 'stored' ? [undefined, ...types] : types;
}

async function sizeOrFault(checkpoint: Checkpoint, shipped: Shipped): Promise<WrittenSize | UserError> {
  const { format, type, removed, changed, tokens } = shipped;
  // Files on top can be others the next time.
  if (changed !== undefined && typeof changed !== 'string') return planned(checkpoint, shipped);
  const key = JSON.stringify([
    checkpoint.identity,
    await tokenizerStamp(checkpoint),
    format,
    type,
    removed,
    changed,
    tokens,
  ]);
  const before = known.get(key);
  if (before !== undefined) return before;
  const found = await planned(checkpoint, shipped);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(key, found);
  return found;
}

/** Files that decide what a format can hold, and that the identity of a folder does not tell apart. */
const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json'];

/** Where they lie, and when they were written. */
async function tokenizerStamp(checkpoint: Checkpoint): Promise<string> {
  const { home } = checkpoint;
  const files = isGgufCheckpoint(checkpoint) ? [home] : TOKENIZER_FILES.map((name) => join(home, name));
  const stamps = files.map((file) =>
    stat(file).then(
      ({ size, mtimeMs }) => `${size} ${mtimeMs}`,
      () => 'none',
    ),
  );
  return [home, ...(await Promise.all(stamps))].join('\n');
}

const planned = (checkpoint: Checkpoint, shipped: Shipped): Promise<WrittenSize | UserError> =>
  writtenSize(checkpoint, shipped).catch((error: unknown) => {
    if (error instanceof UserError) return error;
    throw error;
  });
