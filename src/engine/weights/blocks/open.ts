/**
 * Opens a source in blocks. The quantized weights lie in a file, which graphs name: nothing is copied into them. The file is
 * kept for the next time in a folder of limited size. Without a place to write, they are quantized into memory.
 */
import { mkdir, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatBytes } from '../../../format/numbers';
import { systemErrorCode } from '../../errors';
import { cacheFolder } from '../../files/cache';
import { keepWithin } from '../../files/kept-files';
import type { JobOptions } from '../../progress';
import { systemReason } from '../../system-failure';
import { QUANTIZED_LIMIT } from '../../precision';
import type { WeightSource } from '../source';
import { KEPT_NAMES, keyOf, openKept, type Quantized, writeKept } from './kept';
import { BITS, blockLayout, type BlockLayout, type BlockPrecision } from './layout';
import { needOffsets } from './offsets';
import { quantizeModel } from './quantize-model';
import { BlockWeights } from './source';
import { MemoryStore } from './store';

/** Where quantized weights are kept. */
export interface KeepQuantized {
  /** Folder; "quantized" in the user's cache folder when undefined. It is made if it is missing. */
  readonly folder?: string;
  /** The most bytes that files in it may have; 0 keeps none. */
  readonly limit?: number;
}

export interface OpenBlocks extends KeepQuantized {
  readonly job?: JobOptions;
  /** Says what was written and where. */
  readonly onNote?: (text: string) => void;
}

/**
 * The source in blocks of 4 or 8 bits. Closing it closes `source`.
 * @throws UserError when a file cannot be read; CancelledError
 */
export async function blockWeights(
  source: WeightSource,
  precision: BlockPrecision,
  options: OpenBlocks = {},
): Promise<WeightSource> {
  const bits = BITS[precision];
  const layout = blockLayout(source.architecture, bits, bits === 4 && (await needOffsets(source)));
  const { store, digests } = await quantized(source, layout, options);
  return new BlockWeights(source, precision, layout, store, digests);
}

async function quantized(source: WeightSource, layout: BlockLayout, options: OpenBlocks): Promise<Quantized> {
  const { limit = QUANTIZED_LIMIT, job = {}, onNote = () => undefined } = options;
  const key = keyOf(source, layout);
  const lasts = layout.bytes <= limit;
  const failures: string[] = [];
  const kept = await folderFor(options.folder).catch((error: unknown) => void failures.push(reasonOf(error)));
  const known = kept === undefined ? undefined : await openKept(kept, key, layout, job);
  if (known) return known;
  for (const folder of kept === undefined ? [tmpdir()] : [kept, tmpdir()]) {
    const stays = lasts && folder === kept;
    try {
      if (stays) await keepWithin(folder, limit - layout.bytes, KEPT_NAMES);
      const written = await writeKept(await realpath(folder), key, source, layout, stays, job);
      if (stays) {
        const all = await keepWithin(folder, limit, KEPT_NAMES);
        const used = `${formatBytes(all)} of at most ${formatBytes(limit)}`;
        onNote(
          `the quantized weights, ${formatBytes(layout.bytes)}, are kept for the next time in ${folder} (${used})`,
        );
      } else if (failures.length > 0) onNote(notKept(failures));
      return written;
    } catch (error) {
      failures.push(reasonOf(error));
    }
  }
  onNote(`${notKept(failures)}; they are in memory`);
  const store = new MemoryStore(layout.bytes);
  return { store, digests: await quantizeModel(source, layout, store, job) };
}

const notKept = (failures: readonly string[]): string =>
  `the quantized weights are not kept for the next time: ${[...new Set(failures)].join(', ')}`;

/** @throws the system's error */
async function folderFor(folder?: string): Promise<string> {
  const path = folder ?? join(await cacheFolder(), 'quantized');
  await mkdir(path, { recursive: true });
  return realpath(path);
}

/** In words. @throws an error that is none of the system */
function reasonOf(error: unknown): string {
  if (systemErrorCode(error) === undefined) throw error;
  return systemReason(error)!.why;
}
