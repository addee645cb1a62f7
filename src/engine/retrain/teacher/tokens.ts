/**
 * Checks that teacher and student share their token ids. Vocabularies of equal size may still assign ids differently.
 */
import type { Checkpoint } from '../../checkpoint/types';
import { UserError } from '../../errors';
import type { JobOptions } from '../../progress';
import { optionalTokenizer } from '../../tokenizer/optional';
import type { Tokenizer } from '../../tokenizer/tokenizer';

/** Number of compared ids, spread over the vocabulary. */
const PROBES = 512;

/** @throws UserError when the tokenizers differ; without one of them there is no check */
export async function requireSameTokens(
  teacher: Checkpoint,
  ours: Tokenizer | undefined,
  job: JobOptions,
): Promise<void> {
  const theirs = await optionalTokenizer(teacher.home, job);
  if (!theirs || !ours) return;
  const text = (tokenizer: Tokenizer, id: number): Promise<string> =>
    tokenizer.decode([id], { skipSpecialTokens: false });
  const step = Math.max(1, Math.floor(ours.vocabularySize / PROBES));
  for (let id = 0; id < ours.vocabularySize; id += step) {
    const [own, other] = await Promise.all([text(ours, id), text(theirs, id)]);
    if (own === other) continue;
    throw new UserError(
      'The teacher cannot teach this model',
      `token ${id} is ${JSON.stringify(other)} to it and ${JSON.stringify(own)} to the student`,
      'Name the model that was pruned, or another with the same tokenizer.',
    );
  }
}
