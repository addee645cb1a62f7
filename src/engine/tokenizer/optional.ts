/** Token ids need no tokenizer: a checkpoint without one can still be scored by rows and continued from ids. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../errors';
import { loadTokenizer, type Tokenizer } from './tokenizer';

/** The checkpoint's tokenizer, or undefined when its folder holds none. Throws `UserError` for a broken one. */
export async function optionalTokenizer(folder: string): Promise<Tokenizer | undefined> {
  try {
    await access(join(folder, 'tokenizer.json'));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  return loadTokenizer(folder);
}
