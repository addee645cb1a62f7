/** Token ids need no tokenizer: a checkpoint without one can still be scored by rows and continued from ids. */
import { hasTokenizer } from './files';
import { UnsupportedTokenizer } from './gguf/fields';
import type { KeeperOptions } from './keeper';
import { loadTokenizer, type Tokenizer } from './tokenizer';

/**
 * The checkpoint's tokenizer, or undefined if it has none, or one of a kind that Coppice does not have.
 * @param place its folder or its GGUF file
 * @throws UserError for a broken one
 */
export async function optionalTokenizer(place: string, options?: KeeperOptions): Promise<Tokenizer | undefined> {
  if (!(await hasTokenizer(place))) return undefined;
  try {
    return await loadTokenizer(place, options);
  } catch (error) {
    if (error instanceof UnsupportedTokenizer) return undefined;
    throw error;
  }
}
