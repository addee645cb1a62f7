/** tokenizer.json with the kept tokens alone: their order stays, and their ids follow each other. */
import { isObject, type JsonObject } from '../../format/json';
import type { TokenizerDescription } from '../tokenizer/files';
import type { Tokens } from './tokens';

/** New ids by the old ones: the place of each kept token. */
export const newIds = (kept: readonly number[]): ReadonlyMap<number, number> =>
  new Map(kept.map((id, place) => [id, place]));

/** Whether a merge stays: both parts and what they make are kept. */
export function staysMerge(
  { model }: Tokens,
  ids: ReadonlyMap<number, number>,
): (merge: readonly [string, string]) => boolean {
  const stays = (text: string): boolean => {
    const id = model.get(text);
    return id !== undefined && ids.has(id);
  };
  return ([a, b]) => stays(a) && stays(b) && stays(a + b);
}

/** @param kept ids, ascending, with every special token and the alphabet */
export function trimmedTokenizer(
  description: TokenizerDescription,
  tokens: Tokens,
  kept: readonly number[],
): TokenizerDescription {
  const ids = newIds(kept);
  const { model, added_tokens: added, post_processor: post, padding, ...rest } = description;
  return {
    ...rest,
    added_tokens: added.flatMap((token) => {
      const id = ids.get(token.id as number);
      return id === undefined ? [] : [{ ...token, id }];
    }),
    post_processor: withIds(post, ids),
    padding: isObject(padding) ? { ...padding, pad_id: ids.get(padding.pad_id as number) ?? 0 } : (padding ?? null),
    model: { ...model, ...(model.type === 'Unigram' ? unigram(model, kept, ids) : bpe(model, tokens, ids)) },
  };
}

function unigram(model: JsonObject, kept: readonly number[], ids: ReadonlyMap<number, number>): JsonObject {
  const pieces = model.vocab as readonly unknown[];
  return {
    vocab: kept.filter((id) => id < pieces.length).map((id) => pieces[id]),
    ...(typeof model.unk_id === 'number' && { unk_id: ids.get(model.unk_id) ?? null }),
  };
}

function bpe(model: JsonObject, tokens: Tokens, ids: ReadonlyMap<number, number>): JsonObject {
  const stays = staysMerge(tokens, ids);
  const listed = model.merges as readonly (string | readonly [string, string])[];
  const vocab = [...tokens.model].flatMap(([text, id]) => {
    const now = ids.get(id);
    return now === undefined ? [] : [[text, now] as const];
  });
  return {
    vocab: Object.fromEntries(vocab.sort(([, a], [, b]) => a - b)),
    merges: listed.filter((_, place) => stays(tokens.merges[place])),
  };
}

/** The ids of a post-processor: lists of a template, and the pairs [token, id] of "sep" and "cls". */
function withIds(stage: unknown, ids: ReadonlyMap<number, number>): unknown {
  if (Array.isArray(stage)) return stage.map((each) => withIds(each, ids));
  if (!isObject(stage)) return stage;
  return Object.fromEntries(
    Object.entries(stage).map(([name, value]) => {
      if (name === 'ids' && Array.isArray(value)) return [name, value.flatMap((id) => ids.get(id as number) ?? [])];
      if ((name === 'sep' || name === 'cls') && Array.isArray(value) && value.length === 2) {
        return [name, [value[0], ids.get(value[1] as number) ?? value[1]]];
      }
      return [name, withIds(value, ids)];
    }),
  );
}
