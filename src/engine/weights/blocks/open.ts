/** Opens a source in blocks: quantises the weights into a file for as long as they are needed. */
import { realpathSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../files/cache';
import { removeStale, temporaryName } from '../../files/partial';
import type { JobOptions } from '../../progress';
import type { WeightSource } from '../source';
import { BITS, blockLayout, type BlockPrecision } from './layout';
import { quantiseModel } from './quantise-model';
import { BlockWeights } from './source';
import { FileSink, FileStore } from './store';

const NAME = 'quantised';

/**
 * The source in blocks of 4 or 8 bits. Closing it closes `source`.
 * @throws UserError when a file cannot be read; CancelledError
 */
export async function blockWeights(
  source: WeightSource,
  precision: BlockPrecision,
  job: JobOptions = {},
): Promise<WeightSource> {
  const layout = blockLayout(source.architecture, BITS[precision]);
  const folder = realpathSync(await cacheFolder());
  await removeStale(folder, NAME);
  const file = join(folder, temporaryName(NAME));
  const handle = await open(file, 'wx', 0o600);
  const onExit = (): void => rmSync(file, { force: true });
  process.once('exit', onExit);
  const close = async (): Promise<void> => {
    process.removeListener('exit', onExit);
    await rm(file, { force: true });
  };
  try {
    const sink = new FileSink(handle, 0, () => Promise.resolve());
    const digests = await quantiseModel(source, layout, sink, job);
    await handle.close();
    return new BlockWeights(source, precision, layout, new FileStore(file, 0, close), digests);
  } catch (error) {
    await handle.close();
    await close();
    throw error;
  }
}
