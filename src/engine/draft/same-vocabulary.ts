/** Whether another model can draft: its tokens must be the target's, with the same ids. */
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { optionalTokenizer } from '../tokenizer/optional';
import type { JobOptions } from '../progress';

/** Texts that are encoded with both. */
const PROBED = 32;

/**
 * @param texts of the application, which both must encode alike
 * @returns why it cannot draft, in words; undefined if it can
 * @throws UserError for a model or a tokenizer that cannot be read; CancelledError
 */
export async function otherVocabulary(
  target: Checkpoint,
  draft: Checkpoint,
  texts: readonly string[],
  job: JobOptions,
): Promise<string | undefined> {
  const [own, other] = [requireArchitecture(target), requireArchitecture(draft)];
  if (other.vocabulary !== own.vocabulary) {
    return `its vocabulary has ${other.vocabulary} tokens, and the model’s has ${own.vocabulary}`;
  }
  if (other.bosTokenId !== own.bosTokenId) return 'its texts begin with another token';
  if (String(other.eosTokenIds) !== String(own.eosTokenIds)) return 'its texts end with other tokens';
  const [first, second] = [await optionalTokenizer(target.home, job), await optionalTokenizer(draft.home, job)];
  if (!first || !second) return undefined; // ids are compared with ids
  const probed = texts.slice(0, PROBED);
  const plain = { addSpecialTokens: false };
  const [mine, theirs] = [await first.encodeEach(probed, plain), await second.encodeEach(probed, plain)];
  return String(mine) === String(theirs) ? undefined : 'it has other tokens for the prompts';
}
