/** Token ids need no tokenizer: a checkpoint without one can still be scored by rows and continued from ids. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../errors';
import type { KeeperOptions } from './keeper';
import { loadTokenizer, type Tokenizer } from './tokenizer';

/** Its file name in a checkpoint's folder. */
export const TOKENIZER_FILE = 'tokenizer.json';

/** The checkpoint's tokenizer, or undefined if its folder has none. Throws `UserError` for a broken one. */
export async function optionalTokenizer(folder: string, options?: KeeperOptions): Promise<Tokenizer | undefined> {
  try {
    await access(join(folder, TOKENIZER_FILE));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  return loadTokenizer(folder, options);
}
