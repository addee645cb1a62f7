/** The tokenizer of a trimmed model, and the files beside it: the same texts, with the ids of now. */
import type { JsonObject } from '../../format/json';
import type { TokenizerTexts } from '../tokenizer/files';
import type { VocabularySource } from './source';
import { trimmedConfig } from './trimmed-config';
import { newIds, trimmedTokenizer } from './trimmed-tokenizer';

export interface TrimmedVocabulary {
  /** Ids of the original, ascending: a token's new id is its place. */
  readonly kept: readonly number[];
  /** New ids by those of the original. */
  readonly ids: ReadonlyMap<number, number>;
  readonly merges: number;
  /** The tokenizer's files. */
  readonly texts: TokenizerTexts;
  /** A configuration with the ids of now. */
  readonly config: (config: JsonObject) => JsonObject;
}

/** @param kept ids, ascending, with the alphabet and all special tokens (rule.ts) */
export function trimmedVocabulary(
  { texts, files, tokens }: Pick<VocabularySource, 'texts' | 'files' | 'tokens'>,
  kept: readonly number[],
): TrimmedVocabulary {
  const ids = newIds(kept);
  const config = (each: JsonObject): JsonObject => trimmedConfig(each, ids, kept.length);
  const description = trimmedTokenizer(files.description, tokens, kept);
  const { merges } = description.model;
  return {
    ...{ kept, ids, config },
    merges: Array.isArray(merges) ? merges.length : 0,
    texts: {
      ...texts,
      tokenizer: JSON.stringify(description),
      ...(texts.settings !== undefined && { settings: `${JSON.stringify(config(files.settings), null, 2)}\n` }),
    },
  };
}
